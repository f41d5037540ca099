"""Rows of weights that change, added and counted at once: they are read once for both.

Only of spikes through matrices, by 16-bit sums, which hold 127 rows of such weights. How many
weights of a line are not 0 nobody else asks of such a group.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.counts import filled
from hebbite.runtime.engines.native.language import Half, Narrow, apart, part
from hebbite.runtime.engines.native.llvm import HELD
from hebbite.runtime.engines.native.plan import ALL, Byte, Short, Word
from hebbite.runtime.engines.native.spread import put_sums, reach

BITS = 8
"""Weights lie in -2^8..2^8 - 1."""
ROWS = 127
"""Rows that a 16-bit sum holds: 127 * 2^8 < 2^15."""
LANES = 64
"""Elements that a loop takes at once. Rows are read in whole ones, on into the next row or `BEHIND`
the last one: the few that are left over would take as long as three times as many.
"""
WIDEST = 2688
"""Elements of eight rows of which a 16-bit number counts all: 8 * `HELD` * 2688 < 2^16."""


@apart
def sum_recounted(
    due: Word, sums: Short, ramp: Short, weights: Short, ids: Word, count: int, up: Narrow
) -> int:
    """Fill ``due`` (neurons,) with the rows of ``count`` lines, times 2^up, by 16-bit ``sums``;
    return how many weights that are not 0 they have. ``ramp``: -1, and 0 in the last `LANES`.
    """
    size, done, met = due.shape[0], 0, count * due.shape[0]
    ends = ramp[ramp.shape[0] - LANES - size :]
    while done < count:
        last, first = min(count, done + ROWS), 0
        while first < size:
            width = min((size - first + LANES - 1) & -LANES, WIDEST)
            rows, left = weights[first:], last - done
            met -= add_recounted(sums[first:], ends[first:], rows, ids[done:], left, size, width)
            first += WIDEST
        done = last
        put_sums(due, sums, up, last > ROWS)
    return met


@apart
def reach_recounted(
    arrived: Byte, sums: Short, weights: Short, ids: Word, count: int, missed: Word
) -> int:
    """Do what `reach` does. A sum that is not 0 has met a weight that is not 0, and mostly all are
    such.
    """
    size = arrived.shape[0]
    if filled(sums, size) == size:
        return ALL
    return reach(arrived, weights, 0, ids, count, missed)


@apart
def add_recounted(
    sums: Short, ends: Short, weights: Short, ids: Word, count: int, size: int, width: int
) -> int:
    """Fill ``sums`` (width,) with the first ``width`` elements of the rows of ``count`` lines, a
    few rows at a time; return how many of those that are 0 ``ends`` keep. Rows are ``size`` apart.
    """
    done, kept, zeros = 0, 0, 0
    while done + 8 <= count:
        zeros += eight_recounted(sums, ends, weights, ids[done:], size, width, kept)
        done, kept = done + 8, -1
    while done + 4 <= count:
        zeros += four_recounted(sums, ends, weights, ids[done:], size, width, kept)
        done, kept = done + 4, -1
    while done < count:
        zeros += one_recounted(sums, ends, weights, ids[done:], size, width, kept)
        done, kept = done + 1, -1
    return zeros


@apart
def one_recounted(
    sums: Short, ends: Short, weights: Short, ids: Word, size: int, width: int, kept: Narrow
) -> int:
    """Add and count the row of the first line of ``ids``."""
    return recount_together(sums, ends, weights, ids, size, width, kept, 1)


@apart
def four_recounted(
    sums: Short, ends: Short, weights: Short, ids: Word, size: int, width: int, kept: Narrow
) -> int:
    """Add and count the rows of the first four lines of ``ids``."""
    return recount_together(sums, ends, weights, ids, size, width, kept, 4)


@apart
def eight_recounted(
    sums: Short, ends: Short, weights: Short, ids: Word, size: int, width: int, kept: Narrow
) -> int:
    """Add and count the rows of the first eight lines of ``ids``."""
    return recount_together(sums, ends, weights, ids, size, width, kept, 8)


@part
def recount_together(
    sums: Short,
    ends: Short,
    weights: Short,
    ids: Word,
    size: int,
    width: int,
    kept: Narrow,
    rows: int,
) -> int:
    """Add as many rows as the source of the caller says to those bits of ``sums`` that are
    ``kept``, all or none; return how many weights are 0.
    """
    zeros: Half = 0
    for j in range(width):
        total, empty = 0, 0
        for r in range(rows):
            weight = weights[ids[r] * size + j]
            total += weight
            empty += HELD * (weight == 0)
        sums[j] = (sums[j] & kept) + total
        zeros += empty & ends[j]
    return (zeros & 65535) // HELD
