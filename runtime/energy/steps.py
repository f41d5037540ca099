"""How long every step of a window takes, exactly as far as the prices are known.

    t = max over cores of busy_c + way + barrier
    busy_c  sum over the events of core c in this step of count x time
    way     the hops of the farthest message that was sent in this step
    barrier the synchronisation of the mesh: `barrier_of`

With ``overlap`` the two sides of a core work beside each other, and beside the messages under way:

    t = max over cores of max(neurons_c, messages_c) + barrier

side      events
neurons   neuron_active, neuron_inactive, neuron_step, spike_out (spikes_out), axon_out
messages  message (spikes_in), synaptic_op (syn_ops), synaptic_update (updates_visited)

that is SANA-FE's timing model ``simple``. What a profile cuts finer or holds inside another
constant is as in terms.py. What graded messages, traces and resets add is in no table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import cores_of, tile
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.compiler.targets import load_target, weakest
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.energy.draws import Draws, Floats
from hebbite.runtime.energy.profile import FINER, CostProfile
from hebbite.runtime.energy.terms import is_pairwise, operations, update_factor

Long = NDArray[np.int64]
SCALING = "update_scaling"
"""The name under which the factor of a rule that is not pairwise STDP is drawn."""
SIDES = ("neurons", "messages")
ROOM = 1 << 23
"""Numbers that are held at once."""


@dataclass(frozen=True, eq=False)
class Event:
    """``counts`` (steps, cores) of one kind, each as long as ``constant`` x a factor in
    ``factor``."""

    constant: str
    side: str
    counts: Long
    factor: tuple[float, float] = (1.0, 1.0)

    @property
    def assumed(self) -> bool:
        """Whether no table covers the event."""
        return self.factor != (1.0, 1.0)


@dataclass(frozen=True)
class Bottleneck:
    """The core that is waited for longest over a window, and what it does most.

    ``share``: of the busy time of all steps, the part that this core takes in the steps in which it
    is the slowest; ``event``: the constant most of that goes to, ``event_share`` how much of it.
    """

    core: int
    share: float
    event: str
    event_share: float


@dataclass(frozen=True, eq=False)
class StepTimes:
    """Seconds of every step, (steps, draws); None with the reason if a price is missing.

    ``busy``: the part of the slowest core; ``assumed``: the part in [0, 1] of a draw's seconds that
    no table covers, (draws,); ``evidence`` is the weakest kind used.
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


