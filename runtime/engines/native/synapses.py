"""What printed rules are given: the tables of one row and of one column, filled and called."""

from __future__ import annotations

from hebbite.compiler.arithmetic.randomness import KIND
from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.counts import forget_all, forget_lines
from hebbite.runtime.engines.native.language import address, apart, call_printed, kernel
from hebbite.runtime.engines.native.lists import find_column, list_column
from hebbite.runtime.engines.native.philox import draw_column_of
from hebbite.runtime.engines.native.plan import (
    DENSE,
    G_COMPONENT,
    G_KIND,
    G_LINES,
    G_MAGNITUDE,
    G_MIRRORS,
    G_SIZE,
    G_STORE,
    G_WEIGHT,
    H_EPOCH,
    L_COLUMN,
    L_GROUP,
    L_OWN,
    L_SPARED,
    L_TAG,
    L_X,
    L_Y,
    SHORTS,
    T_KEPT,
    Short,
    Word,
)
from hebbite.runtime.engines.native.rule_tables import (
    CLOCKS,
    COLUMN_BELOW,
    COLUMN_CHANGED,
    COLUMN_CLOCK,
    COLUMN_DRAW,
    COLUMN_END,
    COLUMN_END_X,
    COLUMN_LINE,
    COLUMN_OWN,
    COLUMN_OWN_X,
    COLUMN_TAG,
    COLUMN_TAG_DRAW,
    COLUMN_TX,
    COLUMN_W,
    MEETING_CLOCK,
    MEETINGS,
    ROW,
    ROW_CLOCK,
    ROW_END,
    ROW_OWN,
    ROW_TIMES,
    ROW_TY,
)
from hebbite.runtime.engines.native.traces import TRACE_COUNT

HOST = INDEX["host_words"]
CLOCK_COUNT = len(CLOCKS)
FOUR = 0x01010101
"""Four bytes of one value are so many times it."""
TAG_STREAM = KIND["tag"] << 24


@kernel
def history_at(m: int, trace: int, offset: int) -> int:
    """Return the address of the values of a trace at an offset of the epoch."""
    row = trace * (at.head(m)[H_EPOCH] + 1) + offset
    return address(at.history(m)[row * at.width(m)[0] :])


@kernel
def begin_rows(m: int, q: int, number: int, shared: int) -> None:
    """Fill what all rows and columns of an epoch have in common.

    ``shared``: the byte that rounds every synapse, or -1 where each has its own.
    """
    table, steps, width = at.tables(m), at.head(m)[H_EPOCH], at.width(m)[0]
    g, y = at.plastic(m)[q, L_GROUP], at.plastic(m)[q, L_Y]
    size = at.groups(m)[g, G_SIZE]
    table[ROW_TY] = address(at.ty(m)[y:])
    table[ROW + COLUMN_TX] = address(at.tx(m)[at.plastic(m)[q, L_X] :])
    for t in range(3):
        table[ROW_OWN + t] = address(at.own(m)[t * width :])
        table[ROW_END + t] = history_at(m, 2 + t, steps)
    for t in range(2):
        table[ROW_TIMES + t] = address(at.times(m)[t * (steps + 1) :])
        table[ROW + COLUMN_END_X + t] = history_at(m, t, steps)
    for k in range(CLOCK_COUNT):
        holds = number % (1 << k) == 0
        table[ROW_CLOCK + k] = holds
        table[ROW + COLUMN_CLOCK + k] = holds
        table[MEETINGS + MEETING_CLOCK + k] = holds
    if shared >= 0:
        at.draws(m)[:] = FOUR * shared
        at.tag_draws(m)[:] = FOUR * shared
        at.column_draws(m)[:] = shared
        at.tag_column_draws(m)[:] = shared
    if at.plastic(m)[q, L_OWN]:
        for t in range(3):
            for j in range(size):
                row = (2 + t) * (steps + 1) + at.ty(m)[y + j]
                at.own(m)[t * width + j] = at.history(m)[row * width + j]


