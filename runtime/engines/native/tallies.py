"""Tallies: how many weights of rows have some property, counted by neuron while the rows are read.

What is counted in the lanes of a row is summed up once for many rows: of a short one that would
take longer than all else.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import apart
from hebbite.runtime.engines.native.llvm import HELD
from hebbite.runtime.engines.native.plan import Short

TALLIED = 8192
"""Rows that a tally of 16 bits holds: `HELD` times as many are less than 2^15."""


@apart
def take_tallies(tallies: Short, size: int) -> int:
    """Return how many weights the first ``size`` tallies hold, `HELD` each; clear them."""
    total = 0
    for j in range(size):
        total += tallies[j]
        tallies[j] = 0
    return total // HELD
