"""Where the parts of a program stand, and how one group's messages and synapses fall on cores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import fan_of
from hebbite.compiler.placement import cores_of, place_of_lines, reach, ways
from hebbite.compiler.program.connectivity import ends_of
from hebbite.compiler.program.types import Program, Synapses
from hebbite.compiler.targets import load_target

Long = NDArray[np.int64]


def by_place(amounts: Long, places: Long, count: int) -> Long:
    """Return amounts summed by place, int64 (count,)."""
    total = np.zeros(count, np.int64)
    np.add.at(total, places, amounts)
    return total


class Spread:
    """One group of synapses over the cores of its sender and its receiver; weights come in as whole
    arrays and are not changed in place.

    senders, receivers   cores of either; a source has no sender
    goals                (lines, receivers): has a line synapses there?
    """

    def __init__(self, program: Program, group: Synapses, *, plastic: bool) -> None:
        post = program.population(group.post)
        lines = program.line_count(group)
        self.receivers = cores_of(post)
        self.place = place_of_lines(post, post.size)
        self._fan = fan_of(program, group)
        self.goals = reach(program, group, self._fan).astype(np.int64)
        self.first = np.argmax(self.goals, axis=1).astype(np.int64)
        self.senders: tuple[int, ...] = ()
        self._home = np.zeros(lines, np.int64)
        if group.pre not in {source.name for source in program.sources}:
            pre = program.population(group.pre)
            self.senders = cores_of(pre)
            self._home = place_of_lines(pre, lines)
        target = load_target(program.target)
        self.ways = ways(target, np.asarray(self.senders, np.int64), self.receivers)
        self.ends = ends_of(program, group) if plastic else None
        self._known: Long | None = None
        self._line = self._post = np.zeros(0, np.int64)

    def traffic(self, lines: Long) -> Long:
        """Return the messages of the lines that send, (senders, receivers); the host is one
        sender."""
        sent = np.zeros((max(len(self.senders), 1), len(self.receivers)), np.int64)
        np.add.at(sent, self._home[lines], self.goals[lines])
        return sent

    def hops(self, sent: Long) -> Long:
        """Return hops_ew, hops_ns and interchip of messages (senders, receivers), (senders, 3)."""
        return np.asarray((sent[:, :, None] * self.ways).sum(axis=1), np.int64)

    def reached(self, weight: Long, lines: Long) -> Long:
        """Return through how many non-zero weights the lines that send reach a neuron, (post,)."""
        if self._fan is None:
            return np.asarray((weight[:, lines] != 0).sum(axis=1), np.int64)
        if weight is not self._known:
            line, post, element = self._fan.synapses
            held = weight.ravel()[element] != 0
            self._known, self._line, self._post = weight, line[held], post[held]
        sends = np.zeros(len(self.goals), np.bool_)
        sends[lines] = True
        hit = self._post[sends[self._line]]
        return np.bincount(hit, minlength=self._fan.neurons).astype(np.int64)

    def at_receivers(self, neurons: Long) -> Long:
        """Return amounts of the receiving neurons by their cores, (receivers,)."""
        return by_place(neurons, self.place, len(self.receivers))

    def of_synapses(self, amounts: Long) -> Long:
        """Return amounts of plastic synapses, in the weights' shape, by core, (receivers,)."""
        assert self.ends is not None, "the group learns"
        places = np.broadcast_to(self.place[self.ends.post], amounts.shape)
        return by_place(amounts.ravel(), places.ravel(), len(self.receivers))
