"""Steps: what a rule adds to weights without a look at them; weights without one are not touched.

A column of a neuron that learnt has steps where one product alone needs no x0. All rows of lines
that sent have the same where one product alone needs no y0, that one reads nothing of its line, and
all synapses are rounded by one number; synapses where both happened are updated beside them.
"""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.counts import forget_all, forget_lines
from hebbite.runtime.engines.native.language import address, apart, call_printed, kernel
from hebbite.runtime.engines.native.meetings import meet
from hebbite.runtime.engines.native.plan import (
    G_LINES,
    G_SIZE,
    G_STORE,
    G_WEIGHT,
    H_BITS,
    L_ALIKE,
    L_COLUMN_STEPS,
    L_GROUP,
    L_MEETING,
    L_ROW_STEPS,
    SHORTS,
    Short,
    Word,
)
from hebbite.runtime.engines.native.row_sums import add_rows_of_steps
from hebbite.runtime.engines.native.rule_tables import (
    ROW,
    ROW_CHANGED,
    ROW_DRAW,
    ROW_SENT,
    ROW_W,
    ROW_X0,
)
from hebbite.runtime.engines.native.spread import list_flags
from hebbite.runtime.engines.native.synapses import (
    begin_column,
    column_at,
    draw_column,
    history_at,
)

FEW = 8
"""Steps of rows are added one by one while fewer than 1 in so many neurons have any."""


@kernel
def step_rows(m: int, q: int, sent: int, events: int) -> int:
    """Update the synapses of the ``sent`` lines listed, to ``events`` neurons that learnt and to
    all others; return how many weights changed.
    """
    table, g, changed = at.tables(m), at.plastic(m)[q, L_GROUP], 0
    size, steps = at.groups(m)[g, G_SIZE], column_at(m, g)
    if sent == 0:
        return 0
    table[ROW_W], table[ROW_DRAW], table[ROW_X0] = steps, address(at.draws(m)), 1
    for t in range(3):
        table[ROW_SENT + t] = history_at(m, 2 + t, 1)
    call_printed(at.plastic(m)[q, L_ROW_STEPS], address(table), size)
    if FEW * table[ROW_CHANGED] >= size:
        changed = add_rows_of_steps(m, q, sent, table[ROW_CHANGED])
    elif table[ROW_CHANGED] > 0:
        changed = move_rows(m, q, sent)
    if at.plastic(m)[q, L_MEETING] != 0 and events > 0:
        changed += meet(m, q, sent, events)
    if changed > 0:
        forget_lines(m, g, at.lines(m), sent)
    return changed


@kernel
def move_rows(m: int, q: int, sent: int) -> int:
    """Add the steps of the neurons that have any to the rows of the ``sent`` lines; return how many
    weights changed.
    """
    g, moving = at.plastic(m)[q, L_GROUP], at.column_lines(m)
    size, base = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_WEIGHT]
    count, bits, changed = list_steps(m, g, size), at.head(m)[H_BITS], 0
    for k in range(sent):
        i = at.lines(m)[k]
        if at.groups(m)[g, G_STORE] == SHORTS:
            held = at.shorts(m)[base + i * size :]
            changed += move(held, at.short_column(m), moving, count, 1, bits)
        else:
            held_words = at.words(m)[base + i * size :]
            changed += move(held_words, at.column(m), moving, count, 1, bits)
    return changed


@kernel
def list_steps(m: int, g: int, size: int) -> int:
    """List which of ``size`` steps are not 0; return how many."""
    if at.groups(m)[g, G_STORE] == SHORTS:
        return list_flags(at.short_column(m), at.column_lines(m), size)
    return list_flags(at.column(m), at.column_lines(m), size)


@kernel
def step_columns(m: int, q: int, events: int, number: int, independent: int) -> int:
    """Update the synapses of the lines that did not send to all ``events`` neurons that learnt;
    return how many weights changed. Only those that move are touched.
    """
    g, moving = at.plastic(m)[q, L_GROUP], at.column_lines(m)
    lines, size = at.groups(m)[g, G_LINES], at.groups(m)[g, G_SIZE]
    base, short = at.groups(m)[g, G_WEIGHT], at.groups(m)[g, G_STORE] == SHORTS
    alike = at.plastic(m)[q, L_ALIKE] and not independent
    count, changed, bits = 0, 0, at.head(m)[H_BITS]
    for k in range(events):
        j = at.neurons(m)[k]
        if k == 0 or not alike:
            begin_column(m, q, j)
            if independent:
                draw_column(m, q, j, lines, number)
            call_printed(at.plastic(m)[q, L_COLUMN_STEPS], address(at.tables(m)[ROW:]), lines)
            count = list_steps(m, g, lines)
        if short:
            held = at.shorts(m)[base + j :]
            changed += move(held, at.short_column(m), moving, count, size, bits)
        else:
            held_words = at.words(m)[base + j :]
            changed += move(held_words, at.column(m), moving, count, size, bits)
    if changed > 0:
        forget_all(m, g, lines)
    return changed


@apart
def move(
    held: Short | Word,
    steps: Short | Word,
    moving: Word,
    count: int,
    stride: int,
    bits: int,
) -> int:
    """Add the ``count`` steps that are listed, none of them 0, to weights in -2^bits..2^bits - 1,
    every ``stride``-th one; return how many changed: their bound keeps the others as they are.
    """
    low, beyond, stuck = -(1 << bits), -(2 << bits), 0
    for k in range(count):
        i = moving[k]
        weight = held[i * stride]
        new = weight + steps[i]
        if (new - low) & beyond != 0:
            new = min(max(new, low), -low - 1)
            stuck += new == weight
        held[i * stride] = new
    return count - stuck
