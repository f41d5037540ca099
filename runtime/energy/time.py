"""How long a run takes: from a window whose steps are known, or between two bounds.

    t = busy + steps (way + barrier)
    busy_c = sum over the events on core c of count x time       (cores work side by side)
    max_c busy_c <= sum over steps of the slowest core <= sum_c busy_c

With a window of samples that was counted by core, a run takes its steps x the mean step of the
window, the farthest message of every step included (see steps.py): exact where the run is the
window. Without one, counters are sums over a run, so the slowest core of each step is not known;
busy is drawn log-uniformly between the two bounds, and a population that is split is taken to share
its work evenly. ``way`` is then the farthest message that could be sent, ``barrier`` the
synchronisation of the mesh, once a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.placement import cores_of, longest_way
from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import weakest
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.draws import Band, Draws, Floats, band_of
from hebbite.runtime.energy.events import (
    HOPS,
    SCALING,
    Counts,
    barrier_of,
    events_of,
    free_hops,
    seconds_of,
    without_time,
)
from hebbite.runtime.energy.profile import CostProfile
from hebbite.runtime.energy.steps import step_times
from hebbite.runtime.energy.terms import counted


@dataclass(frozen=True, eq=False)
class RunTime:
    """Seconds that a whole run takes, one a draw; None with the reason if a price is missing.

    ``assumed`` is the part of ``seconds`` in [0, 1] that no table covers.
    """

    seconds: Floats | None
    assumed: Floats | None = None
    evidence: str = "none"
    reason: str = ""


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds a sample, or None with the reason; ``evidence`` is the weakest kind used."""

    band: Band | None
    evidence: str
    reason: str = ""


def time_per_sample(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    *,
    samples: int,
    draws: int = 1000,
    seed: int = 0,
    window: CoreCounts | None = None,
) -> TimeEstimate:
    """Return the time of a sample in s, of a run of ``samples`` samples."""
    found = run_time(counters, program, profile, Draws(seed, draws), window=window)
    if found.seconds is None:
        return TimeEstimate(None, found.evidence, found.reason)
    if samples < 1:
        return TimeEstimate(None, "none", "no sample was counted")
    return TimeEstimate(band_of(found.seconds / samples), found.evidence)


def run_time(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    draws: Draws,
    *,
    window: CoreCounts | None = None,
) -> RunTime:
    """Return the time of a whole run.

    ``window``: samples of the same program that do what the run does, counted by core.
    """
    steps = counters.total("steps")
    if not steps:
        return RunTime(None, reason="no step was counted")
    if window is None:
        return _between_bounds(counters, program, profile, draws, steps)
    found = step_times(program, profile, window, draws)
    if found.seconds is None:
        return RunTime(None, reason=found.reason)
    mean = np.asarray(found.seconds.mean(axis=0), np.float64)
    return RunTime(steps * mean, found.assumed, found.evidence)


def _between_bounds(
    counters: Counters, program: Program, profile: CostProfile, draws: Draws, steps: int
) -> RunTime:
    def of(counter: str, components: Sequence[str] | None = None) -> Counts:
        return _shared(counters, program, counter, components)

    events = events_of(program, profile, of)
    barrier = barrier_of(program, profile)
    free = free_hops(profile)
    longest = zip(HOPS, longest_way(program), free, strict=True)
    ways = {name: count for name, count, inside in longest if count and not inside}
    used = {event.constant for event in events} | {barrier, *ways}
    if reason := without_time(profile, used):
        return RunTime(None, reason=reason)
    prices = {name: seconds_of(profile, draws, name) for name in used}
    zero = np.zeros(draws.draws)
    step = prices[barrier] + sum((prices[n] * c for n, c in ways.items()), zero)
    cores, unsure = np.zeros((len(_cores(program)), draws.draws)), zero
    for event in events:
        factor = draws.between(SCALING, *event.factor) if event.assumed else 1.0
        load = event.counts[0][:, None] * (prices[event.constant] * factor)
        cores = cores + load
        unsure = unsure + load.sum(axis=0) * event.assumed
    every = cores.sum(axis=0)
    share = np.divide(unsure, every, out=np.zeros_like(every), where=every > 0)
    busy = _busy(cores, draws)
    seconds = busy + steps * step
    guessed = share * busy + steps * prices[barrier] * (profile.time[barrier].kind == "assumed")
    kinds = [profile.time[name].kind for name in used]
    kinds += ["assumed"] * any(event.assumed for event in events)
    return RunTime(seconds, guessed / seconds, weakest(kinds))


def _busy(loads: Floats, draws: Draws) -> Floats:
    """Return a draw between the fullest core and the sum of all, (cores, draws) -> (draws,)."""
    low, high = loads.max(axis=0), loads.sum(axis=0)
    ratio = np.divide(high, low, out=np.ones_like(low), where=low > 0)
    return np.asarray(low * ratio ** draws.quantiles("overlap"), np.float64)


def _cores(program: Program) -> tuple[int, ...]:
    return tuple(sorted({core for p in program.populations for core in cores_of(p)}))


def _shared(
    counters: Counters, program: Program, counter: str, components: Sequence[str] | None
) -> Floats:
    """Return a counter of a whole run as one step, (1, cores): each component shares its own evenly
    among the cores that are charged."""
    cores = _cores(program)
    row = np.zeros((1, len(cores)))
    for name, own in _charged(program, counter):
        if components is None or name in components:
            count = sum(counted(counters, counter, [name]))
            for core in own:
                row[0, cores.index(core)] += count / len(own)
    return row


def _charged(program: Program, counter: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield every component that counts, and the cores that are charged."""
    for population in program.populations:
        yield population.name, cores_of(population)
    known = {population.name for population in program.populations}
    for group in program.synapses:
        end = group.pre if counter == "axon_out" and group.pre in known else group.post
        yield group.name, cores_of(program.population(end))
