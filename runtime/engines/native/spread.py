"""What synapses do with the messages of a step: only the rows of lines that sent are read.

A row is added a weight a lane. Spikes through bytes are summed in 16 bits, which hold 255 of them,
and so are payloads while they are small; everything else in 32, which the program's verifier has
proven to be enough.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import Narrow, kernel, lowest, marked, ones, part
from hebbite.runtime.engines.native.plan import Byte, Short, Small, Word

SHIFTS = 15
"""No shift is further, -8..7 by an exponent and 0..1 by a store; masked so, a word stays narrow."""
ROWS = 255
"""Rows of bytes that a 16-bit sum holds: 255 * 128 < 2^15; the same for payloads that sum to it."""
TOGETHER = 4
"""Rows for which a 16-bit sum pays, and that are added in one go."""


@kernel
def sum_spikes_of_bytes(
    due: Word, sums: Short, weights: Small, base: int, ids: Word, count: int, up: Narrow
) -> None:
    """Fill ``due`` (neurons,) with the rows of ``count`` lines, times 2^up, by 16-bit ``sums``."""
    size, done, lifted = due.shape[0], 0, up & SHIFTS
    while done < count:
        last = min(count, done + ROWS)
        sums[:size] = 0
        add_rows(sums, weights[base:], ids[done:], last - done, size)
        done = last
        if last <= ROWS:
            for j in range(size):
                due[j] = sums[j] << lifted
        else:
            for j in range(size):
                due[j] += sums[j] << lifted


@kernel
def add_rows(
    sums: Short | Word, weights: Small | Short | Word, ids: Word, count: int, size: int
) -> None:
    """Add the rows of ``count`` lines to sums (neurons,), several at a time."""
    done = 0
    while done + 8 <= count:
        eight_rows(sums, weights, ids[done:], size)
        done += 8
    while done + 4 <= count:
        four_rows(sums, weights, ids[done:], size)
        done += 4
    while done < count:
        row = weights[ids[done] * size :]
        for j in range(size):
            sums[j] += row[j]
        done += 1


@kernel
def four_rows(sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int) -> None:
    """Add the rows of the first four lines of ``ids`` to sums (neurons,)."""
    a, b = weights[ids[0] * size :], weights[ids[1] * size :]
    c, d = weights[ids[2] * size :], weights[ids[3] * size :]
    for j in range(size):
        sums[j] += (a[j] + b[j]) + (c[j] + d[j])


@kernel
def eight_rows(sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int) -> None:
    """Add the rows of the first eight lines of ``ids`` to sums (neurons,)."""
    a, b = weights[ids[0] * size :], weights[ids[1] * size :]
    c, d = weights[ids[2] * size :], weights[ids[3] * size :]
    e, f = weights[ids[4] * size :], weights[ids[5] * size :]
    g, h = weights[ids[6] * size :], weights[ids[7] * size :]
    for j in range(size):
        sums[j] += ((a[j] + b[j]) + (c[j] + d[j])) + ((e[j] + f[j]) + (g[j] + h[j]))


@kernel
def add_spikes(
    due: Word, weights: Small | Short | Word, base: int, ids: Word, count: int, up: Narrow
) -> None:
    """Add the rows of ``count`` lines, times 2^up, to ``due`` (neurons,)."""
    size = due.shape[0]
    add_rows(due, weights[base:], ids, count, size)
    if up > 0:
        lifted = up & SHIFTS
        for j in range(size):
            due[j] <<= lifted


@kernel
def add_payloads(
    due: Word,
    weights: Small | Short | Word,
    base: int,
    ids: Word,
    count: int,
    payload: Word,
    up: Narrow,
) -> None:
    """Add the rows of ``count`` lines, each times 2^up and what its line sent, to ``due``."""
    add_products(due, weights[base:], ids, count, payload, due.shape[0], up)


@kernel
def sum_payloads_of_bytes(
    due: Word,
    sums: Short,
    weights: Small,
    base: int,
    ids: Word,
    count: int,
    payload: Word,
    up: Narrow,
) -> None:
    """Add what `add_payloads` adds by 16-bit ``sums`` where the payloads of some rows are small
    together.
    """
    total = 0
    for k in range(count):
        total += max(payload[ids[k]], -payload[ids[k]])
    if TOGETHER * total <= ROWS * count:
        sum_small_payloads(due, sums, weights[base:], ids, count, payload, up)
    else:
        add_payloads(due, weights, base, ids, count, payload, up)


@kernel
def sum_small_payloads(
    due: Word,
    sums: Short,
    weights: Small,
    ids: Word,
    count: int,
    payload: Word,
    up: Narrow,
) -> None:
    """Add rows whose payloads are small together at once, and the others by fours."""
    size, done, lifted = due.shape[0], 0, up & SHIFTS
    while done < count:
        last, held = done, 0
        while last < count and held <= ROWS:
            sent = payload[ids[last]]
            held += max(sent, -sent)
            last += held <= ROWS
        if last < count:
            last -= (last - done) % TOGETHER
        if last - done < TOGETHER:
            last = min(done + TOGETHER, count)
            add_products(due, weights, ids[done:], last - done, payload, size, up)
        else:
            sums[:size] = 0
            add_products(sums, weights, ids[done:], last - done, payload, size, 0)
            for j in range(size):
                due[j] += sums[j] << lifted
        done = last


@kernel
def add_products(
    sums: Short | Word,
    weights: Small | Short | Word,
    ids: Word,
    count: int,
    payload: Word,
    size: int,
    up: Narrow,
) -> None:
    """Add the rows of ``count`` lines, each times 2^up and what its line sent, to sums (neurons,),
    several at a time.
    """
    done, lifted = 0, up & SHIFTS
    while done + 4 <= count:
        four_products(sums, weights, ids[done:], payload, size, lifted)
        done += 4
    while done < count:
        row, sent = weights[ids[done] * size :], payload[ids[done]]
        for j in range(size):
            sums[j] += (row[j] * sent) << lifted
        done += 1


@kernel
def four_products(
    sums: Short | Word,
    weights: Small | Short | Word,
    ids: Word,
    payload: Word,
    size: int,
    up: Narrow,
) -> None:
    """Add the rows of the first four lines of ``ids``, each times 2^up and what its line sent."""
    a, b = weights[ids[0] * size :], weights[ids[1] * size :]
    c, d = weights[ids[2] * size :], weights[ids[3] * size :]
    pa, pb, pc, pd = payload[ids[0]], payload[ids[1]], payload[ids[2]], payload[ids[3]]
    lifted = up & SHIFTS
    for j in range(size):
        sums[j] += ((a[j] * pa + b[j] * pb) + (c[j] * pc + d[j] * pd)) << lifted


@kernel
def lower(due: Word, shift: Narrow) -> None:
    """Divide by 2^shift, rounding down."""
    down = shift & SHIFTS
    for j in range(due.shape[0]):
        due[j] >>= down


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
    """List the first ``size`` elements that are 0; return how many."""
    count, whole = 0, size // 64
    for q in range(whole):
        count = list_bits(marked(flags, q) ^ -1, 64 * q, found, count)
    for j in range(64 * whole, size):
        found[count] = j
        count += flags[j] == 0
    return count


@kernel
def list_flags(flags: Byte, found: Word, size: int) -> int:
    """List the first ``size`` elements that are not 0; return how many."""
    count, whole = 0, size // 64
    for q in range(whole):
        count = list_bits(marked(flags, q), 64 * q, found, count)
    for j in range(64 * whole, size):
        if flags[j] != 0:
            found[count] = j
            count += 1
    return count


@part
def list_bits(word: int, first: int, found: Word, count: int) -> int:
    """Append the numbers of the bits of a word, counted from ``first``; return how many there are
    now. Four are written whether there are or not, for a test would be guessed wrong too often.
    """
    last = count + ones(word)
    for r in range(4):
        found[count + r] = first + lowest(word)
        word &= word - 1
    count += 4
    while count < last:
        found[count] = first + lowest(word)
        word &= word - 1
        count += 1
    return last
