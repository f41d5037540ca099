"""Exact counts of what a run did, per component and phase.

A component is a source, a population or a group of synapses, or the program itself. The phase is
``inference`` or ``learning``: what happens before the first or after the last step that inference
needs, and all that feedback and teacher do, is learning.

steps            steps run
neuron_steps     neurons x steps
neuron_active    of these, with v != 0, a message through a non-zero weight or wire, or a bias
spikes_out       outputs s and e of neurons that are not 0, whoever hears them
syn_ops          non-zero weights reached by a message
spikes_in        messages that reach a core of the group: each where its line has synapses, be they
                 0 or not; axon_out: the same, of lines that are not the host's
hops_ew, hops_ns tile hops of those messages; interchip: those that change chip
trace_updates    x traces written by a message, y traces by an event or a non-zero value sent
rule_terms       products of dw and dt whose dependency and 1-bit factors hold, over all synapses
updates_visited  synapses with at least one such product; of a list, those that it stores
updates_changed  stored weights that are another integer after the epoch; tags are not counted
rng_draws        random integers: one a synapse with such a product of dw, one more with one of dt,
                 one a neuron and ``random`` instruction
resets           registers cleared by ``reset``
host_words       messages the host injects, answers it reads, weights it copies: one a synapse of a
                 mirror and learning epoch; a sign counts like a weight, for the host reads the word
                 of the weight to know it, and writes a word. A change of a running session's rule
                 counts one word a product that changed and group (learning), beside all runs
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import arrivals, fan_of
from hebbite.compiler.placement import hops
from hebbite.compiler.program.connectivity import ends_of
from hebbite.compiler.program.types import Plasticity, Program, Synapses
from hebbite.runtime.activity import active_neurons, marks_of
from hebbite.runtime.gates import gates

Long = NDArray[np.int64]
PHASES = ("inference", "learning")
COUNTERS = (
    "steps",
    "neuron_steps",
    "neuron_active",
    "spikes_out",
    "syn_ops",
    "spikes_in",
    "axon_out",
    "hops_ew",
    "hops_ns",
    "interchip",
    "trace_updates",
    "rule_terms",
    "updates_visited",
    "updates_changed",
    "rng_draws",
    "resets",
    "host_words",
)
INDEX = {name: index for index, name in enumerate(COUNTERS)}


def components_of(program: Program) -> tuple[str, ...]:
    """Return the components of a program in the order in which counts are laid out."""
    return (program.name, *program.part_names)


@dataclass(frozen=True, eq=False)
class Counters:
    """Counts as int64 of shape (components, phases, counters)."""

    components: tuple[str, ...]
    values: Long

    def __eq__(self, other: object) -> bool:
        """Whether every count is the same."""
        return (
            isinstance(other, Counters)
            and self.components == other.components
            and np.array_equal(self.values, other.values)
        )

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Counters) -> Counters:
        """Return the sum of two runs of one program."""
        assert self.components == other.components
        return Counters(self.components, self.values + other.values)

    def total(self, counter: str, *, phase: str | None = None) -> int:
        """Return one counter summed over components, and over phases unless one is named."""
        values = self.values[:, :, INDEX[counter]]
        return int(values.sum() if phase is None else values[:, PHASES.index(phase)].sum())

    def to_json(self) -> dict[str, object]:
        """Return totals, and the non-zero counts per component and phase."""
        parts = {
            f"{component}.{phase}": {
                name: int(self.values[c, p, i]) for name, i in INDEX.items() if self.values[c, p, i]
            }
            for c, component in enumerate(self.components)
            for p, phase in enumerate(PHASES)
        }
        totals = {name: self.total(name) for name in COUNTERS}
        return {**totals, "by_component": {key: part for key, part in parts.items() if part}}


def counted_nothing(program: Program) -> Counters:
    """Return counts of a program that did nothing."""
    names = components_of(program)
    return Counters(names, np.zeros((len(names), len(PHASES), len(COUNTERS)), np.int64))


def rewritten(program: Program, products: Iterable[tuple[str, int]]) -> Counters:
    """Return the host words of a change of rule: (group, products that changed) each."""
    names = components_of(program)
    values = np.zeros((len(names), len(PHASES), len(COUNTERS)), np.int64)
    for group, count in products:
        values[names.index(group), PHASES.index("learning"), INDEX["host_words"]] += count
    return Counters(names, values)


class CounterBook:
    """Counts the events of a run from what was sent, held and stored, whoever ran it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names = {name: index for index, name in enumerate(components_of(program))}
        self._values = np.zeros((len(self._names), len(PHASES), len(COUNTERS)), np.int64)
        self._arrivals = {
            group.name: deque(
                np.zeros(program.population(group.post).size, bool) for _ in range(group.delay)
            )
            for group in program.synapses
        }
        plastic = program.plasticity
        self._plastic = {p.synapses: p for p in plastic}
        self._fans = {group.name: fan_of(program, group) for group in program.synapses}
        self._ends = {p.synapses: ends_of(program, program.group(p.synapses)) for p in plastic}
        self._hops = {group.name: hops(program, group) for group in program.synapses}
        self._marks = {p.name: marks_of(program, p) for p in program.populations}
        self._x0: dict[str, Long] = {}
        self._y0: dict[str, Long] = {}

    def take(self) -> Counters:
        """Return the counts since the last call, and start anew; messages under way stay known."""
        counted = Counters(tuple(self._names), self._values.copy())
        self._values[:] = 0
        return counted

    def relearn(self, program: Program) -> None:
        """Go on with a program that differs in the constants of its rules alone."""
        self._program = program
        self._plastic = {p.synapses: p for p in program.plasticity}

    def state(self) -> dict[str, Long]:
        """Return which neurons the messages under way will reach, a row a step of delay."""
        return {
            f"arrived.{name}": np.array(list(rows), np.int64)
            for name, rows in self._arrivals.items()
        }

    def restore(self, state: Mapping[str, Long]) -> None:
        """Continue from what `state` returned."""
        for name in self._arrivals:
            self._arrivals[name] = deque(row != 0 for row in state[f"arrived.{name}"])

    def _add(self, component: str, learning: bool, counter: str, count: int) -> None:
        self._values[self._names[component], int(learning), INDEX[counter]] += count

    def step(
        self,
        offset: int,
        *,
        sent: Mapping[str, Long],
        before: Mapping[str, Long],
        weights: Mapping[str, Long],
        learn: bool,
    ) -> None:
        """Count one step.

        ``sent`` holds the lines of every output ("hidden.s", "image.s") and, while learning,
        "hidden.bap"; ``before`` holds v of every population at the start of the step.
        """
        late = self._program.schedule.learns_at(offset)
        self._add(self._program.name, late, "steps", 1)
        self._count_sources(offset, sent)
        self._count_populations(offset, sent, before)
        for group in self._program.synapses:
            message = sent[f"{group.pre}.{group.output}"]
            self._count_messages(group, message, weights[group.weight], late)
            if learn and group.name in self._plastic:
                self._count_traces(group, message, sent[f"{group.post}.bap"])

    def _count_sources(self, offset: int, sent: Mapping[str, Long]) -> None:
        late = self._program.schedule.learns_at(offset)
        for source in self._program.sources:
            words = int(np.count_nonzero(sent[f"{source.name}.s"]))
            self._add(source.name, late or source.role == "target", "host_words", words)
        readout = self._program.readout
        if offset == readout.offset:
            size = self._program.population(readout.population).size
            self._add(readout.population, False, "host_words", size)

    def _count_populations(
        self, offset: int, sent: Mapping[str, Long], before: Mapping[str, Long]
    ) -> None:
        late = self._program.schedule.learns_at(offset)
        for population in self._program.populations:
            name, size = population.name, population.size
            arrived = [
                self._arrivals[group.name].popleft()
                for group in self._program.synapses
                if group.post == name
            ]
            active = active_neurons(self._program, population, before[name], arrived, sent)
            self._add(name, late, "neuron_steps", size)
            self._add(name, late, "neuron_active", int(active.sum()))
            fired = sum(int(np.count_nonzero(sent[f"{name}.{x}"][:size])) for x in ("s", "e"))
            self._add(name, late, "spikes_out", fired)
            for mark in self._marks[name]:
                if mark.first <= offset <= mark.last:
                    self._add(name, late, mark.counter, size)

    def _count_messages(self, group: Synapses, message: Long, weight: Long, late: bool) -> None:
        lines = message != 0
        learning = late or group.role == "feedback"
        reached, count = arrivals(weight, message, self._fans[group.name])
        self._arrivals[group.name].append(reached)
        self._add(group.name, learning, "syn_ops", count)
        for counter, per_line in self._hops[group.name].items():
            self._add(group.name, learning, counter, int(per_line[lines].sum()))

    def _count_traces(self, group: Synapses, message: Long, bap: Long) -> None:
        plasticity = self._plastic[group.name]
        pre = sum(name[0] == "x" for name, _ in plasticity.traces)
        count = pre * int(np.count_nonzero(message))
        if plasticity.factors == 2:
            post = sum(name[0] == "y" for name, _ in plasticity.traces)
            count += post * int(np.count_nonzero(bap))
        self._add(group.name, True, "trace_updates", count)
        self._x0[group.name] = self._x0.get(group.name, np.int64(0)) | (message != 0)
        self._y0[group.name] = self._y0.get(group.name, np.int64(0)) | (bap != 0)

    def epoch(
        self,
        plasticity: Plasticity,
        number: int,
        *,
        before: Long,
        after: Long,
        y: Mapping[str, Long],
    ) -> None:
        """Count learning epoch ``number`` (from 1) of one group; ``y`` as the neurons sent it."""
        name = plasticity.synapses
        events = self._x0.pop(name), self._y0.pop(name)
        visited, terms, draws = gates(plasticity.sums, *events, number, self._ends[name])
        self._add(name, True, "rule_terms", terms)
        self._add(name, True, "updates_visited", visited)
        self._add(name, True, "rng_draws", draws)
        self._add(name, True, "updates_changed", int((before != after).sum()))
        if plasticity.factors == 3:
            kept = [y[trace] for trace, _ in plasticity.traces if trace[0] == "y"]
            self._add(name, True, "trace_updates", sum(int(np.count_nonzero(v)) for v in kept))
        if name != self._program.plasticity[0].synapses:
            return
        for group in self._program.synapses:
            if group.mirror:
                words = self._program.tensors[group.weight].size
                self._add(group.name, True, "host_words", int(words))
