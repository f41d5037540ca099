"""Lists of synapses in kernels: messages are added one synapse after the other; who a line reaches,
and who reaches a neuron.

A list stands sorted by line, then by neuron. Whom a line reaches is written as 32 or 16 bits a
synapse. Where a rule asks who reaches a neuron, that is written as the gaps between its lines, and
where in its line a synapse stands is searched; dense lines are cut into blocks of 256 neurons then,
with 8 bits a synapse.
"""

from __future__ import annotations

from numpy import uint16
from numpy.typing import NDArray

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.counts import UNKNOWN, filled
from hebbite.runtime.engines.native.language import (
    apart,
    fetch,
    kernel,
    logical,
    lowest,
    matching,
    part,
)
from hebbite.runtime.engines.native.plan import (
    BLOCK,
    G_BLOCKS,
    G_BORDERS,
    G_COLUMNS,
    G_ENDS,
    G_KIND,
    G_STARTS,
    G_TARGETS,
    LEAP,
    SPARSE,
    SPARSE_BLOCKS,
    SPARSE_WIDE,
    Byte,
    Long,
    Short,
    Small,
    Word,
)

LANES = 64
"""Targets that are looked at at once."""
AHEAD = 4
"""Lines whose synapses are asked for before their turn."""


@apart
def add_listed(
    due: Word,
    arrived: Byte,
    targets: NDArray[uint16] | Word,
    starts: Long,
    weights: Small | Short | Word,
    ids: Word,
    count: int,
    payload: Word,
    graded: int,
    nonzero: Word,
    up: int,
    asked: int,
    of_bytes: int,
) -> int:
    """Add what ``count`` lines sent, times 2^up, to ``due`` (neurons,); if ``asked``, mark who was
    reached. Return how many weights that are not 0 they have, ``nonzero`` of each line.
    """
    met = 0
    for k in range(count):
        ask_ahead(targets, starts, weights, ids, k, count - 1)
        line = ids[k]
        first, last = starts[line], starts[line + 1]
        sent = (payload[line] if graded else 1) << up
        met += held_by(nonzero, line, weights, first, last)
        add_part(due, arrived, targets, weights, first, last, sent, asked, of_bytes)
    return met


@apart
def add_blocks(
    due: Word,
    arrived: Byte,
    targets: Byte,
    borders: NDArray[uint16],
    blocks: int,
    starts: Long,
    weights: Small | Short | Word,
    ids: Word,
    count: int,
    payload: Word,
    graded: int,
    nonzero: Word,
    up: int,
    asked: int,
    of_bytes: int,
) -> int:
    """Do what `add_listed` does, block by block of a line."""
    met = 0
    for k in range(count):
        ask_ahead(targets, starts, weights, ids, k, count - 1)
        line = ids[k]
        first, row = starts[line], borders[line * (blocks + 1) :]
        sent = (payload[line] if graded else 1) << up
        met += held_by(nonzero, line, weights, first, starts[line + 1])
        for b in range(blocks):
            here, marks = due[BLOCK * b :], arrived[BLOCK * b :]
            begin, end = first + row[b], first + row[b + 1]
            add_part(here, marks, targets, weights, begin, end, sent, asked, of_bytes)
    return met


@part
def held_by(nonzero: Word, line: int, weights: Small | Short | Word, first: int, last: int) -> int:
    """Return how many weights that are not 0 a line has, counted now if they changed."""
    if nonzero[line] == UNKNOWN:
        nonzero[line] = filled(weights[first:], last - first)
    return nonzero[line]


@part
def ask_ahead(
    targets: Byte | NDArray[uint16] | Word,
    starts: Long,
    weights: Small | Short | Word,
    ids: Word,
    k: int,
    last: int,
) -> None:
    """Ask for the first synapses of a line that comes soon, and where a later one starts."""
    fetch(starts, ids[min(k + 2 * AHEAD, last)])
    first = starts[ids[min(k + AHEAD, last)]]
    for step in range(3):
        fetch(targets, first + 32 * step)
        fetch(weights, first + 32 * step)


