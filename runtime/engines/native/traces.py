"""Traces in kernels: what a step notes of messages and events, and how an epoch advances.

The definitions stand in `hebbite.compiler.arithmetic.traces`.
"""

from __future__ import annotations

from hebbite.compiler.arithmetic.philox import OCTET_BITS, WORD_BITS
from hebbite.compiler.arithmetic.randomness import BELOW, TRACE_BITS
from hebbite.compiler.arithmetic.traces import TRACE_TOP
from hebbite.rules.traces import RANDOM_BITS
from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import Narrow, apart, kernel, part
from hebbite.runtime.engines.native.lists import without_bias
from hebbite.runtime.engines.native.philox import draw_words, word_of
from hebbite.runtime.engines.native.plan import (
    G_COMPONENT,
    G_LINES,
    G_OUTPUT,
    G_POST,
    G_SIZE,
    H_EPOCH,
    H_INDEPENDENT,
    L_FACTORS,
    L_GROUP,
    L_X,
    L_Y,
    O_LINE,
    O_LIST,
    P_BAP,
    P_Y1,
    T_IMPULSE,
    T_KEPT,
    T_OVERWRITE,
    T_SLOPE,
    TRACES,
    Byte,
    Long,
    Word,
)
from hebbite.runtime.engines.native.rules import CODES, SLOPE_BITS
from hebbite.runtime.engines.native.spread import list_rare

TRACE_UPDATES = INDEX["trace_updates"]
TRACE_COUNT = len(TRACES)
ALL_TRACES, PRE_TRACES = 5, 2
UNIT = 1 << SLOPE_BITS
SURE = UNIT - (1 << SLOPE_BITS - OCTET_BITS) - CODES
"""The highest fraction of a lower bound from which no higher bits of a number lead on."""


@kernel
def note_messages(m: int, q: int, offset: int) -> None:
    """Note which lines of plastic group ``q`` sent in this step of the epoch."""
    kept, g, row = at.kept(m), at.plastic(m)[q, L_GROUP], TRACE_COUNT * q
    first, lines = at.plastic(m)[q, L_X], at.groups(m)[g, G_LINES]
    output = at.groups(m)[g, G_OUTPUT]
    listed = at.lists(m)[at.outputs(m)[output, O_LIST] :]
    sent = without_bias(listed, at.sent(m)[output], lines)
    payload, tx = at.memory(m)[at.outputs(m)[output, O_LINE] :], at.tx(m)[first:]
    for t in range(2):
        x = at.x(m)[2 * first + t * lines :]
        if kept[row + t, T_KEPT] and kept[row + t, T_OVERWRITE]:
            overwrite(x, payload, listed, sent)
        elif kept[row + t, T_KEPT]:
            add_again(x, tx, listed, sent, kept[row + t, T_IMPULSE])
    note(tx, listed, sent, offset)
    written = kept[row, T_KEPT] + kept[row + 1, T_KEPT]
    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, TRACE_UPDATES] += sent * written


@kernel
def note_events(m: int, q: int, offset: int) -> None:
    """Note the learning events of the neurons of plastic group ``q``."""
    kept, g, row = at.kept(m), at.plastic(m)[q, L_GROUP], TRACE_COUNT * q + 2
    first, size = at.plastic(m)[q, L_Y], at.groups(m)[g, G_SIZE]
    output = at.populations(m)[at.groups(m)[g, G_POST], P_BAP]
    listed, events = at.lists(m)[at.outputs(m)[output, O_LIST] :], at.sent(m)[output]
    ty = at.ty(m)[first:]
    if at.plastic(m)[q, L_FACTORS] == 2:
        for t in range(3):
            if kept[row + t, T_KEPT]:
                y = at.y(m)[3 * first + t * size :]
                add_again(y, ty, listed, events, kept[row + t, T_IMPULSE])
        written = kept[row, T_KEPT] + kept[row + 1, T_KEPT] + kept[row + 2, T_KEPT]
        at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, TRACE_UPDATES] += events * written
    note(ty, listed, events, offset)


@apart
def overwrite(values: Word, payload: Word, listed: Word, count: int) -> None:
    """Write half of what each of ``count`` listed lines sent into its trace, half to even."""
    for k in range(count):
        i = listed[k]
        half = payload[i] >> 1
        values[i] = (half + ((payload[i] & 1) & (half & 1))) & 0xFF


