"""Which rule costs less: claimed only where every profile says so.

In: the rows of a comparison. Out: for two rows of one objective and target, and every profile, the
band of the ratio of their joules, draw by draw of the prices (`energy.draws`): what is uncertain
about both alike cancels.

    ratio = (E_one / N_one) / (E_other / N_other)

E are the joules of all phases of the training (boundary dynamic, total assumed), N the samples
learnt from. One is cheaper where the 95 % quantile lies below 1 in every profile, dearer where the
5 % quantile lies above 1 in every one; all else is not separable.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hebbite.runtime.energy import Account, CostProfile, Draws, accounts, ratio
from hebbite.runtime.row import Row

Verdict = Literal["cheaper", "dearer", "not separable"]
BOUNDARY, TOTAL = "dynamic", "assumed"
DRAWS = 1000


@dataclass(frozen=True)
class Pair:
    """Two rows of a comparison by number, and the band of one / other by profile.

    A profile without a price of one of the two says nothing: its band is None.
    """

    one: int
    other: int
    ratios: Mapping[str, Mapping[str, float] | None]

    @property
    def verdict(self) -> Verdict:
        """What all profiles agree upon."""
        bands = list(self.ratios.values())
        known = [band for band in bands if band is not None]
        if known and len(known) == len(bands):
            if all(band["high"] < 1 for band in known):
                return "cheaper"
            if all(band["low"] > 1 for band in known):
                return "dearer"
        return "not separable"

    def to_json(self) -> dict[str, object]:
        """Return plain data; the numbers are those of the rows."""
        bands = {name: None if band is None else dict(band) for name, band in self.ratios.items()}
        return {"one": self.one, "other": self.other, "ratios": bands, "verdict": self.verdict}


def pairs_of(rows: Sequence[Row]) -> tuple[Pair, ...]:
    """Return every two rows of one objective and target."""
    profiles = rows[0].profiles if rows else ()
    spent = [{profile.name: _spent(row, profile) for profile in profiles} for row in rows]
    found = []
    for one, other in itertools.combinations(range(len(rows)), 2):
        if _place(rows[one]) == _place(rows[other]):
            scale = rows[other].samples / rows[one].samples
            ratios = {
                profile.name: ratio(
                    spent[one][profile.name], spent[other][profile.name], scale=scale
                )
                for profile in profiles
            }
            found.append(Pair(one, other, ratios))
    return tuple(found)


def cheaper_than(rows: Sequence[Row], pairs: Sequence[Pair]) -> dict[int, tuple[int, ...]]:
    """Return row -> the rows that cost more than it does."""
    found: dict[int, list[int]] = {number: [] for number in range(len(rows))}
    for pair in pairs:
        if pair.verdict == "cheaper":
            found[pair.one].append(pair.other)
        elif pair.verdict == "dearer":
            found[pair.other].append(pair.one)
    return {number: tuple(sorted(others)) for number, others in found.items()}


def _place(row: Row) -> tuple[str, str]:
    return row.model.objective.text, row.model.program.target


def _spent(row: Row, profile: CostProfile) -> Account:
    every = accounts(row.counters, row.model.program, profile, Draws(0, DRAWS))
    return next(a for a in every if (a.boundary, a.total) == (BOUNDARY, TOTAL))
