"""The events of cores that take time: which constant says how long, and on which side of the core.

side      events
neurons   neuron_active, neuron_inactive, neuron_step, spike_out (spikes_out), axon_out
messages  message (spikes_in), synaptic_op (syn_ops), synaptic_update (updates_visited)

What a profile cuts finer or holds inside another constant is as in terms.py. What graded messages,
traces and resets add is in no table and is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import cores_of, tile
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.compiler.targets import load_target
from hebbite.runtime.energy.draws import Draws, Floats
from hebbite.runtime.energy.profile import FINER, CostProfile
from hebbite.runtime.energy.terms import is_pairwise, operations, update_factor

Counts = NDArray[np.int64] | Floats
"""Counts of one event, (steps, cores): whole where they are known by core, else shares."""
SCALING = "update_scaling"
"""The name under which the factor of a rule that is not pairwise STDP is drawn."""
SIDES = ("neurons", "messages")
HOPS = ("hop_ew", "hop_ns")
_BARRIER_FROM = "barrier_from_"


@dataclass(frozen=True, eq=False)
class Event:
    """``counts`` (steps, cores) of one kind, each as long as ``constant`` x a factor in
    ``factor``."""

    constant: str
    side: str
    counts: Counts
    factor: tuple[float, float] = (1.0, 1.0)

    @property
    def assumed(self) -> bool:
        """Whether no table covers the event."""
        return self.factor != (1.0, 1.0)


class Counted(Protocol):
    """Gives one counter of some components, or of all, (steps, cores)."""

    def __call__(self, counter: str, components: Sequence[str] | None = None) -> Counts:
        """Return the counts."""


def events_of(program: Program, profile: CostProfile, of: Counted) -> list[Event]:
    """Return every kind of event that takes time and happened."""
    return [
        event
        for event in _all_events(program, profile, of)
        if event.counts.any()
        and (event.constant in profile.time or event.constant not in (*FINER, *profile.inside))
    ]


def _all_events(program: Program, profile: CostProfile, of: Counted) -> Iterator[Event]:
    active, every = of("neuron_active"), of("neuron_steps")
    yield Event("neuron_active", "neurons", active)
    yield Event("neuron_inactive", "neurons", every - active)
    yield Event("neuron_step", "neurons", every)
    yield Event("spike_out", "neurons", of("spikes_out"))
    yield Event("axon_out", "neurons", of("axon_out"))
    yield Event("message", "messages", of("spikes_in"))
    for name, groups in operations(program, profile.time).items():
        yield Event(name, "messages", of("syn_ops", groups))
    for rule in program.plasticity:
        yield _update(rule, of)


def _update(rule: Plasticity, of: Counted) -> Event:
    visits = of("updates_visited", [rule.synapses])
    if is_pairwise(rule) or not visits.any():
        return Event("synaptic_update", "messages", visits)
    terms = round(float(of("rule_terms", [rule.synapses]).sum()))
    factor = update_factor(terms, round(float(visits.sum())))
    return Event("synaptic_update", "messages", visits, factor)


def free_hops(profile: CostProfile) -> tuple[bool, bool]:
    """Return whether a hop east or west, north or south is inside of what else takes time."""
    ew, ns = (name in profile.inside and name not in profile.time for name in HOPS)
    return ew, ns


def without_time(profile: CostProfile, used: Collection[str]) -> str:
    """Return which constants a profile has no time for, as a reason; '' if it has all."""
    missing = sorted(set(used) - profile.time.keys())
    return f"profile '{profile.name}' has no time for {', '.join(missing)}" if missing else ""


def seconds_of(profile: CostProfile, draws: Draws, name: str) -> Floats:
    """Return the seconds that one event takes, (draws,)."""
    constant = profile.time[name]
    return constant.scale * draws.between(f"time.{name}", constant.low, constant.high)


def chips_of(program: Program) -> int:
    """Return the number of chips on which populations stand."""
    each = int(load_target(program.target).cores_per_chip)
    return len({core // each for p in program.populations for core in cores_of(p)})


def tiles_of(program: Program) -> int:
    """Return the number of tiles on which populations stand."""
    target = load_target(program.target)
    return len({tile(target, core) for p in program.populations for core in cores_of(p)})


def barrier_of(program: Program, profile: CostProfile) -> str:
    """Return the constant that says how long the synchronisation of a step takes.

    ``barrier_chips`` on several chips, else the ``barrier_from_N`` with the largest N that the
    tiles in use reach, else ``barrier``.
    """
    if chips_of(program) > 1:
        return "barrier_chips"
    known = barriers_of(profile)
    return known[max((tiles for tiles in known if tiles <= tiles_of(program)), default=1)]


def barriers_of(profile: CostProfile) -> dict[int, str]:
    """Return the constants of one chip's barrier by the smallest number of tiles that they hold
    for."""
    named = [name for name in profile.time if name.startswith(_BARRIER_FROM)]
    return {1: "barrier"} | {int(name.removeprefix(_BARRIER_FROM)): name for name in named}
