"""Room for the kernels."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.native.philox import MORE
from hebbite.runtime.engines.native.plan import TRACES, Scratch

ROOM = 64
"""Blocks of draws for which there is room beside those of the widest row."""


def new_scratch(program: Program) -> Scratch:
    """Return room for a program."""
    lines = [program.lines(group.pre, group.output) for group in program.synapses]
    widest = max([16, *lines, *(population.size for population in program.populations)])
    width, steps = -(-widest // 16) * 16, program.epoch + 1
    learning = width if program.plasticity else 16
    blocks = ROOM + learning // 16 + 2 + MORE
    drawn = np.zeros(width + 4 * MORE, np.uint32)
    return Scratch(
        sums=np.zeros(width, np.int16),
        place_sums=np.zeros(width, np.int32),
        marks=np.zeros(width, np.uint8),
        history=np.zeros(len(TRACES) * steps * learning, np.int32),
        own=np.zeros(3 * learning, np.int32),
        times=np.zeros(2 * steps, np.int32),
        draws=np.zeros(4 * blocks, np.uint32),
        tag_draws=np.zeros(4 * blocks, np.uint32),
        column_draws=np.zeros(learning, np.uint8),
        tag_column_draws=np.zeros(learning, np.uint8),
        drawn=drawn,
        drawn_octets=drawn.view(np.uint8),
        in_order=np.arange(width // 4 + MORE, dtype=np.int32),
        blocks=np.zeros(blocks, np.int32),
        spots=np.zeros(learning + 16, np.int32),
        decay=np.zeros(128, np.int32),
        lines=np.zeros(width + 16, np.int32),
        neurons=np.zeros(width + 16, np.int32),
        column=np.zeros(learning, np.int32),
        short_column=np.zeros(learning, np.int16),
        tag_column=np.zeros(learning, np.int16),
        column_lines=np.zeros(learning + 16, np.int32),
        elements=np.zeros(learning, np.int32),
        row_targets=np.zeros(learning + 16, np.uint16),
        width=np.array([learning], np.int64),
    )
