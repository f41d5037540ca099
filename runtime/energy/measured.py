"""Joules that a machine really used, read from its own counters, or the reason why not.

    E_r  joules of all domains while run r lasted t_r seconds     total
    P_r  watts of the same domains in an idle time just before    idle
    D_r = E_r - P_r t_r                                           dynamic

Both means over r come with an interval: runs are drawn with replacement (B. Efron, "Bootstrap
methods: another look at the jackknife", Annals of Statistics 7(1):1-26, 1979, doi
10.1214/aos/1176344552), each with its idle time, and the mean of every draw is taken. The domains
hold whole packages: what other programs do at the same time is in E, and in P if they always do it.

A counter that is missing, may not be read, stands still, is read too rarely to know how often it
started anew, or is too coarse for the length of a run gives no joules but a reason. Nothing takes
its place: no rated power, no load.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.energy.draws import Band, Floats, band_of
from hebbite.runtime.energy.nvml import device_of
from hebbite.runtime.energy.powercap import POWERCAP, Domain, Found, domains_of

DRAWS = 1000
CHANGES = 5
"""Changes of a counter that are waited for, to learn how often it is written."""
PATIENCE_S = 2.0
POLL_S = 0.0002
WRITTEN = 100
"""Times that a counter is written in a run, at least: one missed at its ends is 1 % then."""
CEILING_W = 1000.0
"""No domain draws more: a run in which it could use up a counter's whole span is not believed."""


@dataclass(frozen=True)
class Measured:
    """Joules of a run as bands of the mean, or None and why.

    ``dynamic`` may reach below 0 where the machine's idle power varies by more than the run adds.
    ``idle_w`` mean idle power, W; ``seconds`` mean length of a run; ``written_s`` how often the
    slowest counter is written, s; ``domains`` what was added up.
    """

    total: Band | None
    dynamic: Band | None
    repeats: int
    domains: tuple[str, ...] = ()
    idle_w: float | None = None
    seconds: float | None = None
    written_s: float | None = None
    reason: str = ""

    @property
    def separable(self) -> bool:
        """Whether the run is known to use more than the idle machine."""
        return self.dynamic is not None and self.dynamic.low > 0

    def to_json(self) -> dict[str, object]:
        """Return all fields, and whether run and idle time can be told apart."""
        return {**asdict(self), "domains": list(self.domains), "separable": self.separable}


@dataclass(frozen=True)
class Watch:
    """How time is read, and spent, in seconds."""

    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Span:
    """Joules of every domain in some seconds."""

    seconds: float
    joules: tuple[float, ...]

    @property
    def all(self) -> float:
        return sum(self.joules)


