"""The energy rows that reports print: accounts as bands a sample, a visit, a gain.

In: counters of a run, its program and a profile, and what the run bought. Out: a row a boundary and
total (see accounts.py). Bands are the 5 % and 95 % quantiles over the draws of the prices.
"""

from __future__ import annotations

from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import weakest
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.accounts import Account, accounts
from hebbite.runtime.energy.draws import Draws, Floats, band_of
from hebbite.runtime.energy.gains import UNKNOWN, Gains, nothing_spent
from hebbite.runtime.energy.profile import CostProfile

Share = tuple[float, str]
"""What joules are multiplied by, or the reason why there is no such share."""


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
    gains: Gains = UNKNOWN,
    window: CoreCounts | None = None,
) -> list[dict[str, object]]:
    """Return the energy rows of a run over ``samples`` samples, one a boundary and total.

    Joules a sample (inference and learning), of learning a sample, a visited synapse, a changed
    weight, of an epoch of ``samples_per_epoch`` samples, and by what was bought (see gains.py). A
    null has its reason in ``reasons``. ``training_over_inference``: all joules over those of the
    inference phase, what a sample costs that is learnt from in samples that are only answered.
    ``window``: samples of the run counted by core, from which its time is known.

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
        "to_accuracy_j": gains.to_accuracy,
        "per_decrease_j": gains.per_decrease,
    }
    drawn = Draws(seed, draws)
    spent = accounts(counters, program, profile, drawn, board_watts=board_watts, window=window)
    until = spent
    if gains.until is not None and gains.until.total("steps"):
        until = accounts(
            gains.until, program, profile, drawn, board_watts=board_watts, window=window
        )
    elif gains.until is not None:
        until = tuple(nothing_spent(account) for account in spent)
    pairs = zip(spent, until, strict=True)
    return [_row(account, reaching, profile, cross, per) for account, reaching in pairs]


def _per(count: int, reason: str) -> Share:
    return (1 / count, "") if count else (0.0, reason)


def _epoch(samples: int, each: int | None) -> Share:
    return (0.0, "the samples of an epoch are not known") if each is None else (each / samples, "")


def _row(
    account: Account, until: Account, profile: CostProfile, cross: bool, per: dict[str, Share]
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
        joules = _joules(key, account, until)
        why = account.reason if joules is None else reason
        known = joules is not None and not why
        row[key] = band_of(joules * factor).to_json() if joules is not None and known else None
        if why:
            reasons[key] = why
    times = row["training_over_inference"] = _over_inference(account)
    if times is None:
        reasons["training_over_inference"] = account.reason or "inference cost nothing"
    row["evidence"] = _evidence(account, cross)
    row["unpriced"] = list(account.unpriced)
    row["reasons"] = reasons
    return row


def _over_inference(account: Account) -> dict[str, float] | None:
    """Return the band of all joules over those of the inference phase; None without a price."""
    if account.whole is None or account.learning is None:
        return None
    inference = account.whole - account.learning
    return band_of(account.whole / inference).to_json() if inference.all() else None


def _joules(key: str, account: Account, until: Account) -> Floats | None:
    """Return what a column divides: all phases, of a part or the whole of the run, or learning."""
    if key == "to_accuracy_j":
        return until.whole
    return account.whole if key in ("per_sample_j", "per_epoch_j") else account.learning


def _evidence(account: Account, cross: bool) -> str:
    if account.whole is None and account.learning is None:
        return "none"
    return (weakest(account.kinds) or "none") + ", cross-chip" * cross
