"""Traces in kernels: what a step notes of messages and events, and how an epoch advances.

The definitions stand in `hebbite.compiler.arithmetic.traces`.
"""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native.jit import helper, part
from hebbite.runtime.engines.native.philox import draw_block
from hebbite.runtime.engines.native.plan import (
    G_COMPONENT,
    G_LINE,
    G_LINES,
    G_POST,
    G_SIZE,
    H_EPOCH,
    H_INDEPENDENT,
    L_FACTORS,
    L_GROUP,
    L_X,
    L_Y,
    P_BASE,
    ROW_BAP,
    ROW_Y1,
    T_HOLDS,
    T_IMPULSE,
    T_KEPT,
    T_OVERWRITE,
    Call,
    Long,
    Plan,
    Scratch,
    State,
)

TRACE_UPDATES = INDEX["trace_updates"]
TOP = 127
ALL_TRACES, PRE_TRACES = 5, 2


@helper
def note_messages(plan: Plan, state: State, counts: Long, q: int, offset: int) -> None:
    """Note which lines of plastic group ``q`` sent in this step of the epoch."""
    lines, x, tx, kept, g = state.lines, state.x, state.tx, plan.kept, plan.plastic[q, L_GROUP]
    first, count, line = plan.plastic[q, L_X], plan.groups[g, G_LINES], plan.groups[g, G_LINE]
    sent = 0
    for i in range(count):
        payload = lines[line + i]
        if payload == 0:
            continue
        sent += 1
        for t in range(2):
            at = 2 * first + t * count + i
            if kept[q, t, T_KEPT] and kept[q, t, T_OVERWRITE]:
                half = payload >> 1
                x[at] = (half + ((payload & 1) & (half & 1))) & 0xFF
            elif kept[q, t, T_KEPT] and tx[first + i] > 0:
                x[at] = min(x[at] + kept[q, t, T_IMPULSE], TOP)
        tx[first + i] = offset
    written = kept[q, 0, T_KEPT] + kept[q, 1, T_KEPT]
    counts[plan.groups[g, G_COMPONENT], 1, TRACE_UPDATES] += sent * written


@helper
def note_events(plan: Plan, state: State, counts: Long, q: int, offset: int) -> None:
    """Note the learning events of the neurons of plastic group ``q``, and y1..y3 as they sent."""
    m, y, ty, kept, g = state.memory, state.y, state.ty, plan.kept, plan.plastic[q, L_GROUP]
    first, size = plan.plastic[q, L_Y], plan.groups[g, G_SIZE]
    base = plan.populations[plan.groups[g, G_POST], P_BASE]
    three = plan.plastic[q, L_FACTORS] == 3
    events = 0
    for j in range(size):
        event = m[base + ROW_BAP * size + j] != 0
        for t in range(3):
            at = 3 * first + t * size + j
            if three:
                y[at] = m[base + (ROW_Y1 + t) * size + j]
            elif event and ty[first + j] > 0 and kept[q, 2 + t, T_KEPT]:
                y[at] = min(y[at] + kept[q, 2 + t, T_IMPULSE], TOP)
        if event:
            events += 1
            ty[first + j] = offset
    if not three:
        written = kept[q, 2, T_KEPT] + kept[q, 3, T_KEPT] + kept[q, 4, T_KEPT]
        counts[plan.groups[g, G_COMPONENT], 1, TRACE_UPDATES] += events * written


@helper
def count_written(plan: Plan, state: State, counts: Long, q: int) -> None:
    """Count the values that neurons wrote into y1..y3 and that are not 0, at an epoch's end."""
    y, g, first = state.y, plan.plastic[q, L_GROUP], 3 * plan.plastic[q, L_Y]
    size = plan.groups[g, G_SIZE]
    if plan.plastic[q, L_FACTORS] != 3:
        return
    written = 0
    for t in range(3):
        if plan.kept[q, 2 + t, T_KEPT]:
            for j in range(size):
                written += y[first + t * size + j] != 0
    counts[plan.groups[g, G_COMPONENT], 1, TRACE_UPDATES] += written


@part
def advance_group(
    plan: Plan, state: State, scratch: Scratch, call: Call, q: int, epoch: int, traces: int
) -> None:
    """Fill the histories of the first ``traces`` traces over the epoch that ends, the ``epoch``-th
    of the call.
    """
    g = plan.plastic[q, L_GROUP]
    lines, size = plan.groups[g, G_LINES], plan.groups[g, G_SIZE]
    x, y = plan.plastic[q, L_X], plan.plastic[q, L_Y]
    number = state.clock[1] + 1
    for t in range(traces):
        stream = (t + 1) << 24 | g if plan.head[H_INDEPENDENT] else -1
        args = (plan.head, scratch.block, plan.kept, plan.floor, plan.threshold, scratch.history)
        if t < 2:
            shared = call.random[epoch, 0]
            advance(
                *args, state.x, 2 * x + t * lines, state.tx, x, lines, q, t, shared, stream, number
            )
        else:
            shared = call.random[epoch, 1]
            start = 3 * y + (t - 2) * size
            advance(*args, state.y, start, state.ty, y, size, q, t, shared, stream, number)


@helper
def advance(
    head: Long,
    block: Long,
    kept: Long,
    floor: Long,
    threshold: Long,
    history: Long,
    values: Long,
    start: int,
    last: Long,
    events: int,
    size: int,
    q: int,
    t: int,
    shared: int,
    stream: int,
    number: int,
) -> None:
    """Fill the history of one trace; ``stream`` is -1 where one number serves all elements.

    A trace of 0 has nothing to decay by chance, so nothing is drawn for it.
    """
    impulse, steps = kept[q, t, T_IMPULSE], head[H_EPOCH]
    draw, drawn = shared, -1
    for i in range(size):
        value = values[start + i]
        history[t, 0, i] = value
        if not kept[q, t, T_KEPT]:
            for k in range(1, steps + 1):
                history[t, k, i] = 0
            continue
        if stream >= 0 and (value != 0 or 0 < last[events + i] < steps):
            if i // 4 != drawn:
                drawn = i // 4
                draw_block(head, drawn, stream, number, block)
            draw = block[i % 4] << 21
        held = kept[q, t, T_HOLDS] and draw < threshold[q, t, TOP]
        for k in range(1, steps + 1):
            if not held:
                value = floor[q, t, value] + (draw < threshold[q, t, value])
            if last[events + i] == k:
                value = min(value + impulse, TOP)
            history[t, k, i] = value


@helper
def keep(plan: Plan, state: State, scratch: Scratch, q: int) -> None:
    """Store the last values of the traces and forget the events of the epoch."""
    x, y, tx, ty, history = state.x, state.y, state.tx, state.ty, scratch.history
    g, end = plan.plastic[q, L_GROUP], plan.head[H_EPOCH]
    lines, size = plan.groups[g, G_LINES], plan.groups[g, G_SIZE]
    first, neuron = plan.plastic[q, L_X], plan.plastic[q, L_Y]
    for t in range(2):
        if plan.kept[q, t, T_KEPT]:
            for i in range(lines):
                x[2 * first + t * lines + i] = history[t, end, i]
    for t in range(3):
        if plan.kept[q, 2 + t, T_KEPT] and plan.plastic[q, L_FACTORS] == 2:
            for j in range(size):
                y[3 * neuron + t * size + j] = history[2 + t, end, j]
    for i in range(lines):
        tx[first + i] = 0
    for j in range(size):
        ty[neuron + j] = 0
