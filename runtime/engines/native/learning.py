"""Learning in kernels: how weights and tags change at the end of an epoch.

The definition stands in `hebbite.compiler.arithmetic.learning`; here only synapses whose gate holds
are visited, and where every product that holds reads a trace y at the line's last event, only
neurons with such a trace: all others keep their weight and tag, since a product of 0 leaves no
fraction. One tag is moved by a product of 0, the one below its word; while a group has any, all its
synapses are visited.
"""

from __future__ import annotations

from hebbite.compiler.arithmetic.randomness import KIND
from hebbite.compiler.program.types import TAG
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
    G_LINES,
    G_MAGNITUDE,
    G_MIRRORS,
    G_SIZE,
    G_WEIGHT,
    GATE_U,
    GATE_X0,
    GATE_Y0,
    H_BITS,
    H_INDEPENDENT,
    KINDS,
    L_FACTORS,
    L_FIRST,
    L_GROUP,
    L_LAST,
    L_OUTER,
    L_SPARSE,
    L_TAG,
    L_TAG_FIRST,
    L_X,
    L_Y,
    Call,
    Long,
    Plan,
    Scratch,
    State,
)

TERMS, DRAWS, HOST = INDEX["rule_terms"], INDEX["rng_draws"], INDEX["host_words"]
VISITED, CHANGED = INDEX["updates_visited"], INDEX["updates_changed"]
KIND_W, KIND_T = KINDS.index("w"), KINDS.index("t")
EVENTS_ONLY = 2
"""Kinds below are x0 and y0; the next five are traces x1, x2, y1, y2, y3."""
TAG_BITS, TAG_STREAM = TAG.weight, KIND["tag"] << 24


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
def idle(plan: Plan, state: State, q: int) -> bool:
    """Whether plastic group ``q`` can change nothing: it keeps no tags, neurons write y1..y3, every
    product asks for a learning event of the neuron, and in this epoch no neuron had one.
    """
    if plan.plastic[q, L_FACTORS] != 3 or plan.plastic[q, L_TAG] >= 0:
        return False
    for p in range(plan.plastic[q, L_FIRST], plan.plastic[q, L_LAST]):
        if plan.products[p, D_Y0] != 1:
            return False
    size = plan.groups[plan.plastic[q, L_GROUP], G_SIZE]
    return events_in(state.ty, plan.plastic[q, L_Y], size) == 0


@helper
def survey(
    plan: Plan, state: State, q: int, first: int, last: int, number: int
) -> tuple[int, int, bool, bool, bool]:
    """Return (visited synapses, evaluated products) of the products first..last-1, and what makes a
    synapse visited: (always, that its line sent, that its neuron had an event); if none of these,
    both are needed.
    """
    products, g = plan.products, plan.plastic[q, L_GROUP]
    lines, size = plan.groups[g, G_LINES], plan.groups[g, G_SIZE]
    sent = events_in(state.tx, plan.plastic[q, L_X], lines)
    events = events_in(state.ty, plan.plastic[q, L_Y], size)
    terms = 0
    every, line, neuron, both = False, False, False, False
    for p in range(first, last):
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
    return visited, terms, every, line, neuron


