"""What a convolution does with the messages of a step: each goes to the places that it reaches.

Sums are held by place, (place, output), so that a message adds one row of weights a place; in the
end they are turned to the order of neurons, (output, place).
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import kernel
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


@kernel
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
    for k in range(count):
        line = ids[k]
        sent = (payload[line] if graded else 1) << up
        if line >= shape[V_LINES]:
            taps = shape[V_LINES] // (shape[V_HEIGHT] * shape[V_WIDTH])
            start = base + taps * shape[V_KH] * shape[V_KW] * shape[V_PER_GROUP]
            for place in range(places):
                add_tap(sums, marks, place * outputs, weights, start, outputs, sent)
        else:
            window(sums, marks, shape, weights, base, line, sent)
    for o in range(outputs):
        for place in range(places):
            due[o * places + place] = sums[place * outputs + o]
            arrived[o * places + place] = marks[place * outputs + o]


@kernel
def window(
    sums: Word,
    marks: Byte,
    shape: Long,
    weights: Small | Short | Word,
    base: int,
    line: int,
    sent: int,
) -> None:
    """Add one message at every place whose window holds its line."""
    area, width = shape[V_HEIGHT] * shape[V_WIDTH], shape[V_WIDTH]
    channel, inside = line // area, line % area
    y, x = inside // width, inside % width
    outputs, each = shape[V_OUTPUTS], shape[V_PER_GROUP]
    first = channel // shape[V_INNER] * each
    for i in range(shape[V_KH]):
        down = y + shape[V_TOP] - i * shape[V_DY]
        if down < 0 or down % shape[V_SY] != 0 or down // shape[V_SY] >= shape[V_OH]:
            continue
        for j in range(shape[V_KW]):
            across = x + shape[V_LEFT] - j * shape[V_DX]
            if across < 0 or across % shape[V_SX] != 0 or across // shape[V_SX] >= shape[V_OW]:
                continue
            place = down // shape[V_SY] * shape[V_OW] + across // shape[V_SX]
            tap = (channel * shape[V_KH] + i) * shape[V_KW] + j
            start = base + tap * each
            add_tap(sums, marks, place * outputs + first, weights, start, each, sent)


@kernel
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
        goal[o] += row[o] * sent
    for o in range(size):
        reached[o] |= row[o] != 0