@apart
def add_again(values: Word, last: Byte, listed: Word, count: int, impulse: int) -> None:
    """Add an impulse to the trace of each of ``count`` listed elements that has an event in this
    epoch already, which the last one will follow.
    """
    for k in range(count):
        i = listed[k]
        if last[i] > 0:
            values[i] = min(values[i] + impulse, TRACE_TOP)


@apart
def note(last: Byte, listed: Word, count: int, offset: int) -> None:
    """Note an event of each of ``count`` listed elements."""
    for k in range(count):
        last[listed[k]] = offset


@kernel
def take_written(m: int, q: int) -> None:
    """Take y1..y3 of plastic group ``q`` as its neurons hold them, if they write them."""
    g, first = at.plastic(m)[q, L_GROUP], 3 * at.plastic(m)[q, L_Y]
    size = at.groups(m)[g, G_SIZE]
    if at.plastic(m)[q, L_FACTORS] != 3:
        return
    for t in range(3):
        row = at.populations(m)[at.groups(m)[g, G_POST], P_Y1 + t]
        copy(at.memory(m)[row : row + size], at.y(m)[first + t * size :])


@apart
def copy(source: Word, goal: Word) -> None:
    """Copy all of ``source`` to the start of ``goal``."""
    for j in range(source.shape[0]):
        goal[j] = source[j]


@kernel
def any_of(values: Word) -> int:
    """Return a number that is 0 if all values are."""
    found = 0
    for j in range(values.shape[0]):
        found |= values[j]
    return found


@kernel
def count_written(m: int, q: int) -> int:
    """Count the values that neurons wrote into y1..y3 and that are not 0; return how many."""
    g, first = at.plastic(m)[q, L_GROUP], 3 * at.plastic(m)[q, L_Y]
    size, written = at.groups(m)[g, G_SIZE], 0
    if at.plastic(m)[q, L_FACTORS] != 3:
        return 0
    for t in range(3):
        if at.kept(m)[TRACE_COUNT * q + 2 + t, T_KEPT]:
            held = at.y(m)[first + t * size :]
            for j in range(size):
                written += held[j] != 0
    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, TRACE_UPDATES] += written
    return written


@kernel
def advance_group(m: int, q: int, epoch: int, traces: int, sent: int, events: int) -> None:
    """Fill the histories of the first ``traces`` traces over the epoch that ends, the ``epoch``-th
    of the call: row k of a trace is its value at offset k, from 1 on. What stands in row 0, that of
    lines and neurons without an event, some trace's values, is gated. ``sent`` lines and ``events``
    neurons with an event are listed.
    """
    g, steps = at.plastic(m)[q, L_GROUP], at.head(m)[H_EPOCH]
    lines, size = at.groups(m)[g, G_LINES], at.groups(m)[g, G_SIZE]
    x, y, width = at.plastic(m)[q, L_X], at.plastic(m)[q, L_Y], at.width(m)[0]
    for t in range(traces):
        pre, row = t < 2, TRACE_COUNT * q + t
        kept = at.kept(m)[row]
        if not kept[T_KEPT]:
            continue
        values = at.x(m)[2 * x + t * lines :] if pre else at.y(m)[3 * y + (t - 2) * size :]
        values = values[: lines if pre else size]
        last = at.tx(m)[x:] if pre else at.ty(m)[y:]
        listed, count = at.lines(m) if pre else at.neurons(m), sent if pre else events
        count = count if kept[T_IMPULSE] > 0 else 0
        history = at.history(m)[t * (steps + 1) * width : (t + 1) * (steps + 1) * width]
        if count == 0 and any_of(values) == 0:
            for k in range(1, steps + 1):
                copy(values, history[k * width :])
        elif at.head(m)[H_INDEPENDENT]:
            stream, number = (t + 1) << 24 | g, at.clock(m)[1] + 1
            advance_each(m, row, values, last, listed, count, stream, number, history)
        else:
            shared, decay = at.shared(m)[epoch, 0 if pre else 1], at.decay(m)
            falls = at.falls(m)[row]
            for v in range(CODES):
                decay[v] = (falls[v] - shared) >> RANDOM_BITS
            advance_all(kept, decay, values, last, listed, count, history, width, steps)


