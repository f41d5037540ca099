"""A number that says where it comes from.

kind        meaning
specified   a word width, table or count that the maker, or the matched simulator, states
measured    measured on silicon
derived     computed from such numbers; the source shows the division
fitted      fitted to silicon by a regression
simulated   simulated before silicon
assumed     nobody has published it; the note says what was taken instead

The table runs from the strongest evidence to the weakest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KINDS = ("specified", "measured", "derived", "fitted", "simulated", "assumed")


def weakest(kinds: Iterable[str]) -> str:
    """Return the weakest of some kinds of evidence; '' if there are none."""
    found = set(kinds)
    return next((kind for kind in reversed(KINDS) if kind in found), "")


@dataclass(frozen=True)
class Number:
    """An integer of a chip; ``value`` is None where a limit does not exist."""

    value: int | None
    unit: str
    source: str
    kind: str
    note: str = ""

    def __int__(self) -> int:
        """Return the value of a number that is no absent limit."""
        assert self.value is not None, f"no limit is no number: {self}"
        return self.value

    def __str__(self) -> str:
        """Return the value with unit and kind."""
        value = "no limit" if self.value is None else self.value
        return f"{value} {self.unit} ({self.kind}: {self.source})"
