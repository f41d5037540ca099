"""How long a sample takes, between two bounds that the counters prove.

    t = busy + steps (way + barrier)
    busy_c = sum over the events on core c of count x time       (cores work side by side)
    max_c busy_c <= sum over steps of the slowest core <= sum_c busy_c

Counters are sums over a run, so the slowest core of each step is not known; busy is drawn
log-uniformly between the two bounds. A population that is split is taken to share its work evenly.
``way`` is the farthest message's hops, ``barrier`` the synchronisation of the mesh, once a step.
What graded messages, traces and resets add is in no table and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.placement import cores_of, longest_way
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.compiler.targets import load_target, weakest
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.draws import Band, Draws, Floats, band_of
from hebbite.runtime.energy.profile import CostProfile
from hebbite.runtime.energy.terms import counted, is_pairwise, update_factor

SCALING = "update_scaling"
"""The name under which the factor of a rule that is not pairwise STDP is drawn."""


@dataclass(frozen=True)
class Load:
    """``count`` events of a core, each as long as ``constant`` x a factor in ``factor``."""

    constant: str
    count: float
    factor: tuple[float, float] = (1.0, 1.0)

    @property
    def assumed(self) -> bool:
        """Whether no table covers the event."""
        return self.factor != (1.0, 1.0)


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


def chips_of(program: Program) -> int:
    """Return the number of chips on which populations stand."""
    each = int(load_target(program.target).cores_per_chip)
    return len({core // each for p in program.populations for core in cores_of(p)})


def time_per_sample(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    *,
    samples: int,
    draws: int = 1000,
    seed: int = 0,
) -> TimeEstimate:
    """Return the time of a sample in s, of a run of ``samples`` samples."""
    found = run_time(counters, program, profile, Draws(seed, draws))
    if found.seconds is None:
        return TimeEstimate(None, found.evidence, found.reason)
    if samples < 1:
        return TimeEstimate(None, "none", "no sample was counted")
    return TimeEstimate(band_of(found.seconds / samples), found.evidence)


def run_time(counters: Counters, program: Program, profile: CostProfile, draws: Draws) -> RunTime:
    """Return the time of a whole run."""
    steps = counters.total("steps")
    if not steps:
        return RunTime(None, reason="no step was counted")
    work = _work(counters, program)
    barrier = "barrier" if chips_of(program) == 1 else "barrier_chips"
    ways = dict(zip(("hop_ew", "hop_ns"), longest_way(program), strict=True))
    used = {load.constant for loads in work.values() for load in loads}
    used |= {barrier, *(name for name, count in ways.items() if count)}
    missing = sorted(used - profile.time.keys())
    if missing:
        text = f"profile '{profile.name}' has no time for {', '.join(missing)}"
        return RunTime(None, reason=text)
    prices = {name: _seconds(profile, draws, name) for name in used}
    zero = np.zeros(draws.draws)
    step = prices[barrier] + sum((prices[n] * c for n, c in ways.items() if c), zero)
    cores = [sum((_length(x, prices, draws) for x in loads), zero) for loads in work.values()]
    unsure = [load for loads in work.values() for load in loads if load.assumed]
    every = np.sum(cores, axis=0)
    share = np.divide(
        sum((_length(load, prices, draws) for load in unsure), zero),
        every,
        out=np.zeros_like(every),
        where=every > 0,
    )
    busy = _busy(np.stack(cores), draws)
    seconds = busy + steps * step
    guessed = share * busy + steps * prices[barrier] * (profile.time[barrier].kind == "assumed")
    kinds = [profile.time[name].kind for name in used] + ["assumed"] * bool(unsure)
    return RunTime(seconds, guessed / seconds, weakest(kinds))


def _busy(loads: Floats, draws: Draws) -> Floats:
    """Return a draw between the fullest core and the sum of all, (cores, draws) -> (draws,)."""
    low, high = loads.max(axis=0), loads.sum(axis=0)
    ratio = np.divide(high, low, out=np.ones_like(low), where=low > 0)
    return np.asarray(low * ratio ** draws.quantiles("overlap"), np.float64)


def _seconds(profile: CostProfile, draws: Draws, name: str) -> Floats:
    constant = profile.time[name]
    return constant.scale * draws.between(f"time.{name}", constant.low, constant.high)


def _length(load: Load, prices: Mapping[str, Floats], draws: Draws) -> Floats:
    factor = draws.between(SCALING, *load.factor) if load.assumed else 1.0
    return np.asarray(load.count * prices[load.constant] * factor, np.float64)


def _work(counters: Counters, program: Program) -> dict[int, list[Load]]:
    """Return the loads of every core; a component shares its events evenly among its cores."""
    rules = {rule.synapses: rule for rule in program.plasticity}
    work: dict[int, list[Load]] = {}

    def put(cores: tuple[int, ...], loads: Iterable[Load]) -> None:
        for core in cores:
            shares = (replace(load, count=load.count / len(cores)) for load in loads if load.count)
            work.setdefault(core, []).extend(shares)

    for population in program.populations:
        active = _count(counters, "neuron_active", population.name)
        idle = _count(counters, "neuron_steps", population.name) - active
        loads = [Load("neuron_active", active), Load("neuron_inactive", idle)]
        put(cores_of(population), loads)
    for group in program.synapses:
        loads = [
            Load("message", _count(counters, "spikes_in", group.name)),
            Load("synaptic_op", _count(counters, "syn_ops", group.name)),
        ]
        if group.name in rules:
            loads.append(_learning(counters, rules[group.name]))
        put(cores_of(program.population(group.post)), loads)
    return work


def _learning(counters: Counters, rule: Plasticity) -> Load:
    visits = _count(counters, "updates_visited", rule.synapses)
    if not visits or is_pairwise(rule):
        return Load("synaptic_update", visits)
    terms = _count(counters, "rule_terms", rule.synapses)
    return Load("synaptic_update", visits, update_factor(terms, visits))


def _count(counters: Counters, counter: str, component: str) -> int:
    return sum(counted(counters, counter, [component]))