def chips_of(program: Program) -> int:
    """Return the number of chips on which populations stand."""
    each = int(load_target(program.target).cores_per_chip)
    return len({core // each for p in program.populations for core in cores_of(p)})


def tiles_of(program: Program) -> int:
    """Return the number of tiles on which populations stand."""
    target = load_target(program.target)
    return len({tile(target, core) for p in program.populations for core in cores_of(p)})


def barrier_of(program: Program, profile: CostProfile) -> str:
    """Return the constant that says how long a step's synchronisation takes.

    ``barrier_chips`` on several chips, else the ``barrier_from_N`` with the largest N that the
    tiles in use reach, else ``barrier``.
    """
    if chips_of(program) > 1:
        return "barrier_chips"
    head = "barrier_from_"
    known = [int(name[len(head) :]) for name in profile.time if name.startswith(head)]
    reached = max((number for number in known if number <= tiles_of(program)), default=0)
    return f"{head}{reached}" if reached else "barrier"


def seconds_of(profile: CostProfile, draws: Draws, name: str) -> Floats:
    """Return the seconds that one event takes, (draws,)."""
    constant = profile.time[name]
    return constant.scale * draws.between(f"time.{name}", constant.low, constant.high)


def step_times(
    program: Program,
    profile: CostProfile,
    counts: CoreCounts,
    draws: Draws,
    *,
    overlap: bool = False,
) -> StepTimes:
    """Return how long every step of a window takes, whose ``counts`` are of ``program``."""
    events = list(_events(program, profile, counts))
    ways = {} if overlap else _ways(program, counts)
    barrier = barrier_of(program, profile)
    used = {event.constant for event in events} | {barrier}
    used |= {name for i, name in enumerate(("hop_ew", "hop_ns")) if any(w[i] for w in ways)}
    missing = sorted(used - profile.time.keys())
    if missing:
        text = f"profile '{profile.name}' has no time for {', '.join(missing)}"
        return StepTimes(None, reason=text)
    prices = {name: seconds_of(profile, draws, name) for name in used}
    busy, unsure = _busy(events, prices, draws, steps=counts.steps, overlap=overlap)
    seconds = busy + prices[barrier]
    if ways:
        seconds = seconds + _farthest(ways, prices, steps=counts.steps, draws=draws.draws)
    total = seconds.sum(axis=0)
    guessed = unsure + counts.steps * prices[barrier] * (profile.time[barrier].kind == "assumed")
    kinds = [profile.time[name].kind for name in used]
    kinds += ["assumed"] * any(event.assumed for event in events)
    slowest = _bottleneck(events, profile, counts, overlap=overlap)
    return StepTimes(seconds, busy, guessed / total, weakest(kinds), "", slowest)


def _events(program: Program, profile: CostProfile, counts: CoreCounts) -> Iterator[Event]:
    """Yield every kind of event of the window that takes time; the host's column is left out."""

    def of(counter: str, components: Sequence[str] | None = None) -> Long:
        return counts.of(counter, components=components)[:, 1:]

    active, every = of("neuron_active"), of("neuron_steps")
    found = [
        Event("neuron_active", "neurons", active),
        Event("neuron_inactive", "neurons", every - active),
        Event("neuron_step", "neurons", every),
        Event("spike_out", "neurons", of("spikes_out")),
        Event("axon_out", "neurons", of("axon_out")),
        Event("message", "messages", of("spikes_in")),
    ]
    for name, groups in operations(program, profile.time).items():
        found.append(Event(name, "messages", of("syn_ops", groups)))
    for rule in program.plasticity:
        found.append(_update(rule, counts, of("updates_visited", [rule.synapses])))
    for event in found:
        elsewhere = event.constant in (*FINER, *profile.inside)
        if event.counts.any() and (event.constant in profile.time or not elsewhere):
            yield event


def _update(rule: Plasticity, counts: CoreCounts, visits: Long) -> Event:
    total = int(visits.sum())
    if not total or is_pairwise(rule):
        return Event("synaptic_update", "messages", visits)
    terms = counts.total("rule_terms", components=[rule.synapses])
    return Event("synaptic_update", "messages", visits, update_factor(terms, total))


def _busy(
    events: Sequence[Event],
    prices: Mapping[str, Floats],
    draws: Draws,
    *,
    steps: int,
    overlap: bool,
) -> tuple[Floats, Floats]:
    """Return the slowest core's seconds of every step, (steps, draws), and how many of them, in
    sum, no table covers, (draws,)."""
    busy, unsure = np.zeros((steps, draws.draws)), np.zeros(draws.draws)
    if not events:
        return busy, unsure
    each = max(1, ROOM // (events[0].counts.shape[1] * draws.draws))
    lengths = [
        prices[e.constant] * (draws.between(SCALING, *e.factor) if e.assumed else 1.0)
        for e in events
    ]
    for first in range(0, steps, each):
        part = slice(first, first + each)
        loads = [e.counts[part, :, None] * t for e, t in zip(events, lengths, strict=True)]
        sides = [
            [load for e, load in zip(events, loads, strict=True) if e.side in kind]
            for kind in (SIDES[:1], SIDES[1:])
        ]
        lanes = [np.sum(side, axis=0) for side in sides if side]
        total = np.concatenate(lanes, axis=1) if overlap else np.sum(lanes, axis=0)
        busy[part] = total.max(axis=1)
        guessed = [load for e, load in zip(events, loads, strict=True) if e.assumed]
        if guessed:
            cores = events[0].counts.shape[1]
            slowest = total.argmax(axis=1)[:, None] % cores
            there = np.take_along_axis(np.sum(guessed, axis=0), slowest, axis=1)
            on = total.argmax(axis=1)[:, None] >= (len(lanes) - 1) * cores if overlap else True
            unsure += np.where(on, there, 0.0).sum(axis=(0, 1))
    return busy, unsure


def _ways(program: Program, counts: CoreCounts) -> dict[tuple[int, int], NDArray[np.bool_]]:
    """Return in which steps a message goes so many tiles east or west, and north or south."""
    target = load_target(program.target)
    found: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for sent in counts.traffic.values():
        for home, sender in enumerate(sent.senders):
            _, x, y = tile(target, sender)
            for goal, receiver in enumerate(sent.receivers):
                _, x_to, y_to = tile(target, receiver)
                used = sent.messages[:, home, goal] > 0
                key = abs(x - x_to), abs(y - y_to)
                if any(key) and used.any():
                    found[key] = found.get(key, np.zeros(counts.steps, np.bool_)) | used
    return found


def _farthest(
    ways: Mapping[tuple[int, int], NDArray[np.bool_]],
    prices: Mapping[str, Floats],
    *,
    steps: int,
    draws: int,
) -> Floats:
    longest = np.zeros((steps, draws))
    for (ew, ns), used in ways.items():
        parts = [n * prices[name] for name, n in (("hop_ew", ew), ("hop_ns", ns)) if n]
        longest = np.maximum(longest, used[:, None] * np.sum(parts, axis=0))
    return longest


def _bottleneck(
    events: Sequence[Event], profile: CostProfile, counts: CoreCounts, *, overlap: bool
) -> Bottleneck | None:
    """Return the core that is waited for longest, at the profile's values."""
    if not events:
        return None
    loads = []
    for event in events:
        constant = profile.time[event.constant]
        middle = float(np.sqrt(event.factor[0] * event.factor[1]))
        loads.append(event.counts * (constant.value * constant.scale * middle))
    sides = [
        np.sum([x for e, x in zip(events, loads, strict=True) if e.side == side], axis=0)
        for side in SIDES
        if any(event.side == side for event in events)
    ]
    total = np.max(sides, axis=0) if overlap else np.sum(sides, axis=0)
    slowest = total.argmax(axis=1)
    waited = np.zeros(total.shape[1])
    np.add.at(waited, slowest, total.max(axis=1))
    place = int(waited.argmax())
    steps = slowest == place
    spent: dict[str, float] = {}
    for event, load in zip(events, loads, strict=True):
        spent[event.constant] = spent.get(event.constant, 0.0) + float(load[steps, place].sum())
    event = max(spent, key=lambda name: spent[name])
    every = float(total.max(axis=1).sum())
    share = float(waited[place]) / every if every else 0.0
    return Bottleneck(
        counts.cores[1 + place], share, event, spent[event] / max(sum(spent.values()), 1e-300)
    )
