"""Room for the kernels, and the addresses that printed code is given."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.native.plan import (
    A_ARRIVED,
    A_COLUMN,
    A_COLUMN_DRAWS,
    A_DRAWS,
    A_DUE,
    A_FLAGS,
    A_HISTORY,
    A_MARKS,
    A_MEMORY,
    A_NARROW,
    A_NONZERO,
    A_OWN,
    A_SHORT_COLUMN,
    A_SHORTS,
    A_TABLES,
    A_TAG_COLUMN,
    A_TAG_COLUMN_DRAWS,
    A_TAG_DRAWS,
    A_TAGS,
    A_TIMES,
    A_TX,
    A_TY,
    A_WIDE,
    A_WORDS,
    TRACES,
    Plan,
    Scratch,
    State,
)


def new_scratch(program: Program) -> Scratch:
    """Return room for a program."""
    lines = [program.lines(group.pre, group.output) for group in program.synapses]
    widest = max([16, *lines, *(population.size for population in program.populations)])
    width, steps = -(-widest // 16) * 16, program.epoch + 1
    history = width if program.plasticity else 16
    return Scratch(
        sums=np.zeros(width, np.int16),
        place_sums=np.zeros(width, np.int32),
        marks=np.zeros(width, np.uint8),
        history=np.zeros(len(TRACES) * steps * history, np.int32),
        own=np.zeros(3 * width, np.int32),
        times=np.zeros(2 * steps, np.int32),
        draws=np.zeros(width // 4 + 4, np.uint32),
        tag_draws=np.zeros(width // 4 + 4, np.uint32),
        column_draws=np.zeros(width, np.uint8),
        tag_column_draws=np.zeros(width, np.uint8),
        drawn=np.zeros(width + 16, np.uint32),
        decay=np.zeros(128, np.int32),
        lines=np.zeros(width + 16, np.int32),
        neurons=np.zeros(width + 16, np.int32),
        column=np.zeros(width, np.int32),
        short_column=np.zeros(width, np.int16),
        tag_column=np.zeros(width, np.int16),
        column_lines=np.zeros(width + 16, np.int32),
        width=np.array([history], np.int64),
    )


def note_addresses(state: State, plan: Plan, scratch: Scratch) -> None:
    """Write into a state where everything stands."""
    for index, array in (
        (A_SHORTS, state.shorts),
        (A_MEMORY, state.memory),
        (A_FLAGS, state.flags),
        (A_DUE, state.due),
        (A_ARRIVED, state.arrived),
        (A_WORDS, state.words),
        (A_TAGS, state.tags),
        (A_NONZERO, state.nonzero),
        (A_TX, state.tx),
        (A_TY, state.ty),
        (A_TABLES, state.tables),
        (A_NARROW, plan.near_targets),
        (A_WIDE, plan.far_targets),
        (A_DRAWS, scratch.draws),
        (A_TAG_DRAWS, scratch.tag_draws),
        (A_COLUMN_DRAWS, scratch.column_draws),
        (A_TAG_COLUMN_DRAWS, scratch.tag_column_draws),
        (A_HISTORY, scratch.history),
        (A_MARKS, scratch.marks),
        (A_OWN, scratch.own),
        (A_TIMES, scratch.times),
        (A_COLUMN, scratch.column),
        (A_SHORT_COLUMN, scratch.short_column),
        (A_TAG_COLUMN, scratch.tag_column),
    ):
        state.where[index] = array.ctypes.data
