"""Rows of weights that change, added and counted at once: they are read once for both.

Only of spikes through matrices, by 16-bit sums, which hold 127 rows of such weights. How many
weights of a line are not 0 nobody else asks of such a group.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import Narrow, apart, part
from hebbite.runtime.engines.native.llvm import HELD
from hebbite.runtime.engines.native.plan import Short, Word
from hebbite.runtime.engines.native.spread import put_sums
from hebbite.runtime.engines.native.tallies import take_tallies

BITS = 8
"""Weights lie in -2^8..2^8 - 1."""
ROWS = 127
"""Rows that a 16-bit sum holds: 127 * 2^8 < 2^15."""


@apart
def sum_recounted(
    due: Word, sums: Short, zeros: Short, weights: Short, ids: Word, count: int, up: Narrow
) -> int:
    """Fill ``due`` (neurons,) with the rows of ``count`` lines, times 2^up, by 16-bit ``sums``;
    return how many weights that are not 0 they have. ``zeros``: tallies of those that are.
    """
    size, done, met = due.shape[0], 0, count * due.shape[0]
    while done < count:
        last = min(count, done + ROWS)
        sums[:size], zeros[:size] = 0, 0
        add_recounted(sums, zeros, weights, ids[done:], last - done, size)
        met -= take_tallies(zeros, size)
        done = last
        put_sums(due, sums, up, last > ROWS)
    return met


@apart
def add_recounted(
    sums: Short, zeros: Short, weights: Short, ids: Word, count: int, size: int
) -> None:
    """Add the rows of ``count`` lines to ``sums`` (neurons,), and `HELD` to ``zeros`` for every
    weight of 0, several rows at a time.
    """
    done = 0
    while done + 8 <= count:
        eight_recounted(sums, zeros, weights, ids[done:], size)
        done += 8
    while done + 4 <= count:
        four_recounted(sums, zeros, weights, ids[done:], size)
        done += 4
    while done < count:
        row = weights[ids[done] * size :]
        for j in range(size):
            sums[j] += row[j]
            zeros[j] += HELD * (row[j] == 0)
        done += 1


@apart
def four_recounted(sums: Short, zeros: Short, weights: Short, ids: Word, size: int) -> None:
    """Add and count the rows of the first four lines of ``ids``."""
    recount_together(sums, zeros, weights, ids, size, 4)


@apart
def eight_recounted(sums: Short, zeros: Short, weights: Short, ids: Word, size: int) -> None:
    """Add and count the rows of the first eight lines of ``ids``."""
    recount_together(sums, zeros, weights, ids, size, 8)


@part
def recount_together(
    sums: Short, zeros: Short, weights: Short, ids: Word, size: int, rows: int
) -> None:
    """Add and count as many rows as the source of the caller says."""
    for j in range(size):
        total, empty = 0, 0
        for r in range(rows):
            weight = weights[ids[r] * size + j]
            total += weight
            empty += HELD * (weight == 0)
        sums[j] += total
        zeros[j] += empty
