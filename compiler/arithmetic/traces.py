"""Traces of one plastic group: what is noted in a step, and how an epoch advances.

Definition: Lava 0.10.0, ``LearningConnectionModelBitApproximate``, with integer impulses.

x0, y0    the line sent / the neuron had a learning event in this epoch; tx, ty the last offset
impulse   a second event in an epoch adds its impulse at once, to the value of the epoch's start
overwrite x1 = payload / 2, half to even, at once
history   h[0] the register; h[q] = decay(h[q-1]), plus the impulse where tx = q, within 0..127
decay     floor(p) + (k < threshold), p = exp(-1/tau) h; tables of `hebbite.rules.traces`
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import EpochRandom
from hebbite.compiler.arithmetic.synapse import half_payload
from hebbite.compiler.program.types import Plasticity
from hebbite.rules.traces import decay_table

Long = NDArray[np.int64]
PRE, POST = ("x1", "x2"), ("y1", "y2", "y3")
TRACE_TOP = 127


@dataclass
class TraceState:
    """Registers of one plastic group: traces, and the last event of each line and neuron."""

    plasticity: Plasticity
    values: dict[str, Long]
    tx: Long
    ty: Long
    tables: dict[str, tuple[Long, Long]] = field(repr=False)


def new_traces(plasticity: Plasticity, *, lines: int, neurons: int) -> TraceState:
    """Return zeroed registers for ``lines`` and ``neurons``."""
    values: dict[str, Long] = {name: np.zeros(lines, np.int64) for name in PRE}
    values |= {name: np.zeros(neurons, np.int64) for name in POST}
    tables = {name: decay_table(trace.tau) for name, trace in plasticity.traces}
    return TraceState(
        plasticity, values, np.zeros(lines, np.int64), np.zeros(neurons, np.int64), tables
    )


def note_messages(state: TraceState, message: Long, *, offset: int) -> None:
    """Note the messages (lines,) that arrive at epoch offset 1..epoch."""
    sent = message != 0
    again = sent & (state.tx > 0)
    for name in PRE:
        trace = state.plasticity.trace(name)
        if trace is None:
            continue
        value = state.values[name]
        if trace.mode == "overwrite":
            state.values[name] = np.where(sent, half_payload(message), value)
        else:
            state.values[name] = np.where(
                again, np.minimum(value + trace.impulse, TRACE_TOP), value
            )
    state.tx = np.where(sent, offset, state.tx)


def note_events(state: TraceState, bap: Long, written: dict[str, Long], *, offset: int) -> None:
    """Note the learning events (neurons,) of this step and, with three factors, y1..y3 as sent."""
    event = bap != 0
    if state.plasticity.factors == 3:
        state.values |= {name: written[name] for name in POST}
    else:
        again = event & (state.ty > 0)
        for name in POST:
            trace = state.plasticity.trace(name)
            if trace is not None:
                value = state.values[name]
                added = np.minimum(value + trace.impulse, TRACE_TOP)
                state.values[name] = np.where(again, added, value)
    state.ty = np.where(event, offset, state.ty)


def history(state: TraceState, name: str, *, group: int, random: EpochRandom) -> Long:
    """Return the values h[0..epoch] of one trace in the epoch that ends, (epoch + 1, size)."""
    epoch = state.plasticity.epoch
    value = state.values[name]
    out = np.zeros((epoch + 1, value.size), np.int64)
    out[0] = value
    trace = state.plasticity.trace(name)
    if trace is None:
        return out
    floor, threshold = state.tables[name]
    draw = random.draw(name, group, value.size)
    last = state.tx if name in PRE else state.ty
    for q in range(1, epoch + 1):
        value = floor[value] + (draw < threshold[value])
        value = np.where(last == q, np.clip(value + trace.impulse, 0, TRACE_TOP), value)
        out[q] = value
    return out


def end_epoch(state: TraceState, histories: dict[str, Long]) -> None:
    """Store the last values (y only with two factors) and forget the events of the epoch."""
    kept = PRE if state.plasticity.factors == 3 else (*PRE, *POST)
    for name in kept:
        if state.plasticity.trace(name) is not None:
            state.values[name] = histories[name][-1]
    state.tx = np.zeros_like(state.tx)
    state.ty = np.zeros_like(state.ty)
