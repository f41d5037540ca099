"""The native engine: any program on one core, event-driven, the bits of the reference."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import TAG_LOW
from hebbite.compiler.arithmetic.randomness import LavaStreams, Rounding
from hebbite.compiler.arithmetic.synapse import arrivals, fan_of
from hebbite.compiler.program.independence import carried
from hebbite.compiler.program.types import IntArray, Program, Synapses
from hebbite.runtime.counters import PHASES, Counters, components_of
from hebbite.runtime.engines.base import Given, Inputs, Splitting, check_inputs
from hebbite.runtime.engines.native.aligned import copied
from hebbite.runtime.engines.native.batch import run_batch
from hebbite.runtime.engines.native.events import pack_events
from hebbite.runtime.engines.native.neurons import point_tables
from hebbite.runtime.engines.native.pack import Packed, pack
from hebbite.runtime.engines.native.plan import (
    ALL,
    O_LIST,
    SOME,
    TRACES,
    TURNS,
    UNASKED,
    Call,
    Long,
    State,
)
from hebbite.runtime.engines.native.probes import (
    Probe,
    probe_table,
    probes_of,
    stored_for,
    values_of,
)
from hebbite.runtime.engines.native.run import prepare, run_samples
from hebbite.runtime.engines.native.scratch import new_scratch
from hebbite.runtime.engines.native.views import describe
from hebbite.runtime.engines.native.weights import (
    Held,
    fill_store,
    from_store,
    misses_of,
    nonzero_of,
)
from hebbite.runtime.recording import Recording

AnyInt = NDArray[np.integer]
Probing = tuple[list[Probe], Long, tuple[int, int]]
"""Probes, the kernel's table of them, and the widths of its logs: a step's, an epoch's."""
CHANGED = ("clock", "memory", "flags", "lists", "sent", "full", "due", "arrived", "nonzero")
"""The arrays of a state that a run changes which does not learn, addresses aside."""


class NativeEngine:
    """Opens programs on the compiled kernels."""

    name = "native"

    def open(
        self, program: Program, *, rounding: Rounding, seed: int | None = None
    ) -> NativeMachine:
        """Return a machine at step 0."""
        return NativeMachine(program, rounding, program.seed if seed is None else seed)