@part
def add_part(
    due: Word,
    arrived: Byte,
    targets: Byte | NDArray[uint16] | Word,
    weights: Small | Short | Word,
    first: int,
    last: int,
    sent: int,
    asked: int,
    of_bytes: int,
) -> None:
    """Add ``sent`` through some synapses of a line, and mark whom it reached if ``asked``: weights
    of 0 reach nobody, and a weight ``of_bytes`` marks by itself.
    """
    if not asked:
        for s in range(first, last):
            due[targets[s]] += weights[s] * sent
    elif of_bytes:
        for s in range(first, last):
            j, weight = targets[s], weights[s]
            due[j] += weight * sent
            arrived[j] |= weight
    else:
        for s in range(first, last):
            j, weight = targets[s], weights[s]
            due[j] += weight * sent
            arrived[j] |= weight != 0


@part
def without_bias(listed: Word, count: int, size: int) -> int:
    """Return how many of the ``count`` lines of an output that are listed stand below ``size``: all
    but its bias line, which stands last.
    """
    if count > 0 and listed[count - 1] >= size:
        return count - 1
    return count


@kernel
def spell_row(m: int, g: int, i: int) -> None:
    """Write the neurons that line ``i`` of a list in blocks reaches, 16 bits each."""
    groups, blocks = at.groups(m), at.groups(m)[g, G_BLOCKS]
    first = at.starts(m)[groups[g, G_STARTS] + i]
    targets = at.in_blocks(m)[groups[g, G_TARGETS] + first :]
    row = at.borders(m)[groups[g, G_BORDERS] + i * (blocks + 1) :]
    spelt = at.row_targets(m)
    for b in range(blocks):
        for s in range(row[b], row[b + 1]):
            spelt[s] = targets[s] + BLOCK * b


@kernel
def reaching(m: int, g: int, i: int, marks: Byte) -> int:
    """Return how many synapses of line ``i`` of a list end at a neuron whose mark is not 0."""
    groups = at.groups(m)
    start = groups[g, G_STARTS] + i
    first, count = at.starts(m)[start], at.starts(m)[start + 1] - at.starts(m)[start]
    place = groups[g, G_TARGETS] + first
    if groups[g, G_KIND] == SPARSE_BLOCKS:
        spell_row(m, g, i)
        return marked_of(marks, at.row_targets(m), count)
    if groups[g, G_KIND] == SPARSE:
        return marked_of(marks, at.near_targets(m)[place:], count)
    return marked_of(marks, at.far_targets(m)[place:], count)


@part
def marked_of(marks: Byte, targets: NDArray[uint16] | Word, count: int) -> int:
    """Return how many of ``count`` synapses end at a marked neuron."""
    found = 0
    for s in range(count):
        found += marks[targets[s]] != 0
    return found


@part
def any_marked(marks: Byte, targets: NDArray[uint16] | Word, count: int) -> int:
    """Return a number that is 0 if none of ``count`` synapses ends at a marked neuron. The last
    eight are looked at together, whether some were before or not.
    """
    found, last, s = 0, count - 8, 0
    if last < 0:
        for k in range(count):
            found |= marks[targets[k]]
        return found
    while s < last:
        found |= any_of_eight(marks, targets[s:])
        s += 8
    return found | any_of_eight(marks, targets[last:])


@part
def any_of_eight(marks: Byte, targets: NDArray[uint16] | Word) -> int:
    """Do what `any_marked` does, for eight synapses."""
    low = marks[targets[0]] | marks[targets[1]] | marks[targets[2]] | marks[targets[3]]
    return low | marks[targets[4]] | marks[targets[5]] | marks[targets[6]] | marks[targets[7]]


