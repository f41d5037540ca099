"""Room for the kernels."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.native.aligned import padded, zeros
from hebbite.runtime.engines.native.counts import BEHIND
from hebbite.runtime.engines.native.groups import varying
from hebbite.runtime.engines.native.philox import MORE
from hebbite.runtime.engines.native.plan import RECOUNTED, TRACES, Scratch
from hebbite.runtime.engines.native.recounted import LANES

ROOM = 64
"""Blocks of draws for which there is room beside those of the widest row."""


def new_scratch(program: Program) -> Scratch:
    """Return room for a program."""
    lines = [program.lines(group.pre, group.output) for group in program.synapses]
    widest = max([16, *lines, *(population.size for population in program.populations)])
    width, steps = -(-widest // 16) * 16, program.epoch + 1
    learning = width if program.plasticity else 16
    plastic = [program.group(plasticity.synapses) for plasticity in program.plasticity]
    dense = learning * any(isinstance(group.connect, Dense) for group in plastic)
    blocks = ROOM + learning // 16 + 2 + MORE
    place_sums = zeros(padded(width) + BEHIND, np.int32)
    recounted = RECOUNTED in varying(program).values()
    ramp = zeros(recounted * width + LANES, np.int16)
    ramp[:-LANES] = -1
    drawn = zeros(width + 4 * MORE, np.uint32)
    return Scratch(
        sums=zeros(padded(width) + BEHIND, np.int16),
        ramp=ramp,
        place_sums=place_sums,
        tallies=place_sums.view(np.int16),
        marks=zeros(width, np.uint8),
        history=zeros(len(TRACES) * steps * learning, np.int32),
        own=zeros(3 * learning, np.int32),
        times=zeros(2 * steps, np.int32),
        draws=zeros(4 * blocks, np.uint32),
        tag_draws=zeros(4 * blocks, np.uint32),
        column_draws=zeros(learning, np.uint8),
        tag_column_draws=zeros(learning, np.uint8),
        drawn=drawn,
        drawn_octets=drawn.view(np.uint8),
        in_order=np.arange(width // 4 + MORE, dtype=np.int32),
        blocks=zeros(blocks, np.int32),
        spots=zeros(learning + 16, np.int32),
        decay=zeros(128, np.int32),
        lines=zeros(width + 16, np.int32),
        neurons=zeros(width + 16, np.int32),
        column=zeros(learning, np.int32),
        short_column=zeros(learning, np.int16),
        tag_column=zeros(learning, np.int16),
        column_lines=zeros(learning + 16, np.int32),
        met=zeros((len(TRACES) + 2) * dense, np.int32),
        resting=zeros(len(program.populations), np.int64),
        elements=zeros(learning, np.int32),
        row_targets=zeros(learning + 16, np.uint16),
        width=np.array([learning], np.int64),
    )
