"""What synapses do with the messages of a step: only the rows of lines that sent are read.

A row is added a weight a lane. Spikes through bytes are summed in 16 bits, which hold 255 of them;
everything else in 32, which the program's verifier has proven to be enough.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.plan import Byte, Short, Small, Word
from hebbite.runtime.engines.native.translate import eight, kernel, lowest

ONES, SEVENS, EIGHTHS = 0x0101010101010101, 0x7F7F7F7F7F7F7F7F, -0x7F7F7F7F7F7F7F80
"""Of eight bytes the lowest bits, the lower seven, and the highest ones."""
ROWS = 255
"""Rows of bytes that a 16-bit sum holds: 255 * 128 < 2^15."""


@kernel
def add_spikes_of_bytes(
    due: Word, sums: Short, weights: Small, base: int, ids: Word, count: int, up: int
) -> None:
    """Add the rows of ``count`` lines, times 2^up, to ``due`` (neurons,), through 16-bit ``sums``."""
    size, done = due.shape[0], 0
    while done < count:
        last = min(count, done + ROWS)
        sums[:size] = 0
        while done + 4 <= last:
            a, b = base + ids[done] * size, base + ids[done + 1] * size
            c, d = base + ids[done + 2] * size, base + ids[done + 3] * size
            four_rows(
                sums[:size],
                weights[a : a + size],
                weights[b : b + size],
                weights[c : c + size],
                weights[d : d + size],
            )
            done += 4
        while done < last:
            a = base + ids[done] * size
            one_row(sums[:size], weights[a : a + size])
            done += 1
        for j in range(size):
            due[j] += sums[j] << up


@kernel
def one_row(sums: Short, a: Small) -> None:
    """Add a row of bytes to 16-bit sums."""
    for j in range(sums.shape[0]):
        sums[j] += a[j]


@kernel
def four_rows(sums: Short, a: Small, b: Small, c: Small, d: Small) -> None:
    """Add four rows of bytes to 16-bit sums."""
    for j in range(sums.shape[0]):
        sums[j] += (a[j] + b[j]) + (c[j] + d[j])


@kernel
def add_spikes(due: Word, weights: Short | Word, base: int, ids: Word, count: int, up: int) -> None:
    """Add the rows of ``count`` lines, times 2^up, to ``due`` (neurons,)."""
    size = due.shape[0]
    for k in range(count):
        start = base + ids[k] * size
        row = weights[start : start + size]
        for j in range(size):
            due[j] += row[j] << up


@kernel
def add_payloads(
    due: Word,
    weights: Small | Short | Word,
    base: int,
    ids: Word,
    count: int,
    payload: Word,
    up: int,
) -> None:
    """Add the rows of ``count`` lines, each times 2^up and what its line sent, to ``due``."""
    size = due.shape[0]
    for k in range(count):
        start, sent = base + ids[k] * size, payload[ids[k]] << up
        row = weights[start : start + size]
        for j in range(size):
            due[j] += row[j] * sent


@kernel
def lower(due: Word, shift: int) -> None:
    """Divide by 2^shift, rounding down."""
    for j in range(due.shape[0]):
        due[j] >>= shift


@kernel
def reach(
    arrived: Byte,
    weights: Small | Short | Word,
    base: int,
    ids: Word,
    count: int,
    nonzero: Word,
    missed: Word,
) -> None:
    """Mark the neurons that a message reaches: those with a weight that is not 0.

    One line without a zero reaches all. Otherwise ``missed`` lists whom the first line misses, and
    the others are asked for those alone.
    """
    size = arrived.shape[0]
    for k in range(count):
        if nonzero[ids[k]] == size:
            for j in range(size):
                arrived[j] = 1
            return
    start = base + ids[0] * size
    row = weights[start : start + size]
    for j in range(size):
        arrived[j] = row[j] != 0
    left = list_zeros(arrived, missed, size)
    k = 1
    while left > 0 and k < count:
        start = base + ids[k] * size
        still = 0
        for m in range(left):
            j = missed[m]
            if weights[start + j] != 0:
                arrived[j] = 1
            else:
                missed[still] = j
                still += 1
        left = still
        k += 1


@kernel
def list_zeros(flags: Byte, found: Word, size: int) -> int:
    """List the first ``size`` elements that are 0 among elements of 0 and 1; return how many."""
    count, whole = 0, size // 8
    for q in range(whole):
        bits = eight(flags, q) ^ ONES
        while bits != 0:
            found[count] = 8 * q + lowest(bits) // 8
            count += 1
            bits &= bits - 1
    for j in range(8 * whole, size):
        found[count] = j
        count += flags[j] == 0
    return count


@kernel
def list_flags(flags: Byte, found: Word, size: int) -> int:
    """List the first ``size`` elements that are not 0; return how many."""
    count, whole = 0, size // 8
    for q in range(whole):
        eights = eight(flags, q)
        if eights != 0:
            bits = (((eights & SEVENS) + SEVENS) | eights) & EIGHTHS
            while bits != 0:
                found[count] = 8 * q + lowest(bits) // 8
                count += 1
                bits &= bits - 1
    for j in range(8 * whole, size):
        if flags[j] != 0:
            found[count] = j
            count += 1
    return count
