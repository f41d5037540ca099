"""The rows of lines, learning: what rounds the synapses of several is drawn at once."""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import address, call_printed, kernel
from hebbite.runtime.engines.native.lists import spell_row
from hebbite.runtime.engines.native.philox import draw_words
from hebbite.runtime.engines.native.plan import (
    DENSE,
    G_KIND,
    G_NONZERO,
    G_SIZE,
    G_STARTS,
    G_TARGETS,
    H_EPOCH,
    L_GROUP,
    L_ROW,
    L_TAG,
    L_TIMES,
    L_X,
    SPARSE_BLOCKS,
    SPARSE_WIDE,
)
from hebbite.runtime.engines.native.rule_tables import (
    ROW_BELOW,
    ROW_CHANGED,
    ROW_DRAW,
    ROW_END_X,
    ROW_GAINED,
    ROW_SENT,
    ROW_SENT_X,
    ROW_TAG,
    ROW_TAG_DRAW,
    ROW_TARGET,
    ROW_W,
    ROW_X0,
)
from hebbite.runtime.engines.native.scratch import ROOM
from hebbite.runtime.engines.native.synapses import TAG_STREAM, history_at, weight_at


@kernel
def learn_rows(m: int, q: int, count: int, number: int, independent: int) -> int:
    """Update the synapses of the ``count`` lines that are listed; return how many weights changed.

    ``independent``: every synapse is rounded by a number of its own.
    """
    visited, spots = at.lines(m), at.spots(m)
    changed, done = 0, 0
    while done < count:
        last = draw_rows(m, q, done, count, number) if independent else count
        for k in range(done, last):
            changed += learn_row(m, q, visited[k], spots[k - done] if independent else 0)
        done = last
    return changed


@kernel
def draw_rows(m: int, q: int, first: int, count: int, number: int) -> int:
    """Draw for the rows of as many listed lines from the ``first`` on as there is room for; return
    the first that is left. A row by itself would wait for the ten rounds of its few blocks.
    """
    g, visited = at.plastic(m)[q, L_GROUP], at.lines(m)
    spots, numbers = at.spots(m), at.blocks(m)
    filled, k = 0, first
    while k < count and filled <= ROOM:
        element, size = synapses_of(m, g, visited[k])
        spots[k - first] = 16 * filled + (element & 15)
        for block in range(element >> 4, (element + size + 15) >> 4):
            numbers[filled] = block
            filled += 1
        k += 1
    draw_words(at.head(m), numbers, filled, g, number, at.draws(m))
    if at.plastic(m)[q, L_TAG] >= 0:
        draw_words(at.head(m), numbers, filled, TAG_STREAM | g, number, at.tag_draws(m))
    return k


@kernel
def synapses_of(m: int, g: int, i: int) -> tuple[int, int]:
    """Return the first synapse of line ``i``, and how many it has."""
    size = at.groups(m)[g, G_SIZE]
    if at.groups(m)[g, G_KIND] == DENSE:
        return i * size, size
    start = at.groups(m)[g, G_STARTS] + i
    return at.starts(m)[start], at.starts(m)[start + 1] - at.starts(m)[start]


@kernel
def learn_row(m: int, q: int, i: int, spot: int) -> int:
    """Update the synapses of line ``i``, whose draws begin at a byte; return how many weights
    changed.
    """
    table, steps = at.tables(m), at.head(m)[H_EPOCH]
    g, width = at.plastic(m)[q, L_GROUP], at.width(m)[0]
    element, count = synapses_of(m, g, i)
    if at.groups(m)[g, G_KIND] != DENSE:
        target = at.groups(m)[g, G_TARGETS] + element
        if at.groups(m)[g, G_KIND] == SPARSE_WIDE:
            table[ROW_TARGET] = address(at.far_targets(m)[target:])
        elif at.groups(m)[g, G_KIND] == SPARSE_BLOCKS:
            spell_row(m, g, i)
            table[ROW_TARGET] = address(at.row_targets(m))
        else:
            table[ROW_TARGET] = address(at.near_targets(m)[target:])
    table[ROW_W] = weight_at(m, g, element)
    sent = at.tx(m)[at.plastic(m)[q, L_X] + i]
    table[ROW_X0] = sent > 0
    for t in range(2):
        trace = t * (steps + 1) * width + i
        table[ROW_SENT_X + t] = at.history(m)[trace + sent * width]
        table[ROW_END_X + t] = at.history(m)[trace + steps * width]
        if at.plastic(m)[q, L_TIMES]:
            for k in range(steps + 1):
                at.times(m)[t * (steps + 1) + k] = at.history(m)[trace + k * width]
    for t in range(3):
        table[ROW_SENT + t] = history_at(m, 2 + t, sent)
    tagged = at.plastic(m)[q, L_TAG]
    table[ROW_TAG] = address(at.tags(m)[max(tagged, 0) + element :])
    table[ROW_DRAW], table[ROW_TAG_DRAW] = address(at.draws(m)), address(at.tag_draws(m))
    table[ROW_DRAW] += spot
    table[ROW_TAG_DRAW] += spot
    call_printed(at.plastic(m)[q, L_ROW], address(table), count)
    at.nonzero(m)[at.groups(m)[g, G_NONZERO] + i] += table[ROW_GAINED]
    at.below(m)[q] += table[ROW_BELOW]
    return table[ROW_CHANGED]
