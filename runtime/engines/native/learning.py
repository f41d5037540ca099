"""Learning in kernels: what a step notes, how traces advance, how weights change.

The definitions stand in `hebbite.compiler.arithmetic.traces` and `...learning`; here only synapses
whose gate holds are visited, and where every product that holds reads a trace y at the line's last
event, only neurons with such a trace: all others keep their weight, since a product of 0 leaves no
fraction.
"""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native.jit import helper, part
from hebbite.runtime.engines.native.outer import accumulate_outer, line_side, neuron_side
from hebbite.runtime.engines.native.philox import draw_block
from hebbite.runtime.engines.native.plan import (
    D_EXPONENT,
    D_FIRST,
    D_GATE,
    D_LAST,
    D_MANTISSA,
    D_SHIFT,
    D_X0,
    D_Y0,
    F_CONSTANT,
    F_KIND,
    F_SIGN,
    F_WIDTH,
    G_COMPONENT,
    G_LINE,
    G_LINES,
    G_MAGNITUDE,
    G_MIRRORS,
    G_POST,
    G_SIZE,
    G_WEIGHT,
    GATE_U,
    GATE_X0,
    GATE_Y0,
    H_BITS,
    H_EPOCH,
    H_INDEPENDENT,
    KINDS,
    L_FACTORS,
    L_FIRST,
    L_GROUP,
    L_LAST,
    L_OUTER,
    L_SPARSE,
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

TRACE_UPDATES, TERMS = INDEX["trace_updates"], INDEX["rule_terms"]
VISITED, CHANGED = INDEX["updates_visited"], INDEX["updates_changed"]
DRAWS, HOST = INDEX["rng_draws"], INDEX["host_words"]
TOP = 127
KIND_W = KINDS.index("w")
ALL_TRACES, PRE_TRACES = 5, 2
EVENTS_ONLY = 2
"""Kinds below are x0 and y0; the next five are traces x1, x2, y1, y2, y3."""


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


@helper
def idle(plan: Plan, state: State, q: int) -> bool:
    """Whether plastic group ``q`` can change no weight: neurons write y1..y3, every product asks
    for a learning event of the neuron, and in this epoch no neuron had one.
    """
    if plan.plastic[q, L_FACTORS] != 3:
        return False
    for p in range(plan.plastic[q, L_FIRST], plan.plastic[q, L_LAST]):
        if plan.products[p, D_Y0] != 1:
            return False
    size = plan.groups[plan.plastic[q, L_GROUP], G_SIZE]
    return events_in(state.ty, plan.plastic[q, L_Y], size) == 0


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


@helper
def events_in(last: Long, start: int, size: int) -> int:
    """Return how many of ``size`` lines or neurons had an event in the epoch."""
    found = 0
    for i in range(size):
        found += last[start + i] > 0
    return found


@helper
def holds(gate: int, tx: int, ty: int, number: int) -> bool:
    """Whether a dependency holds for a synapse, in epoch ``number`` from 1."""
    if gate == GATE_X0:
        return tx > 0
    if gate == GATE_Y0:
        return ty > 0
    return number % (1 << (gate - GATE_U)) == 0


@helper
def gates(plan: Plan, state: State, counts: Long, q: int, number: int) -> tuple[bool, bool, bool]:
    """Count visited synapses and evaluated products; return what makes a synapse visited.

    (every synapse, one whose line sent, one whose neuron had an event); if none, both are needed.
    """
    products, g = plan.products, plan.plastic[q, L_GROUP]
    lines, size = plan.groups[g, G_LINES], plan.groups[g, G_SIZE]
    sent = events_in(state.tx, plan.plastic[q, L_X], lines)
    events = events_in(state.ty, plan.plastic[q, L_Y], size)
    terms = 0
    every, line, neuron, both = False, False, False, False
    for p in range(plan.plastic[q, L_FIRST], plan.plastic[q, L_LAST]):
        if products[p, D_GATE] >= GATE_U and not holds(products[p, D_GATE], 0, 0, number):
            continue
        by_line, by_neuron = products[p, D_X0] == 1, products[p, D_Y0] == 1
        terms += (sent if by_line else lines) * (events if by_neuron else size)
        every |= not by_line and not by_neuron
        line |= by_line and not by_neuron
        neuron |= by_neuron and not by_line
        both |= by_line and by_neuron
    visited = 0
    if every:
        visited = lines * size
    elif line or neuron:
        visited += sent * size if line else 0
        visited += events * lines if neuron else 0
        visited -= sent * events if line and neuron else 0
    elif both:
        visited = sent * events
    counts[plan.groups[g, G_COMPONENT], 1, TERMS] += terms
    counts[plan.groups[g, G_COMPONENT], 1, VISITED] += visited
    counts[plan.groups[g, G_COMPONENT], 1, DRAWS] += visited
    return every, line, neuron


@helper
def product(
    products: Long,
    factors: Long,
    history: Long,
    p: int,
    i: int,
    j: int,
    tx: int,
    ty: int,
    weight: int,
) -> int:
    """Return product ``p`` of the synapse from line ``i`` to neuron ``j``, before its shifts."""
    at = history.shape[1] - 1
    if products[p, D_GATE] < GATE_U:
        at = tx if products[p, D_GATE] == GATE_X0 else ty
    value = products[p, D_MANTISSA]
    for f in range(products[p, D_FIRST], products[p, D_LAST]):
        kind = factors[f, F_KIND]
        factor = 0
        if kind < EVENTS_ONLY:
            factor = 1 if (tx if kind == 0 else ty) > 0 else 0
        elif kind < KIND_W:
            trace = kind - EVENTS_ONLY
            factor = history[trace, at, i if trace < 2 else j]
        elif kind == KIND_W:
            factor = weight
        factor += factors[f, F_CONSTANT]
        if factors[f, F_SIGN]:
            factor = (factor > 0) - (factor < 0)
        top = 1 << factors[f, F_WIDTH]
        value *= min(max(factor, -top), top - 1)
    return int(value)


@helper
def accumulate(
    products: Long,
    factors: Long,
    history: Long,
    first: int,
    last: int,
    i: int,
    j: int,
    tx: int,
    ty: int,
    weight: int,
    number: int,
    bits: int,
) -> int:
    """Return the accumulator of one synapse: weight * 2^7 plus every product, saturated."""
    high = (1 << (bits + 7)) - 1
    low = -high - 2
    total = weight << 7
    for p in range(first, last):
        if holds(products[p, D_GATE], tx, ty, number):
            value = product(products, factors, history, p, i, j, tx, ty, weight)
            value = (value >> products[p, D_SHIFT]) << (products[p, D_EXPONENT] + 7)
            total = min(max(total + min(max(value, low), high), low), high)
    return total


@helper
def choose(chosen: Long, history: Long, sent: int, size: int, sparse: int) -> int:
    """List the neurons to visit for lines that sent last at an offset; return how many."""
    count = 0
    for j in range(size):
        y = history[2, sent, j] | history[3, sent, j] | history[4, sent, j]
        if y != 0 or not sparse:
            chosen[count] = j
            count += 1
    return count


@part
def learn_group(plan: Plan, state: State, scratch: Scratch, call: Call, q: int, epoch: int) -> None:
    """Update the weights of plastic group ``q`` at the end of the call's ``epoch``-th epoch."""
    products, factors, history = plan.products, plan.factors, scratch.history
    weights, tx, ty, block = state.weights, state.tx, state.ty, scratch.block
    first, last = plan.plastic[q, L_FIRST], plan.plastic[q, L_LAST]
    sparse, g = plan.plastic[q, L_SPARSE], plan.plastic[q, L_GROUP]
    lines, size, base = plan.groups[g, G_LINES], plan.groups[g, G_SIZE], plan.groups[g, G_WEIGHT]
    x, y = plan.plastic[q, L_X], plan.plastic[q, L_Y]
    bits, number = plan.head[H_BITS], state.clock[1] + 1
    independent, shared = plan.head[H_INDEPENDENT], call.random[epoch, 2]
    every, line, neuron = gates(plan, state, call.counts, q, number)
    if every:
        sparse = 0
    outer, high = plan.plastic[q, L_OUTER], (1 << (bits + 7)) - 1
    if outer:
        neuron_side(products, factors, first, last, scratch.side)
    chosen, count, listed = scratch.chosen, 0, -1
    changed = 0
    for i in range(lines):
        sent = tx[x + i]
        if sent == 0 and not every and not neuron:
            continue
        if sent != listed:
            count = choose(chosen, history, sent, size, sparse)
            listed = sent
        drawn = -1
        if outer:
            line_side(products, factors, first, last, history[0, sent, i], scratch.side)
        for c in range(count):
            j = chosen[c]
            event = ty[y + j]
            by_line, by_neuron = sent > 0, event > 0
            if not (
                every or (line and by_line) or (neuron and by_neuron) or (by_line and by_neuron)
            ):
                continue
            element = i * size + j
            weight = int(weights[base + element])
            if outer:
                total = accumulate_outer(
                    products, history, scratch.side, first, last, sent, j, event, weight, high
                )
            else:
                total = accumulate(
                    products, factors, history, first, last, i, j, sent, event, weight, number, bits
                )
            if total == weight << 7:
                continue
            if independent and element // 4 != drawn:
                drawn = element // 4
                draw_block(plan.head, drawn, g, number, block)
            chance = block[element % 4] << 21 if independent else shared
            new = (total >> 7) + (chance < (total & 127) << 46)
            new = min(max(new, -(1 << bits)), (1 << bits) - 1)
            changed += new != weight
            weights[base + element] = new
    call.counts[plan.groups[g, G_COMPONENT], 1, CHANGED] += changed


@helper
def mirror(plan: Plan, state: State, counts: Long, g: int) -> None:
    """Copy the transposed weights of the group that ``g`` follows, without its bias line, or their
    signs times a magnitude.
    """
    weights, groups, followed = state.weights, plan.groups, plan.groups[g, G_MIRRORS]
    size, lines = groups[g, G_SIZE], groups[g, G_LINES]
    copy, learned = groups[g, G_WEIGHT], groups[followed, G_WEIGHT]
    magnitude = groups[g, G_MAGNITUDE]
    for j in range(size):
        for i in range(lines):
            weight = weights[learned + j * groups[followed, G_SIZE] + i]
            if magnitude:
                weight = magnitude if weight >= 0 else -magnitude
            weights[copy + i * size + j] = weight
    counts[groups[g, G_COMPONENT], 1, HOST] += size * lines
