"""What synapses do with the messages of a step: only the rows of lines that sent are read.

A row is added a weight a lane. Spikes through bytes are summed in 16 bits, which hold 255 of them;
everything else in 32, which the program's verifier has proven to be enough.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.plan import Byte, Short, Small, Word
from hebbite.runtime.engines.native.translate import eight, kernel, logical, lowest

ONES, SEVENS, EIGHTHS = 0x0101010101010101, 0x7F7F7F7F7F7F7F7F, -0x7F7F7F7F7F7F7F80
"""Of eight bytes the lowest bits, the lower seven, and the highest ones."""
GATHER = 0x0102040810204080
ROWS_AT_ONCE = 8
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
        while done + ROWS_AT_ONCE <= last:
            some_rows(sums[:size], weights[base:], ids[done:], size)
            done += ROWS_AT_ONCE
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
def some_rows(sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int) -> None:
    """Add the rows of the first eight lines of ``ids`` to sums (neurons,)."""
    a, b = weights[ids[0] * size :], weights[ids[1] * size :]
    c, d = weights[ids[2] * size :], weights[ids[3] * size :]
    e, f = weights[ids[4] * size :], weights[ids[5] * size :]
    g, h = weights[ids[6] * size :], weights[ids[7] * size :]
    for j in range(size):
        sums[j] += ((a[j] + b[j]) + (c[j] + d[j])) + ((e[j] + f[j]) + (g[j] + h[j]))


@kernel
def add_spikes(due: Word, weights: Short | Word, base: int, ids: Word, count: int, up: int) -> None:
    """Add the rows of ``count`` lines, times 2^up, to ``due`` (neurons,)."""
    size, done = due.shape[0], 0
    while done + ROWS_AT_ONCE <= count:
        some_rows(due, weights[base:], ids[done:], size)
        done += ROWS_AT_ONCE
    while done < count:
        row = weights[base + ids[done] * size :]
        for j in range(size):
            due[j] += row[j]
        done += 1
    if up > 0:
        for j in range(size):
            due[j] <<= up


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

    One line without a zero reaches all. Otherwise ``missed`` lists whom three lines miss, and
    the others are asked for those alone.
    """
    size = arrived.shape[0]
    for k in range(count):
        if nonzero[ids[k]] == size:
            for j in range(size):
                arrived[j] = 1
            return
    a, b = weights[base + ids[0] * size :], weights[base + ids[min(1, count - 1)] * size :]
    c = weights[base + ids[min(2, count - 1)] * size :]
    for j in range(size):
        arrived[j] = (a[j] | b[j] | c[j]) != 0
    left = list_zeros(arrived, missed, size)
    k = 3
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
    """List the first ``size`` elements that are not 0; return how many.

    Sixty-four at a time become one word of bits: the product gathers the lowest bits of eight bytes
    in its highest byte.
    """
    count, whole = 0, size // 64
    for q in range(whole):
        word, found_any = 0, 0
        for r in range(8):
            found_any |= eight(flags, 8 * q + r)
        if found_any == 0:
            continue
        for r in range(8):
            eights = eight(flags, 8 * q + r)
            bits = ((((eights & SEVENS) + SEVENS) | eights) & EIGHTHS) >> 7
            word |= logical((bits & ONES) * GATHER, 56) << 8 * r
        while word != 0:
            found[count] = 64 * q + lowest(word)
            count += 1
            word &= word - 1
    for j in range(64 * whole, size):
        if flags[j] != 0:
            found[count] = j
            count += 1
    return count