@helper
def gates(plan: Plan, state: State, counts: Long, q: int, number: int) -> tuple[bool, bool, bool]:
    """Count visited synapses, evaluated products and draws; return what makes a synapse visited."""
    first, last = plan.plastic[q, L_FIRST], plan.plastic[q, L_LAST]
    component = plan.groups[plan.plastic[q, L_GROUP], G_COMPONENT]
    visited, terms, every, line, neuron = survey(plan, state, q, first, last, number)
    draws = visited
    if plan.plastic[q, L_TAG] >= 0:
        middle = plan.plastic[q, L_TAG_FIRST]
        draws = survey(plan, state, q, first, middle, number)[0]
        draws += survey(plan, state, q, middle, last, number)[0]
    counts[component, 1, TERMS] += terms
    counts[component, 1, VISITED] += visited
    counts[component, 1, DRAWS] += draws
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
    tag: int,
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
        elif kind == KIND_T:
            factor = tag
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
    tag: int,
    start: int,
    number: int,
    bits: int,
) -> int:
    """Return the accumulator of one synapse: start * 2^7 plus every product, saturated."""
    high = (1 << (bits + 7)) - 1
    low = -high - 2
    total = start << 7
    for p in range(first, last):
        if holds(products[p, D_GATE], tx, ty, number):
            value = product(products, factors, history, p, i, j, tx, ty, weight, tag)
            value = (value >> products[p, D_SHIFT]) << (products[p, D_EXPONENT] + 7)
            total = min(max(total + min(max(value, low), high), low), high)
        elif total < low:
            total = low
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
    """Update weights and tags of group ``q`` at the end of the call's ``epoch``-th epoch."""
    products, factors, history = plan.products, plan.factors, scratch.history
    weights, tags, tx, ty, block = state.weights, state.tags, state.tx, state.ty, scratch.block
    first, last = plan.plastic[q, L_FIRST], plan.plastic[q, L_TAG_FIRST]
    sparse, g, tagged = plan.plastic[q, L_SPARSE], plan.plastic[q, L_GROUP], plan.plastic[q, L_TAG]
    lines, size, base = plan.groups[g, G_LINES], plan.groups[g, G_SIZE], plan.groups[g, G_WEIGHT]
    x, y = plan.plastic[q, L_X], plan.plastic[q, L_Y]
    bits, number = plan.head[H_BITS], state.clock[1] + 1
    independent, shared = plan.head[H_INDEPENDENT], call.random[epoch, 2]
    every, line, neuron = gates(plan, state, call.counts, q, number)
    every |= state.below[q] > 0
    if every:
        sparse = 0
    outer, high = 0 if every else plan.plastic[q, L_OUTER], (1 << (bits + 7)) - 1
    if outer:
        last = first + outer
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
        drawn, held = -1, -1
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
            weight, tag = int(weights[base + element]), 0
            if tagged >= 0:
                tag = int(tags[tagged + element])
                held = learn_tag(
                    plan, state, scratch, q, i, j, sent, event, weight, tag, number, shared, held
                )
            if outer:
                total = accumulate_outer(
                    products, history, scratch.side, first, last, sent, j, event, weight, high
                )
            else:
                total = accumulate(
                    products,
                    factors,
                    history,
                    first,
                    last,
                    i,
                    j,
                    sent,
                    event,
                    weight,
                    tag,
                    weight,
                    number,
                    bits,
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
def learn_tag(
    plan: Plan,
    state: State,
    scratch: Scratch,
    q: int,
    i: int,
    j: int,
    tx: int,
    ty: int,
    weight: int,
    tag: int,
    number: int,
    shared: int,
    drawn: int,
) -> int:
    """Update the tag of the synapse from line ``i`` to neuron ``j``, and how many lie too low.

    ``drawn`` is the block of random numbers at hand; return which one is at hand now.
    """
    first, last = plan.plastic[q, L_TAG_FIRST], plan.plastic[q, L_LAST]
    total = accumulate(
        plan.products,
        plan.factors,
        scratch.history,
        first,
        last,
        i,
        j,
        tx,
        ty,
        weight,
        tag,
        tag,
        number,
        TAG_BITS,
    )
    if total == tag << 7:
        return drawn
    g, low = plan.plastic[q, L_GROUP], -(1 << TAG_BITS) - 1
    element = i * plan.groups[g, G_SIZE] + j
    chance = shared
    if plan.head[H_INDEPENDENT]:
        if element // 4 != drawn:
            drawn = element // 4
            draw_block(plan.head, drawn, TAG_STREAM | g, number, scratch.tag_block)
        chance = scratch.tag_block[element % 4] << 21
    new = (total >> 7) + (chance < (total & 127) << 46)
    new = min(max(new, low), (1 << TAG_BITS) - 1)
    state.below[q] += (new == low) - (tag == low)
    state.tags[plan.plastic[q, L_TAG] + element] = new
    return drawn


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
