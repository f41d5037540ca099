"""What a convolution does with the messages of a step: each goes to the places that it reaches.

Sums are held by place, (place, output), so that a message adds one row of weights a place, and one
for all places beside each other where the windows of neighbours are one step apart; in the end they
are turned to the order of neurons, (output, place).
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import apart, part, turn
from hebbite.runtime.engines.native.plan import (
    V_DX,
    V_DY,
    V_HEIGHT,
    V_INNER,
    V_KH,
    V_KW,
    V_LEFT,
    V_LINES,
    V_OH,
    V_OUTPUTS,
    V_OW,
    V_PER_GROUP,
    V_SX,
    V_SY,
    V_TOP,
    V_WIDTH,
    Byte,
    Long,
    Short,
    Small,
    Word,
)

TILE = 4
"""Elements that `turn` takes along and across."""


@apart
def convolve(
    due: Word,
    arrived: Byte,
    sums: Word,
    marks: Byte,
    shape: Long,
    weights: Small | Short | Word,
    base: int,
    ids: Word,
    count: int,
    payload: Word,
    graded: int,
    up: int,
) -> None:
    """Add what ``count`` lines sent, times 2^up, to ``due`` (neurons,); mark who was reached."""
    outputs, places = shape[V_OUTPUTS], shape[V_OH] * shape[V_OW]
    sums[: outputs * places] = 0
    marks[: outputs * places] = 0
    beside = shape[V_SX] == 1 and shape[V_DX] == 1 and shape[V_PER_GROUP] == outputs
    for k in range(count):
        line = ids[k]
        sent = (payload[line] if graded else 1) << up
        if line >= shape[V_LINES]:
            taps = shape[V_LINES] // (shape[V_HEIGHT] * shape[V_WIDTH])
            start = base + taps * shape[V_KH] * shape[V_KW] * shape[V_PER_GROUP]
            for place in range(places):
                add_tap(sums, marks, place * outputs, weights, start, outputs, sent)
        else:
            window(sums, marks, shape, weights, base, line, sent, beside)
    turn_all(sums, places, outputs, due)
    turn_all(marks, places, outputs, arrived)


@apart
def turn_all(held: Word | Byte, places: int, outputs: int, goal: Word | Byte) -> None:
    """Write ``held`` (place, output) to ``goal`` as (output, place)."""
    across, along = outputs // TILE * TILE, places // TILE * TILE
    for o in range(outputs // TILE):
        for place in range(places // TILE):
            first, goal_first = TILE * (place * outputs + o), TILE * (o * places + place)
            turn(goal[goal_first:], places, held[first:], outputs)
    for o in range(across, outputs):
        for place in range(along):
            goal[o * places + place] = held[place * outputs + o]
    for o in range(outputs):
        for place in range(along, places):
            goal[o * places + place] = held[place * outputs + o]


@apart
def window(
    sums: Word,
    marks: Byte,
    shape: Long,
    weights: Small | Short | Word,
    base: int,
    line: int,
    sent: int,
    beside: int,
) -> None:
    """Add one message at every place whose window holds its line; ``beside``: a row at a time."""
    area, width, columns = shape[V_HEIGHT] * shape[V_WIDTH], shape[V_WIDTH], shape[V_KW]
    channel = line // area
    inside = line - channel * area
    y = inside // width
    x, each = inside - y * width + shape[V_LEFT], shape[V_PER_GROUP]
    for i in range(shape[V_KH]):
        down = place_of(y + shape[V_TOP] - i * shape[V_DY], shape[V_SY], shape[V_OH])
        if down < 0:
            continue
        row, place = base + (channel * shape[V_KH] + i) * columns * each, down * shape[V_OW]
        if beside:
            left = x - columns + 1
            start, end = max(left, 0), min(left + columns, shape[V_OW])
            row += (start - left) * each
            add_tap(sums, marks, (place + start) * each, weights, row, (end - start) * each, sent)
            continue
        first = channel // shape[V_INNER] * each
        for j in range(columns):
            across = place_of(x - j * shape[V_DX], shape[V_SX], shape[V_OW])
            if across < 0:
                continue
            goal = (place + across) * shape[V_OUTPUTS] + first
            add_tap(sums, marks, goal, weights, row + (columns - 1 - j) * each, each, sent)


@part
def place_of(start: int, stride: int, places: int) -> int:
    """Return which of ``places`` windows starts there, -1 if none does. To divide takes longer than
    all the rest of a tap, so that it is left out where the stride is 1.
    """
    found = start
    if stride > 1:
        found = start // stride
        if found * stride != start:
            return -1
    return found if start >= 0 and found < places else -1


@apart
def add_tap(
    sums: Word,
    marks: Byte,
    place: int,
    weights: Small | Short | Word,
    start: int,
    size: int,
    sent: int,
) -> None:
    """Add a row of ``size`` weights, times what was sent, at a place."""
    goal, row, reached = sums[place:], weights[start:], marks[place:]
    for o in range(size):
        weight = row[o]
        goal[o] += weight * sent
        reached[o] |= weight != 0