class NativeMachine:
    """State of a program between samples, as flat arrays."""

    def __init__(self, program: Program, rounding: Rounding, seed: int) -> None:
        self._program = program
        self._rounding: Rounding = rounding
        self._seed = seed
        self._streams = LavaStreams(seed)
        self._drawn = 0
        self._probed: frozenset[str] = frozenset()
        self._probings: dict[tuple[str, ...], Probing] = {}
        self._components = components_of(program)
        self._packed = self._pack()
        self._state = self._packed.state
        self._scratch = new_scratch(program)
        self._listed = self._list()
        for tensor in self._tensors():
            self.write(tensor, program.tensors[tensor])

    def _pack(self) -> Packed:
        return pack(self._program, rounding=self._rounding, seed=self._seed, probed=self._probed)

    def run(
        self, inputs: Inputs, *, samples: int, learn: bool = True, probes: Sequence[str] = ()
    ) -> Recording:
        """Run ``samples`` samples in one call of the kernel."""
        program, period = self._program, self._program.schedule.period
        check_inputs(program, inputs)
        epochs = samples * period // program.epoch if learn and program.epoch else 0
        found, rows, (step_width, epoch_width) = self._probes(tuple(probes))
        size, components = program.population(program.readout.population).size, self._components
        call = Call(
            **pack_events(program, inputs, samples)._asdict(),
            shared=self._random(epochs),
            answers=np.zeros((samples, size), np.int64),
            probes=rows,
            step_log=np.empty((samples * period if step_width else 0, step_width), np.int64),
            epoch_log=np.zeros((epochs, epoch_width), np.int64),
            counts=samples * self._packed.of_sample,
            sent_at=np.zeros((len(PHASES), TURNS * len(self._packed.plan.cost)), np.int64),
        )
        began = time.perf_counter()
        run_samples(self._listed, call, samples, learn=learn)
        wall = time.perf_counter() - began
        return Recording(
            engine="native",
            rounding=self._rounding,
            seed=self._seed,
            samples=samples,
            steps=samples * period,
            values=values_of(found, call.step_log, call.epoch_log),
            answers=call.answers,
            counters=Counters(components, call.counts.reshape(len(components), len(PHASES), -1)),
            wall_s=wall,
        )

    def run_split(self, given: Given, *, samples: int, each: int, threads: int) -> Recording:
        """Run samples that do not learn, on several threads if they are independent."""
        if min(samples, threads) < 2 or not self._independent:
            return self.run(given(0, samples), samples=samples * each, learn=False)
        return run_batch(self, given, samples=samples, each=each, threads=threads)

    @cached_property
    def _independent(self) -> bool:
        """Whether a sample leaves nothing behind that a later one could find."""
        return not carried(self._program)

    def beside(self, samples: int) -> NativeMachine:
        """Return a machine that shares the weights of this one, ``samples`` samples later.

        It may not learn. Its registers are those of now, and no message is under way.
        """
        prepare()
        other = copy.copy(self)
        other._state = _apart(self._state)
        point_tables(other._state, self._packed.placed)
        other._state.clock[0] += samples * self._program.schedule.period
        other._scratch = new_scratch(self._program)
        other._listed = other._list()
        return other

    def adopt(self, other: Splitting) -> None:
        """Stand where a machine stands that was beside this one."""
        assert isinstance(other, NativeMachine)
        for name in CHANGED:
            getattr(self._state, name)[:] = getattr(other._state, name)

    def _probes(self, names: tuple[str, ...]) -> Probing:
        """Return how the probes of names are read, worked out once."""
        if names not in self._probings:
            self._store(stored_for(self._program, names))
            found = probes_of(self._program, self._packed.layout, names)
            self._probings[names] = (found, *probe_table(found))
        return self._probings[names]

    def _store(self, probed: frozenset[str]) -> None:
        """Print the neurons' kernels anew if a register is probed that they do not store yet."""
        if probed <= self._probed:
            return
        self._probed |= probed
        self._repack()

    def _repack(self) -> None:
        """Make the tables anew; everything stands where it stood."""
        self._packed = self._pack()
        self._listed = self._list()
        self._probings.clear()

    def _list(self) -> Long:
        """Return where every array stands, for the kernels."""
        return describe((self._packed.plan, self._state, self._scratch))

    def _random(self, epochs: int) -> Long:
        """Return the shared numbers of the next epochs; zeros where nobody reads them."""
        if self._rounding == "independent" or not epochs:
            return np.zeros((max(epochs, 1), 3), np.int64)
        done = int(self._state.clock[1])
        if self._drawn != done:
            self._streams = LavaStreams(self._seed)
            self._streams.epochs(done, self._program.epoch)
        self._drawn = done + epochs
        return np.ascontiguousarray(self._streams.epochs(epochs, self._program.epoch))

    def _tensors(self) -> dict[str, None]:
        """Return the names of all tensors of weights, each once."""
        return dict.fromkeys(group.weight for group in self._program.synapses)

    def _stored(self, tensor: str) -> list[tuple[Held, AnyInt]]:
        """Return every place that holds a tensor, and its part of a store, flat."""
        arrays = (self._state.bytes, self._state.shorts, self._state.words)
        size = self._program.tensors[tensor].size
        return [
            (held, arrays[held.store][held.start : held.start + size])
            for (name, _), held in self._packed.layout.weight.items()
            if name == tensor
        ]

    def read(self, tensor: str) -> Long:
        """Return a weight tensor as it stands, in the shape that the program gives it."""
        held, flat = self._stored(tensor)[0]
        return from_store(flat, self._program.tensors[tensor], held)

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape."""
        assert value.shape == self._program.tensors[tensor].shape
        for group in self._program.synapses:
            if group.weight == tensor:
                self._mark(group)
        for held, flat in self._stored(tensor):
            fill_store(flat, value, held)
            counted = nonzero_of(value, self._program, held.group)
            self._state.nonzero[held.lines : held.lines + counted.size] = counted
            if held.misses >= 0 and not held.varies:
                self._state.misses[held.misses : held.misses + counted.size] = misses_of(value)

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone.

        The tables are made anew; registers, traces and weights stand where they stood.
        """
        self._program = program
        self._repack()

    def state(self) -> dict[str, Long]:
        """Return step, epoch, weights, tags, registers, messages under way and traces."""
        out = {"clock": self._state.clock.copy()}
        out |= {f"weight.{name}": self.read(name) for name in self._tensors()}
        out |= {f"tag.{name}": view.T.astype(np.int64) for name, view in self._tags().items()}
        out |= {name: view.astype(np.int64) for name, view in self._views().items()}
        for name, ring in self._rings().items():
            out[name] = np.roll(ring.astype(np.int64), -self._turn(ring), axis=0)
        return out

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from a state of the same program, seed and rounding."""
        self._state.clock[:] = state["clock"]
        self._state.full[:] = SOME
        for name in self._tensors():
            self.write(name, state[f"weight.{name}"])
        for name, tags in self._tags().items():
            tags[:] = state[f"tag.{name}"].T
        for index, plasticity in enumerate(self._program.plasticity):
            low = self._tags().get(plasticity.synapses, np.zeros(0, np.int16)) == TAG_LOW
            self._state.below[index] = np.count_nonzero(low)
        for name, view in self._views().items():
            view[:] = state[name]
        for name, ring in self._rings().items():
            ring[:] = np.roll(state[name], self._turn(ring), axis=0)

    def _tags(self) -> dict[str, NDArray[np.int16]]:
        """Return the tags of every group that keeps any, (lines, post) each, as views."""
        views: dict[str, NDArray[np.int16]] = {}
        for name, start in self._packed.layout.tags.items():
            shape = self._program.tensors[self._program.group(name).weight].shape
            part = self._state.tags[start : start + int(np.prod(shape))]
            views[name] = part.reshape(shape[::-1])
        return views

    def _views(self) -> dict[str, AnyInt]:
        """Return every register and trace under its name in a state, as views."""
        views: dict[str, AnyInt] = {}
        for population in self._program.populations:
            for register in population.neuron.kept:
                start = self._packed.layout.memory[population.name, register]
                row = self._state.memory[start : start + population.size]
                views[f"neuron.{population.name}.{register}"] = row
        for name, (x, y) in self._packed.layout.plastic.items():
            group = self._program.group(name)
            size, lines = self._program.post_size(group), self._program.line_count(group)
            for t, trace in enumerate(TRACES):
                pre = t < 2
                start = 2 * x + t * lines if pre else 3 * y + (t - 2) * size
                array, count = (self._state.x, lines) if pre else (self._state.y, size)
                views[f"trace.{name}.{trace}"] = array[start : start + count]
            views[f"trace.{name}.tx"] = self._state.tx[x : x + lines]
            views[f"trace.{name}.ty"] = self._state.ty[y : y + size]
        return views

    def _rings(self) -> dict[str, AnyInt]:
        """Return the messages under way, (delay, post) each, as views; `_turn` finds the next."""
        rings: dict[str, AnyInt] = {}
        for group in self._program.synapses:
            self._mark(group)
            size = self._program.post_size(group)
            start, slots = (
                self._packed.layout.due[group.name],
                self._packed.layout.slots[group.name],
            )
            for name, array in (("due", self._state.due), ("arrived", self._state.arrived)):
                part = array[start : start + group.delay * size].reshape(group.delay, size)
                if name == "arrived":
                    full = self._state.full[slots : slots + group.delay]
                    part[full == 0], part[full == ALL], part[part != 0] = 0, 1, 1
                rings[f"{name}.{group.name}"] = part
        return rings

    def _mark(self, group: Synapses) -> None:
        """Mark whom the messages under way of a group reach, if nobody asked."""
        place = self._packed.layout.slots[group.name]
        if self._state.full[place] != UNASKED:
            return
        output = self._packed.layout.outputs[group.pre, group.output]
        start = self._packed.plan.outputs[output, O_LIST]
        message = np.zeros(self._program.line_count(group), np.int64)
        message[self._state.lists[start : start + self._state.sent[output]]] = 1
        fan = fan_of(self._program, group)
        reached, _ = arrivals(self.read(group.weight), message, fan)
        start = self._packed.layout.due[group.name]
        self._state.arrived[start : start + reached.size] = reached
        self._state.full[place] = SOME

    def _turn(self, ring: AnyInt) -> int:
        """Return the row of a ring that is delivered next."""
        return int(self._state.clock[0]) % len(ring)

    def close(self) -> None:
        """Nothing is held outside of Python."""


def _apart(state: State) -> State:
    """Return a state with the weights of another, and registers and messages of its own; its tables
    still point at those of the other.
    """
    own = {name: copied(getattr(state, name)) for name in CHANGED}
    own["due"][:], own["arrived"][:], own["full"][:] = 0, 0, SOME
    return state._replace(**own, tables=copied(state.tables))
