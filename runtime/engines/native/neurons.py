"""Neuron programs in a kernel: one loop over the population an instruction."""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native.jit import helper, part
from hebbite.runtime.engines.native.philox import draw_block
from hebbite.runtime.engines.native.plan import (
    I_FIRST,
    I_LAST,
    I_OP,
    I_RESULT,
    I_X,
    I_Y,
    I_Z,
    OPS,
    P_COMPONENT,
    P_FIRST,
    P_LAST,
    P_SIZE,
    Long,
    Plan,
    Scratch,
    State,
)

RESETS, DRAWS = INDEX["resets"], INDEX["rng_draws"]
(RESET, MOV, NEG, ABS, WRAP24, ADD, SUB, MUL, MIN, MAX, SHL, SHR) = range(12)
(SHRZ, DECAY, EQ, NE, LT, GE, GT, AND, SELECT, TABLE, RANDOM) = range(12, 23)
assert OPS.index("random") == RANDOM


@helper
def toward_zero(value: int, shift: int) -> int:
    """Return value / 2^shift, rounded toward zero."""
    return value >> shift if value >= 0 else -((-value) >> shift)


@part
def execute(
    plan: Plan, state: State, scratch: Scratch, counts: Long, p: int, offset: int, late: int
) -> None:
    """Execute one step of population ``p``."""
    code, memory = plan.instructions, state.memory
    size = plan.populations[p, P_SIZE]
    component = plan.populations[p, P_COMPONENT]
    for k in range(plan.populations[p, P_FIRST], plan.populations[p, P_LAST]):
        if offset < code[k, I_FIRST] or offset > code[k, I_LAST]:
            continue
        op, r = code[k, I_OP], code[k, I_RESULT]
        x, y, z = code[k, I_X], code[k, I_Y], code[k, I_Z]
        if op == RESET:
            counts[component, late, RESETS] += size
        if op == RANDOM:
            counts[component, late, DRAWS] += size
            draw(plan.head, memory, scratch.block, state.clock[0], r, x, y, size)
        elif op <= WRAP24:
            one(memory, op, r, x, size)
        elif op <= MAX:
            arithmetic(memory, op, r, x, y, size)
        elif op <= DECAY:
            shifts(memory, op, r, x, y, size)
        elif op <= AND:
            logic(memory, op, r, x, y, size)
        else:
            special(memory, plan.tables, op, r, x, y, z, size)


@helper
def one(m: Long, op: int, r: int, x: int, size: int) -> None:
    """Execute an instruction of one operand."""
    for j in range(size):
        v = m[x + j]
        if op == RESET:
            v = 0
        elif op == NEG:
            v = -v
        elif op == ABS:
            v = abs(v)
        elif op == WRAP24:
            if v > 8388608:
                v -= 16777216
            elif v <= -8388608:
                v += 16777216
        m[r + j] = v


@helper
def arithmetic(m: Long, op: int, r: int, x: int, y: int, size: int) -> None:
    """Execute add, sub, mul, min or max."""
    if op == ADD:
        for j in range(size):
            m[r + j] = m[x + j] + m[y + j]
    elif op == SUB:
        for j in range(size):
            m[r + j] = m[x + j] - m[y + j]
    elif op == MUL:
        for j in range(size):
            m[r + j] = m[x + j] * m[y + j]
    elif op == MIN:
        for j in range(size):
            m[r + j] = min(m[x + j], m[y + j])
    else:
        for j in range(size):
            m[r + j] = max(m[x + j], m[y + j])


@helper
def shifts(m: Long, op: int, r: int, x: int, y: int, size: int) -> None:
    """Execute shl, shr, shrz or decay."""
    if op == SHL:
        for j in range(size):
            m[r + j] = m[x + j] << m[y + j]
    elif op == SHR:
        for j in range(size):
            m[r + j] = m[x + j] >> m[y + j]
    elif op == SHRZ:
        for j in range(size):
            m[r + j] = toward_zero(m[x + j], m[y + j])
    else:
        for j in range(size):
            m[r + j] = toward_zero(m[x + j] * m[y + j], 12)


@helper
def logic(m: Long, op: int, r: int, x: int, y: int, size: int) -> None:
    """Execute a comparison, or the bitwise and."""
    for j in range(size):
        a, b = m[x + j], m[y + j]
        if op == EQ:
            v = 1 if a == b else 0
        elif op == NE:
            v = 1 if a != b else 0
        elif op == LT:
            v = 1 if a < b else 0
        elif op == GE:
            v = 1 if a >= b else 0
        elif op == GT:
            v = 1 if a > b else 0
        else:
            v = a & b
        m[r + j] = v


@helper
def special(m: Long, tables: Long, op: int, r: int, x: int, y: int, z: int, size: int) -> None:
    """Execute select, or table."""
    if op == SELECT:
        for j in range(size):
            m[r + j] = m[y + j] if m[x + j] != 0 else m[z + j]
    else:
        for j in range(size):
            m[r + j] = tables[x + min(max(m[y + j], 0), z - 1)]


@helper
def draw(
    head: Long, m: Long, block: Long, step: int, r: int, stream: int, bits: int, size: int
) -> None:
    """Execute random."""
    for j in range(size):
        if j % 4 == 0:
            draw_block(head, j // 4, stream, step, block)
        m[r + j] = block[j % 4] >> (32 - bits)