@apart
def advance_all(
    kept: Long,
    decay: Word,
    values: Word,
    last: Byte,
    listed: Word,
    count: int,
    history: Word,
    width: int,
    steps: int,
) -> None:
    """Fill the history of one trace where one random number serves all: h' = decay[h]."""
    size, before = values.shape[0], values
    for k in range(1, steps + 1):
        row = history[k * width : k * width + size]
        for i in range(size):
            row[i] = decay[before[i]]
        add_impulses(row, last, listed, count, k, kept[T_IMPULSE])
        before = row


@kernel
def advance_each(
    m: int,
    row: int,
    values: Word,
    last: Byte,
    listed: Word,
    count: int,
    stream: int,
    time: int,
    history: Word,
) -> None:
    """Fill the history of one trace with a random number an element."""
    size, width, kept = values.shape[0], at.width(m)[0], at.kept(m)[row]
    octets, unsure = at.drawn_octets(m), at.column_lines(m)
    draw_words(at.head(m), at.in_order(m), (size + 15) // 16, stream, time, at.drawn(m))
    before = values
    for k in range(1, at.head(m)[H_EPOCH] + 1):
        after = history[k * width : k * width + size]
        fall_together(before, octets, kept[T_SLOPE], after, at.marks(m))
        left = list_rare(at.marks(m), unsure, size)
        fall_apart(m, row, before, octets, after, unsure, left, stream, time)
        add_impulses(after, last, listed, count, k, kept[T_IMPULSE])
        before = after


@apart
def fall_together(before: Word, octets: Byte, slope: Narrow, after: Word, unsure: Byte) -> None:
    """Write what values become, and mark those that a byte is too coarse for.

    A number k >= 0 below 1 takes p = exp(-1/tau) h to ceil(p - k). In units of 2^-23, p lies at
    most 128 above the product, and k less than 2^15 above its byte.
    """
    for i in range(after.shape[0]):
        product = (before[i] & TRACE_TOP) * (slope & UNIT - 1)
        lowest = product + ((octets[i] ^ 0xFF) << SLOPE_BITS - OCTET_BITS)
        unsure[i] = (before[i] != 0) & is_unsure(lowest)
        after[i] = whole_of(lowest)


@part
def is_unsure(lowest: Narrow) -> int:
    """Return whether higher bits of a number may lead on from a lower bound."""
    return (lowest & UNIT - 1) > SURE


@part
def whole_of(lowest: Narrow) -> int:
    """Return the whole part."""
    return lowest >> SLOPE_BITS


@kernel
def fall_apart(
    m: int,
    row: int,
    before: Word,
    octets: Byte,
    after: Word,
    listed: Word,
    count: int,
    stream: int,
    time: int,
) -> None:
    """Write what the listed values become, by all bits of their numbers."""
    falls = at.falls(m)[row]
    for k in range(count):
        i = listed[k]
        drawn = octets[i] << WORD_BITS | word_of(at.head(m), i, BELOW | stream, time)
        after[i] = (falls[before[i]] - drawn) >> TRACE_BITS


@apart
def add_impulses(
    values: Word, last: Byte, listed: Word, count: int, offset: int, impulse: int
) -> None:
    """Add an impulse to those of ``count`` listed elements whose last event was at an offset."""
    for e in range(count):
        i = listed[e]
        if last[i] == offset:
            values[i] = min(values[i] + impulse, TRACE_TOP)


@kernel
def keep(m: int, q: int) -> None:
    """Store the last values of the traces and forget the events of the epoch."""
    g, steps = at.plastic(m)[q, L_GROUP], at.head(m)[H_EPOCH]
    lines, size = at.groups(m)[g, G_LINES], at.groups(m)[g, G_SIZE]
    first, neuron = at.plastic(m)[q, L_X], at.plastic(m)[q, L_Y]
    width = at.width(m)[0]
    for t in range(5):
        end = (t * (steps + 1) + steps) * width
        row = at.history(m)[end : end + (lines if t < 2 else size)]
        if t < 2 and at.kept(m)[TRACE_COUNT * q + t, T_KEPT]:
            copy(row, at.x(m)[2 * first + t * lines :])
        if t >= 2 and at.kept(m)[TRACE_COUNT * q + t, T_KEPT] and at.plastic(m)[q, L_FACTORS] == 2:
            copy(row, at.y(m)[3 * neuron + (t - 2) * size :])
    at.tx(m)[first : first + lines] = 0
    at.ty(m)[neuron : neuron + size] = 0