@kernel
def weight_at(m: int, g: int, element: int) -> int:
    """Return the address of a weight of a group that learns."""
    spot = at.groups(m)[g, G_WEIGHT] + element
    if at.groups(m)[g, G_STORE] == SHORTS:
        return address(at.shorts(m)[spot:])
    return address(at.words(m)[spot:])


@kernel
def column_at(m: int, g: int) -> int:
    """Return the address of the column in which weights or steps of a group stand."""
    if at.groups(m)[g, G_STORE] == SHORTS:
        return address(at.short_column(m))
    return address(at.column(m))


@kernel
def begin_column(m: int, q: int, j: int) -> None:
    """Fill the table for the column of neuron ``j``, which learnt, but for what stands in it."""
    table, steps = at.tables(m), at.head(m)[H_EPOCH]
    g, width = at.plastic(m)[q, L_GROUP], at.width(m)[0]
    event = at.ty(m)[at.plastic(m)[q, L_Y] + j]
    for t in range(2):
        table[ROW + COLUMN_OWN_X + t] = history_at(m, t, event)
    for t in range(3):
        trace = (2 + t) * (steps + 1) * width + j
        table[ROW + COLUMN_OWN + t] = at.history(m)[trace + event * width]
        table[ROW + COLUMN_END + t] = at.history(m)[trace + steps * width]
    table[ROW + COLUMN_DRAW] = address(at.column_draws(m))
    table[ROW + COLUMN_TAG_DRAW] = address(at.tag_column_draws(m))
    table[ROW + COLUMN_LINE] = address(at.column_lines(m))
    table[ROW + COLUMN_W] = column_at(m, g)
    table[ROW + COLUMN_TAG] = address(at.tag_column(m))


@kernel
def draw_column(m: int, q: int, j: int, count: int, number: int) -> None:
    """Draw what rounds each of the ``count`` synapses of the column of neuron ``j``."""
    g, elements = at.plastic(m)[q, L_GROUP], at.elements(m)
    stride, tags = column_stride(m, g), TAG_STREAM | g
    draw_column_of(at.head(m), j, stride, elements, count, g, number, at.column_draws(m))
    if at.plastic(m)[q, L_TAG] >= 0:
        draws = at.tag_column_draws(m)
        draw_column_of(at.head(m), j, stride, elements, count, tags, number, draws)


@kernel
def column_stride(m: int, g: int) -> int:
    """Return how far a matrix's weights of one column are apart; 0 in a list, whose `elements` say
    where they are.
    """
    return at.groups(m)[g, G_SIZE] if at.groups(m)[g, G_KIND] == DENSE else 0


@kernel
def learn_column(m: int, q: int, j: int, number: int, independent: int) -> int:
    """Update the synapses of the lines that did not send to neuron ``j``, which learnt; return how
    many weights changed.
    """
    g = at.plastic(m)[q, L_GROUP]
    count, stride = at.groups(m)[g, G_LINES], column_stride(m, g)
    if stride == 0:
        count = keep_moving(m, q, j, list_column(m, g, j))
        find_column(m, g, j, count)
    begin_column(m, q, j)
    if independent:
        draw_column(m, q, j, count, number)
    changed = update_column(m, q, j, stride, count)
    if stride == 0:
        forget_lines(m, g, at.column_lines(m), count)
    else:
        forget_all(m, g, count)
    at.below(m)[q] += at.tables(m)[ROW + COLUMN_BELOW]
    return changed


