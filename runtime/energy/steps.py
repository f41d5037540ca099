"""How long every step of a window takes, exactly as far as the prices are known.

    t = max over cores of busy_c + way + barrier
    busy_c   sum over the events of core c in this step of count x time (see events.py)
    way      the hops of the farthest message that was sent in this step
    barrier  the synchronisation of the mesh

With ``overlap`` the two sides of a core work beside each other, and messages travel meanwhile:

    t = max over cores of max(neurons_c, messages_c) + barrier

that is the timing model ``simple`` of SANA-FE (doi 10.1109/TCAD.2025.3537971).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import ways
from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import load_target, weakest
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.energy.draws import Draws, Floats
from hebbite.runtime.energy.events import (
    HOPS,
    SCALING,
    SIDES,
    Counts,
    Event,
    barrier_of,
    events_of,
    free_hops,
    seconds_of,
    without_time,
)
from hebbite.runtime.energy.profile import CostProfile

Ways = Mapping[tuple[int, int], NDArray[np.bool_]]
"""(hops east or west, north or south) -> in which steps a message goes so far."""
ROOM = 1 << 23
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Bottleneck:
    """The core that is waited for longest over a window, at the profile's values.

    ``share`` is the part of the busy time of all steps that passes in the steps in which it is the
    slowest; ``event`` the constant that most of it goes to, ``event_share`` how much of it.
    """

    core: int
    share: float
    event: str
    event_share: float


@dataclass(frozen=True, eq=False)
class StepTimes:
    """Seconds of every step, (steps, draws); None with the reason if a price is missing.

    ``busy`` is the slowest core's part of them; ``assumed`` the part in [0, 1] of a draw's seconds
    that no table covers, (draws,); ``evidence`` the weakest kind used. ``bottleneck`` is None where
    nothing happened.
    """

    seconds: Floats | None
    busy: Floats | None = None
    assumed: Floats | None = None
    evidence: str = "none"
    reason: str = ""
    bottleneck: Bottleneck | None = None

    @property
    def total(self) -> Floats | None:
        """Seconds of the whole window, (draws,)."""
        return None if self.seconds is None else np.asarray(self.seconds.sum(axis=0), np.float64)


def step_times(
    program: Program,
    profile: CostProfile,
    counts: CoreCounts,
    draws: Draws,
    *,
    overlap: bool = False,
) -> StepTimes:
    """Return how long every step of a window takes; ``counts`` are those of ``program``."""

    def of(counter: str, components: Sequence[str] | None = None) -> Counts:
        return counts.of(counter, components=components)[:, 1:]  # the host is no core

    events = events_of(program, profile, of)
    far = {} if overlap else _ways(program, counts, free=free_hops(profile))
    barrier = barrier_of(program, profile)
    used = {event.constant for event in events} | {barrier}
    used |= {name for i, name in enumerate(HOPS) if any(way[i] for way in far)}
    if reason := without_time(profile, used):
        return StepTimes(None, reason=reason)
    prices = {name: seconds_of(profile, draws, name) for name in used}
    busy, unsure = _busy(events, prices, draws, steps=counts.steps, overlap=overlap)
    seconds = busy + _farthest(far, prices, steps=counts.steps) + prices[barrier]
    guessed = unsure + counts.steps * prices[barrier] * (profile.time[barrier].kind == "assumed")
    kinds = [profile.time[name].kind for name in used]
    kinds += ["assumed"] * any(event.assumed for event in events)
    slowest = _bottleneck(events, profile, counts.cores[1:], overlap=overlap)
    share = np.asarray(guessed / seconds.sum(axis=0), np.float64)
    return StepTimes(seconds, busy, share, weakest(kinds), "", slowest)


def _busy(
    events: Sequence[Event],
    prices: Mapping[str, Floats],
    draws: Draws,
    *,
    steps: int,
    overlap: bool,
) -> tuple[Floats, Floats]:
    """Return the slowest core's seconds of every step, (steps, draws), and how many of them, all
    steps together, no table covers, (draws,)."""
    busy, unsure = np.zeros((steps, draws.draws)), np.zeros(draws.draws)
    if not events:
        return busy, unsure
    lengths = [
        prices[event.constant] * (draws.between(SCALING, *event.factor) if event.assumed else 1.0)
        for event in events
    ]
    each = max(1, ROOM // (events[0].counts.shape[1] * draws.draws))
    for first in range(0, steps, each):
        part = slice(first, first + each)
        loads = [e.counts[part, :, None] * t for e, t in zip(events, lengths, strict=True)]
        known = [np.where(e.assumed, 0.0, x) for e, x in zip(events, loads, strict=True)]
        lanes, sure = (_lanes(events, found, overlap=overlap) for found in (loads, known))
        slowest = lanes.argmax(axis=1)[:, None]
        busy[part] = np.take_along_axis(lanes, slowest, axis=1)[:, 0]
        unsure += busy[part].sum(axis=0) - np.take_along_axis(sure, slowest, axis=1).sum(
            axis=(0, 1)
        )
    return busy, np.maximum(unsure, 0.0)


def _lanes(events: Sequence[Event], loads: Sequence[Floats], *, overlap: bool) -> Floats:
    """Return what works side by side, lanes on axis 1: cores, or first their neurons and then their
    messages."""
    sides = [
        np.sum([x for e, x in zip(events, loads, strict=True) if e.side == side], axis=0)
        for side in SIDES
        if any(event.side == side for event in events)
    ]
    joined = np.concatenate(sides, axis=1) if overlap else np.sum(sides, axis=0)
    return np.asarray(joined, np.float64)


def _ways(program: Program, counts: CoreCounts, *, free: tuple[bool, bool]) -> Ways:
    """Return how far messages between cores go, and in which steps; ``free`` hops are none."""
    target = load_target(program.target)
    found: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for sent in counts.traffic.values():
        apart = ways(target, np.asarray(sent.senders, np.int64), sent.receivers)
        used = sent.messages.any(axis=0) if sent.senders else np.zeros((0, 0), np.bool_)
        for home, goal in np.argwhere(used):
            east_west, north_south, _ = apart[home, goal]
            way = int(east_west) * (not free[0]), int(north_south) * (not free[1])
            if any(way):
                known = found.get(way, np.zeros(counts.steps, np.bool_))
                found[way] = known | (sent.messages[:, home, goal] > 0)
    return found


def _farthest(far: Ways, prices: Mapping[str, Floats], *, steps: int) -> Floats:
    """Return the seconds of the farthest message of every step, (steps, draws or 1)."""
    longest = np.zeros((steps, 1))
    for way, used in far.items():
        parts = [n * prices[name] for name, n in zip(HOPS, way, strict=True) if n]
        longest = np.maximum(longest, used[:, None] * np.sum(parts, axis=0))
    return longest


def _bottleneck(
    events: Sequence[Event], profile: CostProfile, cores: Sequence[int], *, overlap: bool
) -> Bottleneck | None:
    if not events:
        return None
    loads = []
    for event in events:
        constant, (low, high) = profile.time[event.constant], event.factor
        loads.append(event.counts * (constant.value * constant.scale * np.sqrt(low * high)))
    lanes = _lanes(events, loads, overlap=overlap)
    slowest = lanes.argmax(axis=1) % len(cores)
    waited = np.zeros(len(cores))
    np.add.at(waited, slowest, lanes.max(axis=1))
    place = int(waited.argmax())
    steps, spent = slowest == place, dict.fromkeys((e.constant for e in events), 0.0)
    for event, load in zip(events, loads, strict=True):
        spent[event.constant] += float(load[steps, place].sum())
    most = max(spent, key=lambda name: spent[name])
    share = float(waited[place] / waited.sum())
    return Bottleneck(cores[place], share, most, spent[most] / sum(spent.values()))
