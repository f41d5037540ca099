"""Counts the events of a run by core, from what was sent, held and stored, whoever ran it.

As `hebbite.runtime.counters.CounterBook` does by component; the meaning of every counter is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import cores_of, place_of_lines
from hebbite.compiler.program.types import Plasticity, Population, Program, Synapses
from hebbite.runtime.activity import active_neurons, marks_of
from hebbite.runtime.bycore.counts import CORE_COUNTERS, HOST, PLACE, CoreCounts, GroupTraffic, Part
from hebbite.runtime.bycore.spread import Spread, by_place
from hebbite.runtime.gates import terms_at

Long = NDArray[np.int64]
HOPS = ("hops_ew", "hops_ns", "interchip")


class CoreBook:
    """The counts of a program from a state on: `step` after `step`, `epoch` where one ends."""

    def __init__(self, program: Program, state: Mapping[str, Long]) -> None:
        """``state`` is that of a machine, between samples."""
        self._program = program
        self._rules = {p.synapses: p for p in program.plasticity}
        self._spreads = {
            group.name: Spread(program, group, plastic=group.name in self._rules)
            for group in program.synapses
        }
        self._marks = {p.name: marks_of(program, p) for p in program.populations}
        self._places = {p.name: place_of_lines(p, p.size) for p in program.populations}
        self._due = {
            group.name: deque(row != 0 for row in state[f"arrived.{group.name}"])
            for group in program.synapses
        }
        self._x0: dict[str, NDArray[np.bool_]] = {}
        self._y0: dict[str, NDArray[np.bool_]] = {}
        self._cores: dict[str, tuple[int, ...]] = {s.name: (HOST,) for s in program.sources}
        self._cores |= {p.name: cores_of(p) for p in program.populations}
        for name, spread in self._spreads.items():
            self._cores[name] = tuple(dict.fromkeys((*spread.receivers, *spread.senders)))
        self._rows: list[dict[str, Long]] = []
        self._sent: dict[str, list[Long]] = {name: [] for name in self._spreads}

    def take(self) -> CoreCounts:
        """Return what was counted since the last call."""
        parts = {
            name: Part(cores, np.array([row[name] for row in self._rows], np.int64))
            for name, cores in self._cores.items()
        }
        traffic = {
            name: GroupTraffic(
                spread.senders, spread.receivers, np.array(self._sent[name], np.int64)
            )
            for name, spread in self._spreads.items()
        }
        counted = CoreCounts(self._program.name, len(self._rows), parts, traffic)
        self._rows, self._sent = [], {name: [] for name in self._spreads}
        return counted

    def step(
        self,
        offset: int,
        *,
        sent: Mapping[str, Long],
        before: Mapping[str, Long],
        weights: Mapping[str, Long],
        learn: bool,
    ) -> None:
        """Count one step; what is given is what `CounterBook.step` takes."""
        counters = len(CORE_COUNTERS)
        self._rows.append(
            {name: np.zeros((len(c), counters), np.int64) for name, c in self._cores.items()}
        )
        for source in self._program.sources:
            words = np.count_nonzero(sent[f"{source.name}.s"])
            self._add(source.name, (HOST,), "host_words", np.array([words], np.int64))
        for population in self._program.populations:
            self._count_neurons(population, offset, sent, before)
        for group in self._program.synapses:
            message = sent[f"{group.pre}.{group.output}"]
            self._count_messages(group, message, weights[group.weight])
            if learn and group.name in self._rules:
                self._count_traces(group, message, sent[f"{group.post}.bap"])

    def _add(self, component: str, cores: tuple[int, ...], counter: str, counts: Long) -> None:
        row, own = self._rows[-1][component], self._cores[component]
        for core, count in zip(cores, counts, strict=True):
            row[own.index(core), PLACE[counter]] += count

    def _count_neurons(
        self,
        population: Population,
        offset: int,
        sent: Mapping[str, Long],
        before: Mapping[str, Long],
    ) -> None:
        name, size, cores = population.name, population.size, cores_of(population)

        def add(counter: str, neurons: Long) -> None:
            counts = by_place(neurons.astype(np.int64), self._places[name], len(cores))
            self._add(name, cores, counter, counts)

        arrived = [
            self._due[group.name].popleft()
            for group in self._program.synapses
            if group.post == name
        ]
        every = np.ones(size, np.int64)
        add("neuron_steps", every)
        active = active_neurons(self._program, population, before[name], arrived, sent)
        add("neuron_active", active.astype(np.int64))
        add("spikes_out", sent[f"{name}.s"][:size] != 0)
        add("spikes_out", sent[f"{name}.e"] != 0)
        for mark in self._marks[name]:
            if mark.first <= offset <= mark.last:
                add(mark.counter, every)
        readout = self._program.readout
        if name == readout.population and offset == readout.offset:
            add("host_words", every)

    def _count_messages(self, group: Synapses, message: Long, weight: Long) -> None:
        spread, lines = self._spreads[group.name], np.flatnonzero(message)
        reached = spread.reached(weight, lines)
        self._due[group.name].append(reached > 0)
        self._add(group.name, spread.receivers, "syn_ops", spread.at_receivers(reached))
        sent = spread.traffic(lines)
        self._sent[group.name].append(sent)
        self._add(group.name, spread.receivers, "spikes_in", sent.sum(axis=0))
        if spread.senders:
            self._add(group.name, spread.senders, "axon_out", sent.sum(axis=1))
            for counter, counts in zip(HOPS, spread.hops(sent).T, strict=True):
                self._add(group.name, spread.senders, counter, counts)

    def _count_traces(self, group: Synapses, message: Long, bap: Long) -> None:
        rule, spread, name = self._rules[group.name], self._spreads[group.name], group.name
        pre = sum(trace[0] == "x" for trace, _ in rule.traces)
        post = sum(trace[0] == "y" for trace, _ in rule.traces) * (rule.factors == 2)
        first = spread.first[message != 0]
        written = by_place(np.full(first.size, pre, np.int64), first, len(spread.receivers))
        written += spread.at_receivers(post * (bap != 0).astype(np.int64))
        self._add(name, spread.receivers, "trace_updates", written)
        self._x0[name] = self._x0.get(name, np.zeros(message.size, bool)) | (message != 0)
        self._y0[name] = self._y0.get(name, np.zeros(bap.size, bool)) | (bap != 0)

    def epoch(
        self,
        plasticity: Plasticity,
        number: int,
        *,
        before: Long,
        after: Long,
        y: Mapping[str, Long],
    ) -> None:
        """Count learning epoch ``number`` of one group, in the step that was counted last."""
        name = plasticity.synapses
        spread = self._spreads[name]
        events = (self._x0.pop(name).astype(np.int64), self._y0.pop(name).astype(np.int64))
        assert spread.ends is not None, "the group learns"
        terms = [terms_at(update, *events, number, spread.ends) for update in plasticity.sums]
        visited = np.logical_or.reduce([held != 0 for held in terms])

        def add(counter: str, synapses: Long) -> None:
            counts = spread.of_synapses(synapses)
            self._add(name, spread.receivers, counter, counts)

        add("updates_visited", visited.astype(np.int64))
        add("updates_changed", (before != after).astype(np.int64))
        for held in terms:
            add("rule_terms", held)
            add("rng_draws", (held != 0).astype(np.int64))
        if plasticity.factors == 3:
            for trace, _ in plasticity.traces:
                if trace[0] == "y":
                    written = spread.at_receivers((y[trace] != 0).astype(np.int64))
                    self._add(name, spread.receivers, "trace_updates", written)

    def mirrors(self) -> None:
        """Count the weights that the host copies at the end of a learning epoch."""
        for group in self._program.synapses:
            if group.mirror:
                neurons, lines = self._program.tensors[group.weight].shape
                spread = self._spreads[group.name]
                words = spread.at_receivers(np.full(neurons, lines, np.int64))
                self._add(group.name, spread.receivers, "host_words", words)
