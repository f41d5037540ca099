"""Counts by step, core and counter, and what they say together.

counter            core that is charged
neuron_steps, neuron_active, spikes_out, resets, and rng_draws of neuron programs
                   the neuron's
syn_ops            the receiver's
spikes_in          the one that the message enters: one a line and core where it has synapses
axon_out, hops_ew, hops_ns, interchip
                   the sender's, which sends the message to every such core
rule_terms, updates_visited, updates_changed, and rng_draws of synapses
                   the receiver's, in the last step of the learning epoch
trace_updates      x: the first core of the receiver that the line reaches, for a trace is counted
                   once, however many cores hold a copy of it; y: the neuron's
host_words         messages injected: the host; answers read: the neuron's; weights copied: the
                   receiver's, in the last step of the learning epoch
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.counters import COUNTERS

Long = NDArray[np.int64]
CORE_COUNTERS = tuple(name for name in COUNTERS if name != "steps")
"""What a core counts: everything but the steps, which are the same everywhere."""
PLACE = {name: index for index, name in enumerate(CORE_COUNTERS)}
HOST = -1
"""The number under which the host stands among the cores."""


class Part(NamedTuple):
    """Counts of one component: ``values`` int64 (steps, cores, counters) on its own ``cores``."""

    cores: tuple[int, ...]
    values: Long

    def of(self, counter: str) -> Long:
        """Return one counter, int64 (steps, cores)."""
        return self.values[:, :, PLACE[counter]]


class GroupTraffic(NamedTuple):
    """Messages of one group: int64 (steps, senders, receivers) between cores; no sender: the
    host."""

    senders: tuple[int, ...]
    receivers: tuple[int, ...]
    messages: Long


@dataclass(frozen=True, eq=False)
class CoreCounts:
    """Exact counts of a window of ``steps`` steps.

    ``parts``: counts of every source, population and group of synapses on the cores that it
    touches. ``traffic``: the messages of every group of synapses.
    """

    program: str
    steps: int
    parts: Mapping[str, Part]
    traffic: Mapping[str, GroupTraffic]

    @cached_property
    def cores(self) -> tuple[int, ...]:
        """The cores that hold a part of the program, ascending; the host first."""
        return tuple(sorted({HOST, *(core for part in self.parts.values() for core in part.cores)}))

    @cached_property
    def values(self) -> Long:
        """All counts, int64 (steps, cores, counters), in the order of `cores` and
        `CORE_COUNTERS`."""
        return self.within(self.parts)

    def within(self, components: Iterable[str]) -> Long:
        """Return the counts of some components, int64 (steps, cores, counters)."""
        total = np.zeros((self.steps, len(self.cores), len(CORE_COUNTERS)), np.int64)
        for name in components:
            part = self.parts[name]
            for column, core in enumerate(part.cores):
                total[:, self.cores.index(core)] += part.values[:, column]
        return total

    def of(self, counter: str, *, components: Iterable[str] | None = None) -> Long:
        """Return one counter, int64 (steps, cores)."""
        values = self.values if components is None else self.within(components)
        return values[:, :, PLACE[counter]]

    def total(self, counter: str, *, components: Iterable[str] | None = None) -> int:
        """Return one counter summed over steps and cores."""
        return int(self.of(counter, components=components).sum())

    def __add__(self, other: CoreCounts) -> CoreCounts:
        """Return the counts of two windows, the other after this one."""
        assert self.parts.keys() == other.parts.keys(), "the windows are of one program"
        parts = {
            name: Part(part.cores, np.concatenate([part.values, other.parts[name].values]))
            for name, part in self.parts.items()
        }
        traffic = {
            name: GroupTraffic(
                sent.senders,
                sent.receivers,
                np.concatenate([sent.messages, other.traffic[name].messages]),
            )
            for name, sent in self.traffic.items()
        }
        return CoreCounts(self.program, self.steps + other.steps, parts, traffic)
