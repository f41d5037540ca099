"""What synapses do with the messages of a step: only the rows of lines that sent are read.

A row is added a weight a lane. Spikes through bytes are summed in 16 bits, which hold 255 of them,
and so are payloads of 255 in all; everything else in 32, which the program's verifier has proven to
be enough.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import (
    Narrow,
    apart,
    kernel,
    logical,
    lowest,
    marked,
    ones,
    part,
)
from hebbite.runtime.engines.native.plan import ALL, SOME, Byte, Long, Short, Small, Word

UNTESTED = 4
"""Bits of a word that are listed without a test whether they are set, which would be guessed wrong
too often."""
SHIFTS = 15
"""No shift is further, -8..7 by an exponent and 0..1 by a store; masked so, a word stays narrow."""
ROWS = 255
"""Rows of bytes that a 16-bit sum holds, or one row as often: 255 * 128 < 2^15."""


@apart
def sum_spikes_of_bytes(
    due: Word,
    sums: Short,
    weights: Small,
    base: int,
    nonzero: Word,
    misses: Long,
    ids: Word,
    count: int,
    up: Narrow,
) -> tuple[int, int]:
    """Fill ``due`` (neurons,) with the rows of ``count`` lines, times 2^up, by 16-bit ``sums``;
    return what `add_rows` does.
    """
    size, done, met, missed = due.shape[0], 0, 0, -1
    while done < count:
        last = min(count, done + ROWS)
        sums[:size] = 0
        rows, left = weights[base:], last - done
        more, bits = add_rows(sums, rows, nonzero, misses, ids[done:], left, size)
        met, missed = met + more, missed & bits
        done = last
        put_sums(due, sums, up, last > ROWS)
    return met, missed


@part
def put_sums(due: Word, sums: Short, up: Narrow, add: bool) -> None:
    """Write ``sums`` (neurons,), times 2^up, to ``due``, or add them."""
    lifted = up & SHIFTS
    if add:
        for j in range(due.shape[0]):
            due[j] += sums[j] << lifted
    else:
        for j in range(due.shape[0]):
            due[j] = sums[j] << lifted


@apart
def add_rows(
    sums: Short | Word,
    weights: Small | Short | Word,
    nonzero: Word,
    misses: Long,
    ids: Word,
    count: int,
    size: int,
) -> tuple[int, int]:
    """Add the rows of ``count`` lines to sums (neurons,), several at a time; return how many
    weights that are not 0 they have, ``nonzero`` of each line, and in bits whom all of them may
    miss, ``misses``.
    """
    done, met, missed = 0, 0, -1
    while done + 8 <= count:
        eight_rows(sums, weights, ids[done:], size)
        met += total_of(nonzero, ids[done:], 8)
        if missed != 0:
            missed &= common(misses, ids[done:], 8)
        done += 8
    while done + 4 <= count:
        four_rows(sums, weights, ids[done:], size)
        met += total_of(nonzero, ids[done:], 4)
        if missed != 0:
            missed &= common(misses, ids[done:], 4)
        done += 4
    while done < count:
        row = weights[ids[done] * size :]
        for j in range(size):
            sums[j] += row[j]
        met += nonzero[ids[done]]
        if missed != 0:
            missed &= misses[ids[done]]
        done += 1
    return met, missed


@part
def total_of(values: Word, listed: Word, count: int) -> int:
    """Return the sum of the ``count`` listed values."""
    total = 0
    for k in range(count):
        total += values[listed[k]]
    return total


@part
def common(values: Long, listed: Word, count: int) -> int:
    """Return the bits that the ``count`` listed values have in common."""
    bits = -1
    for k in range(count):
        bits &= values[listed[k]]
    return bits


@apart
def four_rows(sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int) -> None:
    """Add the rows of the first four lines of ``ids`` to sums (neurons,)."""
    add_together(sums, weights, ids, size, 4)


@apart
def eight_rows(sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int) -> None:
    """Add the rows of the first eight lines of ``ids`` to sums (neurons,)."""
    add_together(sums, weights, ids, size, 8)


@part
def add_together(
    sums: Short | Word, weights: Small | Short | Word, ids: Word, size: int, rows: int
) -> None:
    """Add the rows of the first lines of ``ids``, as many as the source of the caller says: sums
    are read and written once for all of them.
    """
    for j in range(size):
        total = 0
        for r in range(rows):
            total += weights[ids[r] * size + j]
        sums[j] += total


@apart
def add_spikes(
    due: Word,
    weights: Small | Short | Word,
    base: int,
    nonzero: Word,
    misses: Long,
    ids: Word,
    count: int,
    up: Narrow,
) -> tuple[int, int]:
    """Add the rows of ``count`` lines, times 2^up, to ``due`` (neurons,); return what `add_rows`
    does.
    """
    size = due.shape[0]
    met, missed = add_rows(due, weights[base:], nonzero, misses, ids, count, size)
    if up > 0:
        lifted = up & SHIFTS
        for j in range(size):
            due[j] <<= lifted
    return met, missed


@apart
def add_payloads(
    due: Word,
    sums: Short,
    weights: Small | Short | Word,
    base: int,
    ids: Word,
    count: int,
    payload: Word,
    of_bytes: int,
    up: Narrow,
) -> None:
    """Add the rows of ``count`` lines, each times 2^up and what its line sent, to ``due``
    (neurons,), several at a time; rows ``of_bytes`` by 16-bit ``sums`` where these are enough.
    """
    held, size, done, lifted, room = weights[base:], due.shape[0], 0, up & SHIFTS, ROWS
    if of_bytes:
        sums[:size] = 0
    while done + 8 <= count:
        sent = magnitude(ids[done:], payload, 8)
        if of_bytes and sent <= ROWS:
            room = reserve(sums, due, sent, room, up)
            eight_products(sums, held, ids[done:], payload, size, 0)
        else:
            eight_products(due, held, ids[done:], payload, size, lifted)
        done += 8
    while done + 4 <= count:
        sent = magnitude(ids[done:], payload, 4)
        if of_bytes and sent <= ROWS:
            room = reserve(sums, due, sent, room, up)
            four_products(sums, held, ids[done:], payload, size, 0)
        else:
            four_products(due, held, ids[done:], payload, size, lifted)
        done += 4
    while done < count:
        sent = magnitude(ids[done:], payload, 1)
        if of_bytes and sent <= ROWS:
            room = reserve(sums, due, sent, room, up)
            product(sums, held[ids[done] * size :], payload[ids[done]], size)
        else:
            product(due, held[ids[done] * size :], payload[ids[done]] << lifted, size)
        done += 1
    if room < ROWS:
        empty(sums, due, lifted)


@part
def reserve(sums: Short, due: Word, sent: int, room: int, up: int) -> int:
    """Return the room that is left in ``sums`` beside ``sent``; they are emptied if it lacks."""
    if sent > room:
        empty(sums, due, up)
        room = ROWS
    return room - sent


@apart
def empty(sums: Short, due: Word, up: Narrow) -> None:
    """Add ``sums`` (neurons,), times 2^up, to ``due``, and clear them."""
    lifted = up & SHIFTS
    for j in range(due.shape[0]):
        due[j] += sums[j] << lifted
        sums[j] = 0


@part
def magnitude(ids: Word, payload: Word, count: int) -> int:
    """Return the sum of the absolute values that the first ``count`` lines of ``ids`` sent."""
    total = 0
    for r in range(count):
        total += max(payload[ids[r]], -payload[ids[r]])
    return total


@apart
def product(sums: Short | Word, row: Small | Short | Word, sent: int, size: int) -> None:
    """Add a row, times what its line sent, to sums (neurons,)."""
    for j in range(size):
        sums[j] += row[j] * sent


@apart
def four_products(
    sums: Short | Word,
    weights: Small | Short | Word,
    ids: Word,
    payload: Word,
    size: int,
    up: Narrow,
) -> None:
    """Add the rows of the first four lines of ``ids``, each times 2^up and what its line sent."""
    add_products(sums, weights, ids, payload, size, up & SHIFTS, 4)


@apart
def eight_products(
    sums: Short | Word,
    weights: Small | Short | Word,
    ids: Word,
    payload: Word,
    size: int,
    up: Narrow,
) -> None:
    """Add the rows of the first eight lines of ``ids``, each times 2^up and what its line sent."""
    add_products(sums, weights, ids, payload, size, up & SHIFTS, 8)


@part
def add_products(
    sums: Short | Word,
    weights: Small | Short | Word,
    ids: Word,
    payload: Word,
    size: int,
    lifted: int,
    rows: int,
) -> None:
    """Do what `add_together` does, each row times 2^lifted and what its line sent."""
    for j in range(size):
        total = 0
        for r in range(rows):
            total += weights[ids[r] * size + j] * (payload[ids[r]] << lifted)
        sums[j] += total


@kernel
def lower(due: Word, shift: Narrow) -> None:
    """Divide by 2^shift, rounding down."""
    down = shift & SHIFTS
    for j in range(due.shape[0]):
        due[j] >>= down


@apart
def reach(
    arrived: Byte, weights: Small | Short | Word, base: int, ids: Word, count: int, missed: Word
) -> int:
    """Return whether messages reach `ALL` neurons, by a weight that is not 0, or `SOME`, which are
    marked.

    The last three lines, whose rows were read last, hardly ever leave one out; they are listed in
    ``missed`` and asked of the other lines alone.
    """
    size, last, k = arrived.shape[0], count - 1, count - 3
    a, b = weights[base + ids[last] * size :], weights[base + ids[max(last - 1, 0)] * size :]
    c = weights[base + ids[max(last - 2, 0)] * size :]
    if every(a, b, c, size):
        return ALL
    for j in range(size):
        arrived[j] = (a[j] | b[j] | c[j]) != 0
    if k <= 0:
        return SOME
    left = list_zeros(arrived, missed, size)
    while left > 0 and k > 0:
        k -= 1
        start, still = base + ids[k] * size, 0
        for n in range(left):
            j = missed[n]
            arrived[j] = weights[start + j] != 0
            missed[still] = j
            still += weights[start + j] == 0
        left = still
    return ALL if left == 0 else SOME


@apart
def every(
    a: Small | Short | Word, b: Small | Short | Word, c: Small | Short | Word, size: int
) -> int:
    """Return whether of each of the first ``size`` elements one of three rows is not 0."""
    if size < 64:
        for j in range(size):
            if (a[j] | b[j] | c[j]) == 0:
                return 0
        return 1
    for q in range(size // 128):
        if (union(a, b, c, 128 * q) & union(a, b, c, 128 * q + 64)) != -1:
            return 0
    last = size - 64
    return size % 128 == 0 or (union(a, b, c, max(last - 64, 0)) & union(a, b, c, last)) == -1


@part
def union(
    a: Small | Short | Word, b: Small | Short | Word, c: Small | Short | Word, first: int
) -> int:
    """Return of which of 64 elements, the ``first`` and those behind it, one of three rows is not
    0, as `marked` does.
    """
    return marked(a[first:], 0) | marked(b[first:], 0) | marked(c[first:], 0)


@apart
def mark(marks: Byte, row: Byte | Word, add: bool) -> None:
    """Mark where a row is not 0, beside those marked before or alone."""
    if add:
        for j in range(marks.shape[0]):
            marks[j] |= row[j] != 0
    else:
        for j in range(marks.shape[0]):
            marks[j] = row[j] != 0


@apart
def list_zeros(flags: Byte, found: Word, size: int) -> int:
    """List the first ``size`` elements that are 0, hardly any of 64; return how many."""
    count, whole = 0, size // 64
    for q in range(whole):
        word = marked(flags, q) ^ -1
        if word != 0:
            count = list_bits(word, 64 * q, found, count)
    for j in range(64 * whole, size):
        found[count] = j
        count += flags[j] == 0
    return count


@apart
def list_flags(flags: Byte | Short | Word, found: Word, size: int) -> int:
    """List the first ``size`` elements that are not 0; return how many."""
    count, whole = 0, size // 64
    for q in range(whole):
        count = list_bits(marked(flags, q), 64 * q, found, count)
    return list_rest(flags, 64 * whole, size, found, count)


@apart
def list_rare(flags: Byte, found: Word, size: int) -> int:
    """Do what `list_flags` does, where hardly any of 64 are not 0."""
    count, whole = 0, size // 64
    for q in range(whole):
        word = marked(flags, q)
        if word != 0:
            count = list_bits(word, 64 * q, found, count)
    return list_rest(flags, 64 * whole, size, found, count)


@part
def list_rest(flags: Byte | Short | Word, first: int, size: int, found: Word, count: int) -> int:
    """Append the elements ``first``..size - 1, of which there are fewer than 64, that are not 0;
    return how many there are now. Of fewer than `UNTESTED`, `list_bits` would write beyond the
    list.
    """
    rest = size - first
    if first > 0 and rest >= UNTESTED:
        return list_bits(logical(marked(flags[size - 64 :], 0), 64 - rest), first, found, count)
    for j in range(first, size):
        if flags[j] != 0:
            found[count] = j
            count += 1
    return count


@part
def list_bits(word: int, first: int, found: Word, count: int) -> int:
    """Append the numbers of the bits of a word, counted from ``first``; return how many there are
    now. `UNTESTED` are written whether there are or not.
    """
    last = count + ones(word)
    for r in range(UNTESTED):
        found[count + r] = first + lowest(word)
        word &= word - 1
    count += UNTESTED
    while count < last:
        found[count] = first + lowest(word)
        word &= word - 1
        count += 1
    return last
