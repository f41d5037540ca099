"""The rows of lines, learning: what rounds the synapses of several is drawn at once."""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.counts import forget_lines, synapses_of
from hebbite.runtime.engines.native.language import address, call_printed, kernel, part
from hebbite.runtime.engines.native.lists import spell_row
from hebbite.runtime.engines.native.philox import draw_words
from hebbite.runtime.engines.native.plan import (
    DENSE,
    G_KIND,
    G_SIZE,
    G_STORE,
    G_TARGETS,
    H_EPOCH,
    L_GROUP,
    L_ROW,
    L_TAG,
    L_TIMES,
    L_X,
    SHORTS,
    SPARSE,
    SPARSE_WIDE,
    Long,
    Word,
)
from hebbite.runtime.engines.native.rule_tables import (
    ROW_BELOW,
    ROW_CHANGES,
    ROW_DRAW,
    ROW_END_X,
    ROW_SENT,
    ROW_SENT_X,
    ROW_TAG,
    ROW_TAG_DRAW,
    ROW_TARGET,
    ROW_W,
    ROW_X0,
)
from hebbite.runtime.engines.native.scratch import ROOM
from hebbite.runtime.engines.native.synapses import TAG_STREAM, weight_at
from hebbite.runtime.engines.native.tallies import TALLIED, take_tallies


@kernel
def learn_rows(m: int, q: int, count: int, number: int, independent: int) -> int:
    """Update the synapses of the ``count`` lines that are listed; return how many weights changed.

    ``independent``: every synapse is rounded by a number of its own.
    """
    changed, done = 0, 0
    while done < count:
        last = draw_rows(m, q, done, count, number) if independent else count
        changed += update_rows(m, q, at.lines(m)[done:], last - done, independent)
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
def update_rows(m: int, q: int, lines: Word, count: int, independent: int) -> int:
    """Update the synapses of the first ``count`` lines, whose draws begin at ``spots``; return how
    many weights changed.
    """
    table, history, spots, steps = at.tables(m), at.history(m), at.spots(m), at.head(m)[H_EPOCH]
    tallies, longest = at.tallies(m), 0
    g, tagged, timed = at.plastic(m)[q, L_GROUP], at.plastic(m)[q, L_TAG], at.plastic(m)[q, L_TIMES]
    row, width, times = at.plastic(m)[q, L_ROW], at.width(m)[0], at.times(m)
    listed, short = at.groups(m)[g, G_KIND] != DENSE, at.groups(m)[g, G_STORE] == SHORTS
    tx = at.tx(m)[at.plastic(m)[q, L_X] :]
    weights, tags = weight_at(m, g, 0), address(at.tags(m)[max(tagged, 0) :])
    draws, tag_draws = address(at.draws(m)), address(at.tag_draws(m))
    table[ROW_CHANGES], tallies[: at.groups(m)[g, G_SIZE]] = address(tallies), 0
    below, changed = 0, 0
    for k in range(count):
        i = lines[k]
        element, size = synapses_of(m, g, i)
        if listed:
            table[ROW_TARGET] = targets_at(m, g, i, element)
        table[ROW_W] = weights + (2 if short else 4) * element
        table[ROW_TAG] = tags + 2 * element
        spot = spots[k] if independent else 0
        table[ROW_DRAW], table[ROW_TAG_DRAW] = draws + spot, tag_draws + spot
        see_line(table, history, steps, width, i, tx[i])
        if timed:
            see_times(times, history, steps, width, i)
        call_printed(row, address(table), size)
        below += table[ROW_BELOW]
        longest = max(longest, size)
        if k % TALLIED == TALLIED - 1:
            changed += take_tallies(tallies, longest)
    forget_lines(m, g, lines, count)
    at.below(m)[q] += below
    return changed + take_tallies(tallies, longest)


@kernel
def targets_at(m: int, g: int, i: int, element: int) -> int:
    """Return the address of the neurons that line ``i`` of a list reaches, from a synapse on."""
    target = at.groups(m)[g, G_TARGETS] + element
    if at.groups(m)[g, G_KIND] == SPARSE_WIDE:
        return address(at.far_targets(m)[target:])
    if at.groups(m)[g, G_KIND] == SPARSE:
        return address(at.near_targets(m)[target:])
    spell_row(m, g, i)
    return address(at.row_targets(m))


@part
def see_line(table: Long, history: Word, steps: int, width: int, i: int, sent: int) -> None:
    """Fill what a row takes from its line ``i``: whether it sent, its traces then and at the end;
    and from its neurons: their traces when it sent.
    """
    table[ROW_X0] = sent > 0
    for t in range(2):
        trace = t * (steps + 1) * width + i
        table[ROW_SENT_X + t] = history[trace + sent * width]
        table[ROW_END_X + t] = history[trace + steps * width]
    for t in range(3):
        table[ROW_SENT + t] = address(history[((2 + t) * (steps + 1) + sent) * width :])


@part
def see_times(times: Word, history: Word, steps: int, width: int, i: int) -> None:
    """Fill the traces of line ``i`` at every offset of the epoch."""
    for t in range(2):
        for k in range(steps + 1):
            times[t * (steps + 1) + k] = history[(t * (steps + 1) + k) * width + i]