@kernel
def update_column(m: int, q: int, j: int, stride: int, count: int) -> int:
    """Take ``count`` synapses onto neuron ``j``, every ``stride``-th one of a matrix, or the
    `elements` where it is 0; update them; give them back. Return how many weights changed.
    """
    table, g, elements = at.tables(m)[ROW:], at.plastic(m)[q, L_GROUP], at.elements(m)
    base, tagged = at.groups(m)[g, G_WEIGHT], at.plastic(m)[q, L_TAG]
    short = at.groups(m)[g, G_STORE] == SHORTS
    if short:
        take(at.shorts(m)[base:], j, stride, elements, count, at.short_column(m))
    else:
        take(at.words(m)[base:], j, stride, elements, count, at.column(m))
    if tagged >= 0:
        take(at.tags(m)[tagged:], j, stride, elements, count, at.tag_column(m))
    call_printed(at.plastic(m)[q, L_COLUMN], address(table), count)
    if short:
        give(at.short_column(m), j, stride, elements, count, at.shorts(m)[base:])
    else:
        give(at.column(m), j, stride, elements, count, at.words(m)[base:])
    if tagged >= 0:
        give(at.tag_column(m), j, stride, elements, count, at.tags(m)[tagged:])
    return table[COLUMN_CHANGED]


@kernel
def keep_moving(m: int, q: int, j: int, count: int) -> int:
    """Keep those of the ``count`` lines listed that may change their synapse onto neuron ``j``,
    which learnt: lines that did not send, and some trace of theirs is not 0 where that must be.
    Return how many are left.
    """
    lines, tx, left = at.column_lines(m), at.tx(m)[at.plastic(m)[q, L_X] :], 0
    event, width = at.ty(m)[at.plastic(m)[q, L_Y] + j], at.width(m)[0]
    x1 = at.history(m)[event * width :]
    x2 = at.history(m)[(at.head(m)[H_EPOCH] + 1 + event) * width :]
    with_x1 = -at.kept(m)[TRACE_COUNT * q, T_KEPT]
    with_x2 = -at.kept(m)[TRACE_COUNT * q + 1, T_KEPT]
    always = 1 - at.plastic(m)[q, L_SPARED]
    for k in range(count):
        i = lines[k]
        lines[left] = i
        left += (tx[i] == 0) & ((always | x1[i] & with_x1 | x2[i] & with_x2) != 0)
    return left


@apart
def take(
    held: Short | Word, first: int, stride: int, elements: Word, count: int, column: Short | Word
) -> None:
    """Copy every ``stride``-th element to a column, or some elements where the stride is 0."""
    if stride > 0:
        for i in range(count):
            column[i] = held[first + i * stride]
    else:
        for i in range(count):
            column[i] = held[elements[i]]


@apart
def give(
    column: Short | Word, first: int, stride: int, elements: Word, count: int, held: Short | Word
) -> None:
    """Copy a column to where `take` took it."""
    if stride > 0:
        for i in range(count):
            held[first + i * stride] = column[i]
    else:
        for i in range(count):
            held[elements[i]] = column[i]


@kernel
def mirror(m: int, g: int) -> None:
    """Copy the transposed weights of the group that ``g`` follows, without its bias line, or their
    signs times a magnitude.
    """
    followed = at.groups(m)[g, G_MIRRORS]
    size, lines = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_LINES]
    if at.groups(m)[g, G_STORE] == SHORTS:
        copy_transposed(m, at.shorts(m), g, followed)
    else:
        copy_transposed(m, at.words(m), g, followed)
    forget_all(m, g, lines)
    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, HOST] += size * lines


@kernel
def copy_transposed(m: int, weights: Short | Word, g: int, followed: int) -> None:
    """Copy what group ``g`` follows, both in one store."""
    size, lines = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_LINES]
    copy, learned = at.groups(m)[g, G_WEIGHT], at.groups(m)[followed, G_WEIGHT]
    across, magnitude = at.groups(m)[followed, G_SIZE], at.groups(m)[g, G_MAGNITUDE]
    for i in range(lines):
        goal = weights[copy + i * size : copy + (i + 1) * size]
        column = weights[learned + i :]
        for j in range(size):
            weight = column[j * across]
            if magnitude:
                weight = magnitude if weight >= 0 else -magnitude
            goal[j] = weight
