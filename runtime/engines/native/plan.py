"""What the kernels read and change: integer tables of a program, and the arrays of its state.

`pack` fills a `Plan` from a program, once; a `State` is what changes. Every array is C-contiguous
and of one dtype, always, so that each kernel is compiled once for all programs; a table names a
part of an array by where it starts.

``memory`` holds the registers of all neurons and the lines of all sources, int32. An output (what a
source or a population sends) has its payloads there, and in ``lists`` the numbers of the lines that
sent in this step, ``sent`` of them. Weights are pre-major, the weights of one line contiguous, and
stand in the narrowest of three stores that holds them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.traces import POST, PRE

Long = NDArray[np.int64]
Word = NDArray[np.int32]
Short = NDArray[np.int16]
Small = NDArray[np.int8]
Byte = NDArray[np.uint8]
Unsigned = NDArray[np.uint32]

# fmt: off
(S_SIZE, S_OUTPUT, S_EVENTS, S_COMPONENT, S_TARGET, SOURCE) = range(6)
(O_LINE, O_SIZE, O_LINES, O_FLAGS, O_LIST, OUTPUT) = range(6)
(P_SIZE, P_A, P_THIRD, P_REACHED, P_WATCHED, P_TABLE, P_TABLE_REACHED, P_ACTIVE, P_S, P_E,
 P_BAP, P_Y1, P_Y2, P_Y3, P_COMPONENT, P_ASKED, POPULATION) = range(17)
(N_POPULATION, N_FIRST, N_LAST, N_STREAM, N_BITS, N_ROW, DRAWING) = range(7)
(G_OUTPUT, G_LINES, G_POST, G_SIZE, G_KIND, G_WEIGHT, G_STORE, G_SCALE, G_PORT, G_EXPONENT,
 G_DELAY, G_GRADED, G_FEEDBACK, G_DUE, G_SLOTS, G_COMPONENT, G_MIRRORS, G_MAGNITUDE, G_COST,
 G_COST_OF, G_NONZERO, G_MISSES, G_VARIES, G_ASKS, G_STARTS, G_TARGETS, G_BORDERS, G_BLOCKS, G_ENDS,
 G_COLUMNS, G_SHAPE, GROUP) = range(32)
(V_HEIGHT, V_WIDTH, V_KH, V_KW, V_SY, V_SX, V_TOP, V_LEFT, V_DY, V_DX, V_INNER, V_PER_GROUP,
 V_OUTPUTS, V_OH, V_OW, V_LINES, SHAPE) = range(17)
(L_GROUP, L_FACTORS, L_X, L_Y, L_FIRST, L_TAG_FIRST, L_LAST, L_SILENT, L_TAG, L_ROW, L_COLUMN,
 L_COLUMN_STEPS, L_ROW_STEPS, L_MEETING, L_SETTLE, L_ALIKE, L_SPARED, L_TIMES, L_OWN,
 PLASTIC) = range(20)
(T_KEPT, T_OVERWRITE, T_IMPULSE, T_SLOPE, TRACE) = range(5)
(D_GATE, D_X0, D_Y0, PRODUCT) = range(4)
(W_OUTPUT, W_POPULATION, WIRE) = range(3)
(R_ROW, R_SIZE, R_OFFSET, R_COUNT, R_OUTPUT, READOUT) = range(6)
(H_PERIOD, H_END, H_EPOCH, H_INDEPENDENT, H_SEED_LOW, H_SEED_HIGH, H_START, H_BITS, HEAD) = range(9)
(B_KIND, B_FROM, B_SIZE, B_TO, PROBE) = range(5)
(C_SPIKES, C_AXON, C_EW, C_NS, C_INTERCHIP, C_COMPONENT, COST) = range(7)
# fmt: on

GATE_X0, GATE_Y0, GATE_U = 0, 1, 2
"""Gate of a product: x0, y0, or GATE_U + k for u_k."""

DENSE, SPARSE_BLOCKS, SPARSE, SPARSE_WIDE, CONV = range(5)
"""Kind of a group: targets of a sparse one have 8 bits, in blocks of 256 neurons, 16, or 32."""
BLOCK = 256
"""Neurons that a target of 8 bits can name."""
LEAP = 255
"""Lines that a gap of 0 leads on: the most that one byte can."""

BYTES, SHORTS, WORDS = range(3)
"""Stores of weights: int8, int16, int32."""

CONSTANT, FORGOTTEN, RECOUNTED = range(3)
"""Whether a group's weights change: never; `counts` forgets how many of a line are not 0 then, or
`recounted` counts them whenever rows are added."""

TURNS = 4
"""Places in which messages of one cost are counted."""

SOME, ALL, UNASKED = 1, 2, 3
"""What a slot of a ring is full of: messages to neurons that are marked; to every neuron; to nobody
knows whom, where every neuron is active without them."""

TRACES = (*PRE, *POST)

(FROM_MEMORY, FROM_SHORTS, FROM_WORDS, FROM_TAGS, FROM_X, FROM_Y) = range(6)
"""Where a probe is read; all but the first once an epoch."""


class Plan(NamedTuple):
    """A program as integers, a row a part, in the order of the program.

    ``code`` (populations, offset): address of the neurons' kernel, then as many rows of those for
    steps in which a message reaches every neuron; ``source_events`` (sources, offset): number of
    the event sent, -1 for none; ``output_bias`` (outputs, offset): payload of the bias line;
    ``cost``: spikes_in .. interchip of one message, every cost of a group once; ``cost_of``
    (lines,): which of them each line has, of a group where they differ; ``falls`` (plastic * trace,
    128): decay; ``in_blocks``, ``near_targets``, ``far_targets``: of lists, ``starts``: where the
    synapses of their lines start; ``borders`` (line, block + 1): how many of a line stand before
    each block; ``ends``: how many end at the neurons before each; ``gaps``, for rules that need it:
    how far the lines of each neuron are apart, ``gap_starts`` says where; ``shapes``: of
    convolutions.
    """

    head: Long
    sources: Long
    source_events: Long
    outputs: Long
    output_bias: Long
    populations: Long
    code: Long
    drawings: Long
    groups: Long
    cost: Long
    cost_of: Word
    wires: Long
    plastic: Long
    kept: Long
    falls: Long
    products: Long
    readout: Long
    starts: Long
    in_blocks: Byte
    borders: NDArray[np.uint16]
    near_targets: NDArray[np.uint16]
    far_targets: Word
    ends: Long
    gaps: Byte
    gap_starts: Long
    shapes: Long


class State(NamedTuple):
    """What changes: ``clock`` holds (steps, epochs) done; ``due`` and ``arrived`` are rings,
    of which the second is not 0 where a message arrives.

    ``flags``: which neurons send on an output, and which a message reached; ``sent``: length of
    each output's list; ``full``: slots of rings, and inputs, that are not all zero: `SOME`, or
    `ALL` or `UNASKED`, where ``arrived`` says nothing; ``nonzero``: of each line, how many weights
    are not 0, or that nobody knows (`counts`); ``misses``: of each line of a matrix, whom it may
    miss (`weights.misses_of`), anybody if its weights change; ``x``, ``y``: traces x1, x2 and
    y1..y3 of all plastic groups; ``tx``, ``ty``: last offset of an event in the epoch, 0 for none;
    ``below``: of each plastic group, how many tags lie below their word; ``tables``: what printed
    kernels are given: that of a row, of a column, of a row to which steps are added, then one a
    population.
    """

    clock: Long
    memory: Word
    flags: Byte
    lists: Word
    sent: Long
    full: Byte
    bytes: Small
    shorts: Short
    words: Word
    tags: Short
    nonzero: Word
    misses: Long
    below: Long
    due: Word
    arrived: Byte
    x: Word
    y: Word
    tx: Byte
    ty: Byte
    tables: Long


class Scratch(NamedTuple):
    """Room that the kernels use: sums of a step, -1 and then 0 which tell where rows end, sums by
    place of a convolution, where tallies of the changed weights of each neuron stand too, and bits
    of what came of steps; histories of the traces of one group (trace, offset, ``width``), y at the
    neurons' events, x of one line at every offset, draws, the numbers of blocks in order and of
    those that visited rows need, where the draws of each row begin, the decay of an epoch, the
    lines and neurons with an event, one column of weights and tags, the lines of a column that move
    or that a list joins, the traces of synapses whose line and neuron met and those of the lines,
    how many neurons of each population that is asked rest after its step, the elements of a column,
    the neurons of one line of a list in blocks.
    """

    sums: Short
    ramp: Short
    place_sums: Word
    tallies: Short
    marks: Byte
    history: Word
    own: Word
    times: Word
    draws: Unsigned
    tag_draws: Unsigned
    column_draws: Byte
    tag_column_draws: Byte
    drawn: Unsigned
    drawn_octets: Byte
    in_order: Word
    blocks: Word
    spots: Word
    decay: Word
    lines: Word
    neurons: Word
    column: Word
    short_column: Short
    tag_column: Short
    column_lines: Word
    met: Word
    resting: Long
    elements: Word
    row_targets: NDArray[np.uint16]
    width: Long


class Call(NamedTuple):
    """One call of `run`: events, their place by source, shared random numbers, and results.

    Events of a source stand in ``narrow``, or where ``is_wide`` in ``wide``.

    ``shared`` (epochs, 3): numbers x, y, weight of `lava-exact`; ``answers`` (samples, neurons);
    ``probes``: what goes to ``step_log`` (a row a step) and ``epoch_log`` (a row a learning epoch);
    ``counts`` (2 * component + phase, counter); ``sent_at`` (phase, row of `Plan.cost` and turn):
    messages of each cost.
    """

    narrow: Byte
    wide: Short
    is_wide: Byte
    event_base: Long
    shared: Long
    answers: Long
    probes: Long
    step_log: Long
    epoch_log: Long
    counts: Long
    sent_at: Long