def measure_cpu(
    run: Callable[[], object],
    *,
    repeats: int = 5,
    idle_s: float = 10.0,
    root: Path = POWERCAP,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Measured:
    """Measure what the processors and their memory use while ``run`` is called ``repeats`` times.

    Call ``run`` once before, so that compiling is not measured; let it last 10 s or more, pin its
    threads, and leave the machine alone: ``idle_s`` seconds before each call are its baseline.
    ``seed`` draws the interval; ``root`` is the folder of the counters, Linux's powercap.

    Raises:
        UsageError: HB0530, fewer than two repeats, or no idle time.
    """
    return _measure(domains_of(root), run, repeats=repeats, idle_s=idle_s, seed=seed, watch=watch)


def measure_gpu(
    run: Callable[[], object],
    *,
    repeats: int = 5,
    idle_s: float = 10.0,
    device: int = 0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Measured:
    """Measure one NVIDIA device as `measure_cpu` does a processor; needs the package pynvml.

    ``run`` returns when the device has finished.
    """
    return _measure(device_of(device), run, repeats=repeats, idle_s=idle_s, seed=seed, watch=watch)


def _measure(
    found: Found,
    run: Callable[[], object],
    *,
    repeats: int,
    idle_s: float,
    seed: int,
    watch: Watch,
) -> Measured:
    if repeats < 2 or not 0 < idle_s < math.inf:
        what = f"an interval needs two runs and an idle time, not {repeats} and {idle_s} s"
        raise UsageError(Problem("HB0530", what, hint="repeats=5, idle_s=10"))
    domains, reason = found
    names = tuple(domain.name for domain in domains)

    def nothing(why: str) -> Measured:
        return Measured(None, None, repeats, names, reason=f"not measured: {why}")

    if reason:
        return nothing(reason)
    pairs: list[tuple[_Span, _Span]] = []
    try:
        written, reason = _written(domains, watch)
        while not reason and len(pairs) < repeats:
            idle = _span(domains, lambda: watch.sleep(idle_s), watch)
            busy = _span(domains, run, watch)
            reason = _doubt(domains, idle, written) or _doubt(domains, busy, written)
            pairs.append((idle, busy))
    except _Unread as error:
        return nothing(str(error))
    return nothing(reason) if reason else _result(pairs, names, written, seed)


class _Unread(Exception):
    """A counter failed while it was in use; never leaves this module."""


def _readings(domains: Sequence[Domain]) -> list[int]:
    try:
        return [domain.read() for domain in domains]
    except (OSError, ValueError) as error:
        raise _Unread(f"a counter could no longer be read: {error}") from error


def _span(domains: Sequence[Domain], do: Callable[[], object], watch: Watch) -> _Span:
    before, began = _readings(domains), watch.clock()
    do()
    seconds, after = watch.clock() - began, _readings(domains)
    triples = zip(domains, before, after, strict=True)
    return _Span(seconds, tuple(domain.spent(first, last) for domain, first, last in triples))


def _written(domains: Sequence[Domain], watch: Watch) -> tuple[float, str]:
    """Return how many seconds lie between two changes of the slowest counter, or why none."""
    slowest = 0.0
    for domain in domains:
        began, last = watch.clock(), _readings([domain])[0]
        changes: list[float] = []
        while len(changes) <= CHANGES and watch.clock() - began < PATIENCE_S:
            watch.sleep(POLL_S)
            now = _readings([domain])[0]
            if now != last:
                changes.append(watch.clock())
                last = now
        if len(changes) < 2:
            return 0.0, f"the counter of {domain.name} stands still"
        slowest = max(slowest, (changes[-1] - changes[0]) / (len(changes) - 1))
    return slowest, ""


def _doubt(domains: Sequence[Domain], span: _Span, written: float) -> str:
    """Return why a reading cannot be believed; '' if it can."""
    if span.seconds < WRITTEN * written:
        return (
            f"the resolution is too coarse for {span.seconds:.3g} s: counters are written every "
            f"{written:.3g} s, {WRITTEN} times a run are needed"
        )
    for domain, joules in zip(domains, span.joules, strict=True):
        if joules <= 0:
            return f"the counter of {domain.name} stands still"
        if domain.span is not None and span.seconds * CEILING_W > domain.span * domain.unit:
            return (
                f"the counter of {domain.name} may have started anew more than once in "
                f"{span.seconds:.3g} s: make the run shorter"
            )
    return ""


def _result(
    pairs: Sequence[tuple[_Span, _Span]], names: tuple[str, ...], written: float, seed: int
) -> Measured:
    idle = np.array([span.all / span.seconds for span, _ in pairs], np.float64)
    seconds = np.array([span.seconds for _, span in pairs], np.float64)
    total = np.array([span.all for _, span in pairs], np.float64)
    return Measured(
        total=_band(total, seed),
        dynamic=_band(total - idle * seconds, seed),
        repeats=len(pairs),
        domains=names,
        idle_w=float(idle.mean()),
        seconds=float(seconds.mean()),
        written_s=written,
    )


def _band(values: Floats, seed: int) -> Band:
    """Return the band of the mean over runs drawn with replacement; the same draws for all."""
    count = values.size
    drawn = uniform((DRAWS, count), seed=seed, name="measured joules")
    chosen = (drawn * count).astype(np.int64)
    return band_of(values[chosen].mean(axis=1))