@kernel
def keep_reaching(m: int, g: int, kept: Word, lines: Word, count: int, marks: Byte) -> int:
    """Write those of the first ``count`` lines of a list to ``kept`` that reach a marked neuron;
    return how many there are. What is written may lie over what was read.
    """
    groups, starts = at.groups(m), at.starts(m)[at.groups(m)[g, G_STARTS] :]
    first, left = groups[g, G_TARGETS], 0
    if groups[g, G_KIND] == SPARSE:
        return keep_marked(kept, lines, count, starts, at.near_targets(m)[first:], marks)
    if groups[g, G_KIND] == SPARSE_WIDE:
        return keep_marked(kept, lines, count, starts, at.far_targets(m)[first:], marks)
    for k in range(count):
        kept[left] = lines[k]
        left += reaching(m, g, lines[k], marks) > 0
    return left


@kernel
def keep_marked(
    kept: Word,
    lines: Word,
    count: int,
    starts: Long,
    targets: NDArray[uint16] | Word,
    marks: Byte,
) -> int:
    """Do what `keep_reaching` does, by targets as they stand."""
    left = 0
    for k in range(count):
        i = lines[k]
        fetch(targets, starts[lines[min(k + AHEAD, count - 1)]])
        first, last = starts[i], starts[i + 1]
        kept[left] = i
        left += any_marked(marks, targets[first:], last - first) != 0
    return left


@kernel
def list_column(m: int, g: int, j: int) -> int:
    """List the lines of a list that reach neuron ``j``; return how many."""
    groups, place = at.groups(m), at.groups(m)[g, G_ENDS] + j
    count = at.ends(m)[place + 1] - at.ends(m)[place]
    list_lines(at.gaps(m)[at.gap_starts(m)[groups[g, G_COLUMNS] + j] :], count, at.column_lines(m))
    return count


@kernel
def find_column(m: int, g: int, j: int, count: int) -> None:
    """Write which elements of a list join the first ``count`` listed lines and neuron ``j``."""
    groups, lines, elements = at.groups(m), at.column_lines(m), at.elements(m)
    starts, first = at.starts(m)[groups[g, G_STARTS] :], groups[g, G_TARGETS]
    if groups[g, G_KIND] == SPARSE_BLOCKS:
        blocks, b = groups[g, G_BLOCKS], j // BLOCK
        targets, row = at.in_blocks(m)[first:], at.borders(m)[groups[g, G_BORDERS] + b :]
        for k in range(count):
            border, start = lines[k] * (blocks + 1), starts[lines[k]]
            begin, end = start + row[border], start + row[border + 1]
            elements[k] = seek(targets, begin, end, j - BLOCK * b)
    elif groups[g, G_KIND] == SPARSE:
        near = at.near_targets(m)[first:]
        for k in range(count):
            elements[k] = seek(near, starts[lines[k]], starts[lines[k] + 1], j)
    else:
        far = at.far_targets(m)[first:]
        for k in range(count):
            elements[k] = seek(far, starts[lines[k]], starts[lines[k] + 1], j)


@apart
def list_lines(gaps: Byte, count: int, lines: Word) -> None:
    """Write the lines that ``gaps`` lead to, from -1 on."""
    line, place = -1, 0
    for k in range(count):
        while gaps[place] == 0:
            line += LEAP
            place += 1
        line += gaps[place]
        place += 1
        lines[k] = line


@part
def seek(targets: Byte | NDArray[uint16] | Word, first: int, last: int, wanted: int) -> int:
    """Return where in the rising targets first..last-1 ``wanted`` stands, which is there."""
    size, room = last - first, targets.shape[0] - LANES
    until = LANES if room >= 0 else 1
    while size > until:
        half = size >> 1
        first += half if targets[first + half] <= wanted else 0
        size -= half
    if room < 0:
        return first
    start = min(first, room)
    return first + lowest(logical(matching(targets, start, wanted), first - start))
