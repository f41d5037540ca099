"""What synapses do with the messages of a step: only the rows of lines that sent are read.

A row is added a weight a lane. Spikes through bytes are summed in 16 bits, which hold 255 of them;
everything else in 32, which the program's verifier has proven to be enough.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.plan import Byte, Long, Short, Small, Word
from hebbite.runtime.engines.native.translate import kernel

ROWS = 255
"""Rows of bytes that a 16-bit sum holds: 255 * 128 < 2^15."""


@kernel
def add_spikes_of_bytes(
    due: Word, sums: Short, weights: Small, base: int, ids: Word, count: int
) -> None:
    """Add the rows of ``count`` lines to ``due`` (neurons,), by way of 16-bit ``sums``."""
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
            due[j] += sums[j]


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
def add_spikes(due: Word, weights: Short | Word, base: int, ids: Word, count: int) -> None:
    """Add the rows of ``count`` lines to ``due`` (neurons,)."""
    size = due.shape[0]
    for k in range(count):
        start = base + ids[k] * size
        row = weights[start : start + size]
        for j in range(size):
            due[j] += row[j]


@kernel
def add_payloads(
    due: Word, weights: Small | Short | Word, base: int, ids: Word, count: int, payload: Word
) -> None:
    """Add the rows of ``count`` lines, each times what its line sent, to ``due`` (neurons,)."""
    size = due.shape[0]
    for k in range(count):
        start, sent = base + ids[k] * size, payload[ids[k]]
        row = weights[start : start + size]
        for j in range(size):
            due[j] += row[j] * sent


@kernel
def scale(due: Word, shift: int) -> None:
    """Multiply by 2^shift, rounding down."""
    if shift > 0:
        for j in range(due.shape[0]):
            due[j] <<= shift
    elif shift < 0:
        for j in range(due.shape[0]):
            due[j] >>= -shift


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
    left = list_zeros(arrived, missed)
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
def list_zeros(flags: Byte, found: Word) -> int:
    """List the elements that are 0; return how many."""
    count = 0
    for j in range(flags.shape[0]):
        if flags[j] == 0:
            found[count] = j
            count += 1
    return count


@kernel
def list_flags(flags: Byte, eights: Long, found: Word, size: int) -> int:
    """List the first ``size`` elements that are not 0; ``eights`` are the same bytes by eights."""
    count, whole = 0, size // 8
    for q in range(whole):
        if eights[q] != 0:
            for j in range(8 * q, 8 * q + 8):
                if flags[j] != 0:
                    found[count] = j
                    count += 1
    for j in range(8 * whole, size):
        if flags[j] != 0:
            found[count] = j
            count += 1
    return count
