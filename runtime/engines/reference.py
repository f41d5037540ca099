"""The reference engine: a step-by-step interpreter in NumPy. It defines what a program means."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import Synaptic
from hebbite.compiler.arithmetic.learning import learn as learn_synapses
from hebbite.compiler.arithmetic.neuron import Registers, execute, new_registers
from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.arithmetic.randomness import (
    EpochRandom,
    KeyedRandom,
    LavaStreams,
    Rounding,
    SharedRandom,
    stream_of,
)
from hebbite.compiler.arithmetic.synapse import accumulate, fan_of, mirrored
from hebbite.compiler.arithmetic.traces import new_traces, note_events, note_messages
from hebbite.compiler.program.connectivity import ends_of
from hebbite.compiler.program.neuron import TRACES
from hebbite.compiler.program.types import IntArray, Plasticity, Population, Program
from hebbite.runtime.counters import CounterBook
from hebbite.runtime.engines.base import Inputs, check_inputs, events_of
from hebbite.runtime.recording import Recording, is_epoch_probe, row_shape

Long = NDArray[np.int64]


class ReferenceEngine:
    """Opens programs on the NumPy interpreter."""

    name = "reference"

    def open(
        self, program: Program, *, rounding: Rounding, seed: int | None = None
    ) -> ReferenceMachine:
        """Return a machine at step 0."""
        return ReferenceMachine(program, rounding, program.seed if seed is None else seed)


class ReferenceMachine:
    """State of a program between samples."""

    def __init__(self, program: Program, rounding: Rounding, seed: int) -> None:
        self._program = program
        self._rounding: Rounding = rounding
        self._seed = seed
        self._step = 0
        self._epoch = 0
        self._weights = {
            group.weight: program.tensors[group.weight].astype(np.int64)
            for group in program.synapses
        }
        self._tags = {
            p.synapses: np.zeros(self._weight(p.synapses).shape, np.int64)
            for p in program.plasticity
            if p.dt is not None
        }
        self._neurons = {
            p.name: p.neuron.bind(dict(p.constants), period=program.schedule.period)
            for p in program.populations
        }
        self._registers: dict[str, Registers] = {
            p.name: new_registers(self._neurons[p.name], p.size) for p in program.populations
        }
        self._due: dict[str, deque[Long]] = {
            group.name: deque(
                np.zeros(program.population(group.post).size, np.int64) for _ in range(group.delay)
            )
            for group in program.synapses
        }
        self._fans = {group.name: fan_of(program, group) for group in program.synapses}
        learners = [(p, program.group(p.synapses)) for p in program.plasticity]
        self._ends = {group.name: ends_of(program, group) for _, group in learners}
        self._traces = {
            group.name: new_traces(
                p, lines=program.line_count(group), neurons=program.post_size(group)
            )
            for p, group in learners
        }
        self._book = CounterBook(program)
        self._streams = LavaStreams(seed)
        self._groups = {group.name: i for i, group in enumerate(program.synapses)}

    def _weight(self, group: str) -> Long:
        return self._weights[self._program.group(group).weight]

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples, step by step."""
        began = time.perf_counter()
        check_inputs(self._program, inputs)
        events = {s.name: events_of(s, inputs, samples) for s in self._program.sources}
        log: dict[str, list[Long]] = {probe: [] for probe in probes}
        answers: list[Long] = []
        for sample in range(samples):
            given = {name: event[sample] for name, event in events.items()}
            answers.append(self._sample(given, learn, log))
        period = self._program.schedule.period
        size = self._program.population(self._program.readout.population).size
        return Recording(
            engine="reference",
            rounding=self._rounding,
            seed=self._seed,
            samples=samples,
            steps=samples * period,
            values={
                probe: np.array(rows, np.int64).reshape(len(rows), *row_shape(self._program, probe))
                for probe, rows in log.items()
            },
            answers=np.array(answers, np.int64).reshape(samples, size),
            counters=self._book.take(),
            wall_s=time.perf_counter() - began,
        )

    def _sample(self, given: Mapping[str, Long], learn: bool, log: dict[str, list[Long]]) -> Long:
        readout = self._program.readout
        answer: Long = np.zeros(self._program.population(readout.population).size, np.int64)
        for offset in range(1, self._program.schedule.period + 1):
            before = {name: regs["v"] for name, regs in self._registers.items()}
            sent = self._send(given, offset)
            weights = dict(self._weights)
            self._book.step(offset, sent=sent, before=before, weights=weights, learn=learn)
            self._receive(sent)
            self._log(log, sent, epoch=False)
            registers = self._registers[readout.population]
            if readout.count:
                answer = answer + registers["s"]
            elif offset == readout.offset:
                answer = registers[readout.register]
            self._step += 1
            if learn:
                self._learn(sent, log)
        return answer

    def _send(self, given: Mapping[str, Long], offset: int) -> dict[str, Long]:
        """Let sources and populations send; return the lines of every output."""
        sent: dict[str, Long] = {}
        for source in self._program.sources:
            line = np.zeros(source.lines, np.int64)
            if offset in source.offsets:
                line[: source.size] = given[source.name][source.offsets.index(offset)]
            if source.bias:
                line[-1] = dict(source.bias).get(offset, 0)
            sent[f"{source.name}.s"] = line
        arrived = {group.name: self._due[group.name].popleft() for group in self._program.synapses}
        for index, population in enumerate(self._program.populations):
            self._execute(index, population, arrived, sent, offset)
        return sent

    def _execute(
        self,
        index: int,
        population: Population,
        arrived: Mapping[str, Long],
        sent: dict[str, Long],
        offset: int,
    ) -> None:
        registers = self._registers[population.name]
        for port in ("a", "third"):
            registers[port] = np.zeros(population.size, np.int64)
        for group in self._program.synapses:
            if group.post == population.name:
                registers[group.port] = registers[group.port] + arrived[group.name]
        for wire in self._program.wires:
            if wire.post == population.name:
                registers["third"] = registers["third"] + sent[f"{wire.source}.s"]
        tables = {name: self._program.tensors[tensor] for name, tensor in population.tables}

        def random(instruction: int, bits: int) -> Long:
            stream = stream_of("neuron", index << 8 | instruction)
            drawn = words(population.size, seed=self._seed, stream=stream, time=self._step)
            return drawn >> np.int64(32 - bits)

        neuron = self._neurons[population.name]
        execute(neuron, registers, offset=offset, tables=tables, random=random)
        payload = registers["s"]
        if population.bias:
            payload = np.append(payload, np.int64(dict(population.bias).get(offset, 0)))
        sent[f"{population.name}.s"] = payload
        sent[f"{population.name}.e"] = registers["e"]
        sent[f"{population.name}.bap"] = registers["bap"]

    def _receive(self, sent: Mapping[str, Long]) -> None:
        """Let every group compute what it will deliver ``delay`` steps later."""
        for group in self._program.synapses:
            message = sent[f"{group.pre}.{group.output}"]
            due = accumulate(
                self._weights[group.weight],
                message,
                graded=group.graded,
                exponent=group.exponent,
                fan=self._fans[group.name],
            )
            self._due[group.name].append(due)

    def _learn(self, sent: Mapping[str, Long], log: dict[str, list[Long]]) -> None:
        """Note the events of this step; at the end of an epoch update traces and synapses."""
        epoch = self._program.epoch
        if not epoch:
            return
        offset = (self._step - 1) % epoch + 1
        for plasticity in self._program.plasticity:
            group = self._program.group(plasticity.synapses)
            state = self._traces[group.name]
            note_messages(state, sent[f"{group.pre}.{group.output}"], offset=offset)
            registers = self._registers[group.post]
            written = {name: registers[name] for name in TRACES}
            note_events(state, sent[f"{group.post}.bap"], written, offset=offset)
        if offset == epoch:
            self._end_epoch()
            self._log(log, sent, epoch=True)

    def _end_epoch(self) -> None:
        self._epoch += 1
        random: EpochRandom
        if self._rounding == "lava-exact":
            x, y, weight = (int(k) for k in self._streams.epochs(1, self._program.epoch)[0])
            random = SharedRandom(x, y, weight)
        else:
            random = KeyedRandom(self._seed, self._epoch)
        for plasticity in self._program.plasticity:
            self._update(plasticity, random)
        for group in self._program.synapses:
            if group.mirror:
                size = self._program.post_size(group)
                followed = self._weight(group.mirror)
                copied = mirrored(followed, size=size, magnitude=group.magnitude)
                self._weights[group.weight] = copied

    def _update(self, plasticity: Plasticity, random: EpochRandom) -> None:
        name = plasticity.synapses
        tensor = self._program.group(name).weight
        before, state = self._weights[tensor], self._traces[name]
        sent_y = {trace: state.values[trace] for trace in TRACES}
        learned = learn_synapses(
            Synaptic(before, self._tags.get(name)),
            state,
            group=self._groups[name],
            epoch_number=self._epoch,
            widths=self._program.widths,
            random=random,
            ends=self._ends[name],
        )
        self._weights[tensor] = learned.weight
        if learned.tag is not None:
            self._tags[name] = learned.tag
        self._book.epoch(
            plasticity, self._epoch, before=before, after=self._weights[tensor], y=sent_y
        )

    def _log(self, log: dict[str, list[Long]], sent: Mapping[str, Long], *, epoch: bool) -> None:
        for probe, rows in log.items():
            if is_epoch_probe(self._program, probe) != epoch:
                continue
            component, register = probe.rsplit(".", 1)
            if epoch:
                rows.append(self._held(component, register).copy())
            elif probe in sent:
                rows.append(sent[probe].copy())
            else:
                rows.append(self._registers[component][register].copy())

    def _held(self, group: str, register: str) -> Long:
        """Return what a plastic group holds: its weights, its tags or one of its traces."""
        if register == "weight":
            return self._weight(group)
        return self._tags[group] if register == "t" else self._traces[group].values[register]

    def read(self, tensor: str) -> Long:
        """Return a weight tensor as it stands."""
        return self._weights[tensor].copy()

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape."""
        assert value.shape == self._weights[tensor].shape
        self._weights[tensor] = value.astype(np.int64)

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone."""
        self._program = program
        self._book.relearn(program)
        for plasticity in program.plasticity:
            self._traces[plasticity.synapses].plasticity = plasticity

    def state(self) -> dict[str, Long]:
        """Return step, epoch, weights, tags, registers, messages under way and traces."""
        out = {"clock": np.array([self._step, self._epoch], np.int64)}
        out |= {f"weight.{name}": value.copy() for name, value in self._weights.items()}
        out |= {f"tag.{name}": value.copy() for name, value in self._tags.items()}
        for name, registers in self._registers.items():
            out |= {f"neuron.{name}.{key}": value.copy() for key, value in registers.items()}
        out |= {f"due.{name}": np.array(list(rows), np.int64) for name, rows in self._due.items()}
        for name, traces in self._traces.items():
            out |= {f"trace.{name}.{key}": value.copy() for key, value in traces.values.items()}
            out |= {f"trace.{name}.tx": traces.tx.copy(), f"trace.{name}.ty": traces.ty.copy()}
        return out | self._book.state()

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from a state of the same program, seed and rounding."""
        self._book.restore(state)
        self._step, self._epoch = (int(v) for v in state["clock"])
        self._streams = LavaStreams(self._seed)
        if self._epoch:
            self._streams.epochs(self._epoch, self._program.epoch)
        for name in self._weights:
            self._weights[name] = state[f"weight.{name}"].copy()
        for name in self._tags:
            self._tags[name] = state[f"tag.{name}"].copy()
        for name, registers in self._registers.items():
            for key in registers:
                registers[key] = state[f"neuron.{name}.{key}"].copy()
        for name in self._due:
            self._due[name] = deque(row.copy() for row in state[f"due.{name}"])
        for name, traces in self._traces.items():
            traces.values = {key: state[f"trace.{name}.{key}"].copy() for key in traces.values}
            traces.tx, traces.ty = (
                state[f"trace.{name}.tx"].copy(),
                state[f"trace.{name}.ty"].copy(),
            )

    def close(self) -> None:
        """Nothing is held outside of Python."""
