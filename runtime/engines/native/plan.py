"""What the kernels read and change: integer tables of a program, and the arrays of its state.

`pack` fills a `Plan` from a program, once; a `State` is what changes. Every array is C-contiguous
and of one dtype, always, so that Numba compiles each kernel once for all programs. Registers of all
neurons and the constants of their programs stand in one int64 array, ``memory``, a row of values a
register; the lines of all sources and populations stand in ``lines``. A table names them by where
they start. Weights are pre-major: the weights of one line are contiguous.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Long = NDArray[np.int64]
Word = NDArray[np.int32]

# fmt: off
(S_SIZE, S_LINES, S_OUT, S_EVENTS, S_COMPONENT, S_TARGET, SOURCE) = range(7)
(P_SIZE, P_BASE, P_FIRST, P_LAST, P_OUT, P_ERROR, P_LINES, P_V, P_DRIVE, P_COMPONENT,
 POPULATION) = range(11)
(I_OP, I_FIRST, I_LAST, I_RESULT, I_X, I_Y, I_Z, INSTRUCTION) = range(8)
(G_LINE, G_LINES, G_POST, G_SIZE, G_WEIGHT, G_PORT, G_EXPONENT, G_DELAY, G_GRADED, G_FEEDBACK,
 G_DUE, G_COMPONENT, G_MIRRORS, G_MAGNITUDE, G_COST, GROUP) = range(16)
(L_GROUP, L_FACTORS, L_X, L_Y, L_FIRST, L_TAG_FIRST, L_LAST, L_SPARSE, L_TAG, L_OUTER,
 PLASTIC) = range(11)
(T_KEPT, T_OVERWRITE, T_IMPULSE, T_HOLDS, TRACE) = range(5)
(D_MANTISSA, D_EXPONENT, D_SHIFT, D_GATE, D_FIRST, D_LAST, D_X0, D_Y0, PRODUCT) = range(9)
(F_KIND, F_CONSTANT, F_SIGN, F_WIDTH, FACTOR) = range(5)
(W_LINE, W_POPULATION, WIRE) = range(3)
(R_ROW, R_SIZE, R_OFFSET, R_COUNT, R_COMPONENT, READOUT) = range(6)
(H_PERIOD, H_END, H_EPOCH, H_BITS, H_INDEPENDENT, H_SEED_LOW, H_SEED_HIGH, H_START,
 HEAD) = range(9)
(B_KIND, B_FROM, B_SIZE, B_TO, PROBE) = range(5)
# fmt: on

GATE_X0, GATE_Y0, GATE_U = 0, 1, 2
"""Gate of a product: x0, y0, or GATE_U + k for u_k."""

KINDS = ("x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "C")
"""Variables of a factor, by number."""

TRACES = ("x1", "x2", "y1", "y2", "y3")
OPS = (
    *("reset", "mov", "neg", "abs", "wrap24", "add", "sub", "mul", "min", "max", "shl", "shr"),
    *("shrz", "decay", "eq", "ne", "lt", "ge", "gt", "and", "select", "table", "random"),
)
"""Instructions by number; ``each`` becomes ``mov`` from a row of constants."""

ROW_S, ROW_E, ROW_BAP, ROW_Y1 = 2, 3, 4, 5
"""Rows of a population's registers after a (0) and third (1)."""

FROM_LINES, FROM_MEMORY, FROM_WEIGHTS, FROM_TAGS, FROM_X, FROM_Y = range(6)
"""Where a probe is read; all but the first two once an epoch."""


class Plan(NamedTuple):
    """A program as integers, a row a part, in the order of the program.

    ``source_events`` (sources, offset): number of the event sent, -1 for none; ``source_bias``,
    ``population_bias`` (.., offset): payload of the bias line; ``cost`` (lines of a group, 5):
    spikes_in .. interchip of one message; ``floor``, ``threshold`` (plastic, trace, 128): decay.
    """

    head: Long
    sources: Long
    source_events: Long
    source_bias: Long
    populations: Long
    population_bias: Long
    instructions: Long
    tables: Long
    groups: Long
    cost: Long
    wires: Long
    plastic: Long
    kept: Long
    floor: Long
    threshold: Long
    products: Long
    factors: Long
    readout: Long


class State(NamedTuple):
    """What changes: ``clock`` holds (steps, epochs) done; ``due`` and ``arrived`` are rings.

    ``x``, ``y``: traces x1, x2 and y1..y3 of all plastic groups; ``tx``, ``ty``: last offset of an
    event in the epoch, 0 for none. ``tags`` holds those of groups that keep any, pre-major as
    weights are; ``below``, for each plastic group, how many of them lie below their word.
    """

    clock: Long
    memory: Long
    lines: Long
    weights: Word
    tags: Word
    below: Long
    due: Long
    arrived: Long
    x: Long
    y: Long
    tx: Long
    ty: Long


class Scratch(NamedTuple):
    """Room that the kernels use: a Philox block for weights and one for tags, neurons to
    visit, busy neurons, histories, and the two sides of an outer product.
    """

    block: Long
    tag_block: Long
    chosen: Long
    busy: Long
    history: Long
    side: Long


class Call(NamedTuple):
    """One call of `run`: events, their place by source, shared random numbers, and results.

    ``random`` (epochs, 3): numbers x, y, weight of `lava-exact`; ``answers`` (samples, neurons);
    ``probes``: what goes to ``steps`` (a row a step) and ``epochs`` (a row a learning epoch).
    """

    events: Long
    event_base: Long
    random: Long
    answers: Long
    probes: Long
    steps: Long
    epochs: Long
    counts: Long
