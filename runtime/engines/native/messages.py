"""What a step moves: events of sources, messages under way, inputs of populations."""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native.jit import helper, part
from hebbite.runtime.engines.native.plan import (
    G_COMPONENT,
    G_COST,
    G_DELAY,
    G_DUE,
    G_EXPONENT,
    G_FEEDBACK,
    G_GRADED,
    G_LINE,
    G_LINES,
    G_PORT,
    G_POST,
    G_SIZE,
    G_WEIGHT,
    P_BASE,
    P_COMPONENT,
    P_DRIVE,
    P_ERROR,
    P_LINES,
    P_OUT,
    P_SIZE,
    P_V,
    ROW_BAP,
    ROW_E,
    ROW_S,
    S_COMPONENT,
    S_EVENTS,
    S_LINES,
    S_OUT,
    S_SIZE,
    S_TARGET,
    W_LINE,
    W_POPULATION,
    Call,
    Long,
    Plan,
    Scratch,
    State,
)

STEPS, ACTIVE, SYN_OPS = INDEX["neuron_steps"], INDEX["neuron_active"], INDEX["syn_ops"]
SPIKES, HOST = INDEX["spikes_in"], INDEX["host_words"]


@part
def feed(plan: Plan, state: State, call: Call, s: int, sample: int, offset: int, late: int) -> None:
    """Put what source ``s`` sends on its lines; the host counts every word."""
    lines, events, sources = state.lines, call.events, plan.sources
    out, size = sources[s, S_OUT], sources[s, S_SIZE]
    event = plan.source_events[s, offset]
    start = call.event_base[s] + (sample * sources[s, S_EVENTS] + event) * size
    words = 0
    for i in range(size):
        value = events[start + i] if event >= 0 else 0
        lines[out + i] = value
        words += value != 0
    if sources[s, S_LINES] > size:
        lines[out + size] = plan.source_bias[s, offset]
        words += plan.source_bias[s, offset] != 0
    call.counts[sources[s, S_COMPONENT], max(late, sources[s, S_TARGET]), HOST] += words


@part
def deliver(
    plan: Plan, state: State, scratch: Scratch, counts: Long, p: int, step: int, late: int
) -> None:
    """Clear the outputs of population ``p``, fill its inputs, count its active neurons."""
    m, lines, busy = state.memory, state.lines, scratch.busy
    populations, groups, wires = plan.populations, plan.groups, plan.wires
    base, size = populations[p, P_BASE], populations[p, P_SIZE]
    potential, drive = populations[p, P_V], populations[p, P_DRIVE]
    for j in range((ROW_BAP + 1) * size):
        m[base + j] = 0
    for j in range(size):
        busy[j] = m[potential + j] != 0
    if drive >= 0:
        for j in range(size):
            busy[j] |= m[drive + j] != 0
    for g in range(groups.shape[0]):
        if groups[g, G_POST] == p:
            slot = groups[g, G_DUE] + (step % groups[g, G_DELAY]) * size
            arrive(m, state.due, state.arrived, busy, base + groups[g, G_PORT] * size, slot, size)
    for w in range(wires.shape[0]):
        if wires[w, W_POPULATION] == p:
            arrive(m, lines, lines, busy, base + size, wires[w, W_LINE], size)
    active = 0
    for j in range(size):
        active += busy[j] != 0
    counts[populations[p, P_COMPONENT], late, STEPS] += size
    counts[populations[p, P_COMPONENT], late, ACTIVE] += active


@helper
def arrive(m: Long, due: Long, reached: Long, busy: Long, port: int, start: int, size: int) -> None:
    """Add what is due to an input, and mark the neurons that a message reached."""
    for j in range(size):
        m[port + j] += due[start + j]
        busy[j] |= reached[start + j] != 0


@part
def send(plan: Plan, state: State, p: int, offset: int) -> None:
    """Put what population ``p`` sends on its lines."""
    m, lines, populations = state.memory, state.lines, plan.populations
    base, size = populations[p, P_BASE], populations[p, P_SIZE]
    out, error = populations[p, P_OUT], populations[p, P_ERROR]
    for j in range(size):
        lines[out + j] = m[base + ROW_S * size + j]
        lines[error + j] = m[base + ROW_E * size + j]
    if populations[p, P_LINES] > size:
        lines[out + size] = plan.population_bias[p, offset]


@part
def receive(plan: Plan, state: State, counts: Long, g: int, step: int, late: int) -> None:
    """Compute what group ``g`` delivers later, from the lines that sent in this step."""
    lines, weights, due, arrived = state.lines, state.weights, state.due, state.arrived
    groups, costs, cost = plan.groups, plan.cost, plan.groups[g, G_COST]
    line, size, base = groups[g, G_LINE], groups[g, G_SIZE], groups[g, G_WEIGHT]
    graded, exponent = groups[g, G_GRADED], groups[g, G_EXPONENT]
    component, phase = groups[g, G_COMPONENT], max(late, groups[g, G_FEEDBACK])
    slot = groups[g, G_DUE] + (step % groups[g, G_DELAY]) * size
    for j in range(size):
        due[slot + j] = 0
        arrived[slot + j] = 0
    reached, sent = 0, 0
    for i in range(groups[g, G_LINES]):
        payload = lines[line + i]
        if payload == 0:
            continue
        if not graded:
            payload = 1
        sent += 1
        start = base + i * size
        for j in range(size):
            weight = weights[start + j]
            due[slot + j] += weight * payload
            arrived[slot + j] |= weight != 0
            reached += weight != 0
        for c in range(5):
            counts[component, phase, SPIKES + c] += costs[cost + i, c]
    counts[component, phase, SYN_OPS] += reached
    if sent and exponent != 0:
        for j in range(size):
            value = due[slot + j]
            due[slot + j] = value << exponent if exponent > 0 else value >> -exponent
