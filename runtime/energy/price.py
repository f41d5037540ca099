"""What a run cost: counters x profile, as bands, in the rows that reports print.

Three boundaries: ``dynamic`` (the events), ``chip`` (and static power x chips x time), ``board``
(and the stated power of the board x time; nothing is guessed where none is stated). Two totals:
``sourced`` holds published prices only and is null if a count has none; ``assumed`` prices every
count and says which share of it is assumed. Bands are the 5 % and 95 % quantiles over draws that
all runs, rules and targets of one seed share (see draws.py), so two rows can be divided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import weakest
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.draws import Draws, Floats, band_of
from hebbite.runtime.energy.profile import CostProfile
from hebbite.runtime.energy.terms import Term, terms_of
from hebbite.runtime.energy.time import SCALING, RunTime, chips_of, run_time

BOUNDARIES = ("dynamic", "chip", "board")
TOTALS = ("sourced", "assumed")


@dataclass(frozen=True, eq=False)
class Account:
    """Joules of a whole run inside one boundary, one a draw.

    ``whole`` and ``learning`` (a part of whole) are None where a price is missing, with the
    ``reason``; ``assumed`` is the part of whole whose price is assumed.
    """

    boundary: str
    total: str
    whole: Floats | None
    learning: Floats | None
    assumed: Floats
    kinds: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    reason: str = ""

    @property
    def assumed_share(self) -> float:
        """Mean over draws of assumed / whole; 0 if there is no total."""
        if self.whole is None or not self.whole.any():
            return 0.0
        return float(np.mean(self.assumed / self.whole))


def accounts(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    draws: Draws,
    *,
    board_watts: float | None = None,
) -> tuple[Account, ...]:
    """Return the account of every boundary and total, in the order dynamic, chip, board.

    ``board_watts`` is the power of everything around the chips, W.

    Raises:
        UsageError: HB0512, a power that cannot be.
    """
    if board_watts is not None and not 0 <= board_watts < np.inf:
        what = f"a board draws a power of 0 W or more, not {board_watts}"
        raise UsageError(Problem("HB0512", what, hint="add --watts 10"))
    terms = terms_of(counters, program)
    time = run_time(counters, program, profile, draws)
    late = counters.total("steps", phase="learning") / max(counters.total("steps"), 1)
    found: list[Account] = []
    for total in TOTALS:
        dynamic = _dynamic(terms, profile, draws, total)
        chip = _chip(dynamic, time, profile, draws, chips_of(program), late)
        found += [dynamic, chip, _board(chip, time, board_watts, late)]
    return tuple(sorted(found, key=lambda account: BOUNDARIES.index(account.boundary)))


def _dynamic(terms: tuple[Term, ...], profile: CostProfile, draws: Draws, total: str) -> Account:
    priced = [term for term in terms if term.constant in profile.energy]
    if total == "sourced":
        priced = [term for term in priced if not _is_assumed(term, profile)]
    missing = [term for term in terms if term not in priced]
    zero = np.zeros(draws.draws)
    costs = [(term, _cost(term, profile, draws)) for term in priced]
    late = any(term.counts[1] for term in missing)
    names = tuple(dict.fromkeys(term.label for term in missing))
    return Account(
        "dynamic",
        total,
        whole=None if missing else sum((sum(t.counts) * cost for t, cost in costs), zero),
        learning=None if late else sum((t.counts[1] * cost for t, cost in costs), zero),
        assumed=sum((sum(t.counts) * c for t, c in costs if _is_assumed(t, profile)), zero),
        kinds=tuple(
            "assumed" if _is_assumed(term, profile) else profile.energy[term.constant].kind
            for term in priced
        ),
        unpriced=names,
        reason=f"no {'published ' * (total == 'sourced')}price for {', '.join(names)}",
    )


def _is_assumed(term: Term, profile: CostProfile) -> bool:
    return bool(term.beyond) or profile.energy[term.constant].kind == "assumed"


def _cost(term: Term, profile: CostProfile, draws: Draws) -> Floats:
    """Return joules of one event, (draws,)."""
    constant = profile.energy[term.constant]
    cost = constant.scale * draws.between(f"energy.{term.constant}", constant.low, constant.high)
    return cost * draws.between(SCALING, *term.factor) if term.factor != (1.0, 1.0) else cost


def _chip(
    inner: Account, time: RunTime, profile: CostProfile, draws: Draws, chips: int, late: float
) -> Account:
    outer = replace(inner, boundary="chip")
    static = profile.power.get("static")
    if static is None or time.seconds is None or time.assumed is None:
        return _without(outer, time.reason or f"profile '{profile.name}' has no static power")
    kinds = (static.kind, time.evidence)
    if "assumed" in kinds and inner.total == "sourced":
        outer = replace(outer, unpriced=(*outer.unpriced, "static (time is assumed)"))
        return _without(outer, f"no published price for {', '.join(outer.unpriced)}")
    power = static.scale * draws.between("power.static", static.low, static.high)
    share = 1.0 if static.kind == "assumed" else time.assumed
    added = power * chips * time.seconds
    return _with(outer, added, late, assumed=share * added, kinds=kinds)


def _board(inner: Account, time: RunTime, watts: float | None, late: float) -> Account:
    outer = replace(inner, boundary="board")
    if watts is None:
        return _without(outer, "no power of the board was given: add --watts")
    if inner.total == "sourced":
        return _without(outer, "the power of the board is given, not published")
    if time.seconds is None:
        return _without(outer, time.reason)
    added = watts * time.seconds
    return _with(outer, added, late, assumed=added, kinds=("assumed",))


def _without(account: Account, reason: str) -> Account:
    nothing = np.zeros_like(account.assumed)
    return replace(account, whole=None, learning=None, assumed=nothing, kinds=(), reason=reason)


def _with(
    account: Account, added: Floats, late: float, *, assumed: Floats, kinds: tuple[str, ...]
) -> Account:
    """Return the account with energy that runs all the time; learning pays for its own steps."""
    whole, learning = account.whole, account.learning
    return replace(
        account,
        whole=None if whole is None else whole + added,
        learning=None if learning is None else learning + late * added,
        assumed=account.assumed + assumed,
        kinds=(*account.kinds, *kinds),
    )


def price(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    *,
    samples: int,
    draws: int = 1000,
    seed: int = 0,
    samples_per_epoch: int | None = None,
    board_watts: float | None = None,
) -> list[dict[str, object]]:
    """Return the energy rows of a run over ``samples`` samples, one a boundary and total.

    Joules a sample (inference and learning), of learning a sample, a visited synapse, a changed
    weight, and an epoch of ``samples_per_epoch`` samples. A null has its reason in ``reasons``.

    Raises:
        UsageError: HB0512, no sample, no draw, or a power that cannot be.
    """
    if samples < 1:
        raise UsageError(Problem("HB0512", f"energy a sample needs samples, not {samples}"))
    cross = profile.target != program.target
    per = {
        "per_sample_j": (1 / samples, ""),
        "learning_per_sample_j": (1 / samples, ""),
        "per_visit_j": _per(counters.total("updates_visited"), "no synapse was visited"),
        "per_change_j": _per(counters.total("updates_changed"), "no weight changed"),
        "per_epoch_j": _epoch(samples, samples_per_epoch),
    }
    return [
        _row(account, profile, cross, per)
        for account in accounts(
            counters, program, profile, Draws(seed, draws), board_watts=board_watts
        )
    ]


def _per(count: int, reason: str) -> tuple[float, str]:
    return (1 / count, "") if count else (0.0, reason)


def _epoch(samples: int, each: int | None) -> tuple[float, str]:
    return (0.0, "the samples of an epoch are not known") if each is None else (each / samples, "")


def _row(
    account: Account, profile: CostProfile, cross: bool, per: dict[str, tuple[float, str]]
) -> dict[str, object]:
    row: dict[str, object] = {
        "profile": profile.name,
        "boundary": account.boundary,
        "total": account.total,
        "assumed_share": account.assumed_share,
        "cross_chip": cross,
    }
    reasons = {}
    for key, (factor, reason) in per.items():
        joules = account.whole if key in ("per_sample_j", "per_epoch_j") else account.learning
        why = account.reason if joules is None else reason
        known = joules is not None and not why
        row[key] = band_of(joules * factor).to_json() if joules is not None and known else None
        if why:
            reasons[key] = why
    for key in ("to_accuracy_j", "per_decrease_j"):
        row[key] = None
        reasons[key] = "needs a training curve"
    row["evidence"] = _evidence(account, cross)
    row["unpriced"] = list(account.unpriced)
    row["reasons"] = reasons
    return row


def _evidence(account: Account, cross: bool) -> str:
    if account.whole is None and account.learning is None:
        return "none"
    return (weakest(account.kinds) or "none") + ", cross-chip" * cross


def ratio(
    one: Account, other: Account, *, part: Callable[[Account], Floats | None] | None = None
) -> dict[str, float] | None:
    """Return the band of one / other, draw by draw; None if either lacks a price.

    Both must come from one profile and one `Draws`. "one is cheaper" holds where ``high`` < 1 in
    every profile. ``part`` picks what is compared, by default the whole.
    """
    first, second = (account.whole if part is None else part(account) for account in (one, other))
    if first is None or second is None or not second.all():
        return None
    return band_of(first / second).to_json()
