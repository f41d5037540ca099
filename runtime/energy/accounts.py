"""What a run cost: counters x profile, in joules of every draw of the prices.

Three boundaries: ``dynamic`` (the events), ``chip`` (and static power x chips x time), ``board``
(and the stated power of the board x time; nothing is guessed where none is stated). Two totals:
``sourced`` holds published prices only and is null if a count has none; ``assumed`` prices every
count and says which share of it is assumed. All runs, rules and targets of one seed share their
draws (see draws.py), so two accounts can be divided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.draws import Draws, Floats, band_of
from hebbite.runtime.energy.events import SCALING, chips_of
from hebbite.runtime.energy.profile import CostProfile
from hebbite.runtime.energy.terms import Term, terms_of
from hebbite.runtime.energy.time import RunTime, run_time

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


def check_watts(watts: float | None) -> None:
    """Refuse a power that cannot be.

    Raises:
        UsageError: HB0512.
    """
    if watts is not None and not 0 <= watts < np.inf:
        what = f"a board draws a power of 0 W or more, not {watts}"
        raise UsageError(Problem("HB0512", what, hint="add --watts 10"))


def accounts(
    counters: Counters,
    program: Program,
    profile: CostProfile,
    draws: Draws,
    *,
    board_watts: float | None = None,
    window: CoreCounts | None = None,
) -> tuple[Account, ...]:
    """Return the account of every boundary and total, in the order dynamic, chip, board.

    ``board_watts`` is the power of everything around the chips, W; ``window``: samples of the run
    counted by core, from which its time is known.

    Raises:
        UsageError: HB0512, a power that cannot be.
    """
    check_watts(board_watts)
    terms = terms_of(counters, program, profile)
    time = run_time(counters, program, profile, draws, window=window)
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


def ratio(
    one: Account,
    other: Account,
    *,
    part: Callable[[Account], Floats | None] | None = None,
    scale: float = 1.0,
) -> dict[str, float] | None:
    """Return the band of scale x one / other, draw by draw; None if either lacks a price.

    Both must come from one profile and one `Draws`. "one is cheaper" holds where ``high`` < 1 in
    every profile. ``part`` picks what is compared, by default the whole.
    """
    first, second = (account.whole if part is None else part(account) for account in (one, other))
    if first is None or second is None or not second.all():
        return None
    return band_of(scale * first / second).to_json()
