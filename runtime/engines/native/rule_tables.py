"""What stands in the tables that a rule's printed kernels are given, and where.

A row has the variables of its line as numbers and those of the neurons as arrays; a column the
other way round. ``sent`` is the line's last event in the epoch, ``own`` the neuron's, ``end`` the
epoch's end; ``times`` is a trace of one line at every offset. Which weights changed is tallied by
neuron in ``changes``: a row may be so short that to sum up its lanes takes longer than all else.
Synapses where a line met a neuron have all traces as arrays, for they are listed.
"""

from __future__ import annotations

from hebbite.compiler.arithmetic.traces import POST, PRE
from hebbite.runtime.engines.native.llvm import Array, Signature

WEIGHT, TAGS, DRAW, TAG_DRAW = "w", "t", "draw w", "draw t"
TARGET, LINE, TX, TY, STEP = "target", "line", "tx", "ty", "step"
CHANGED, BELOW, CHANGES = "changed", "below", "changes"
CLOCKS = tuple(f"u{k}" for k in range(10))


def row_signature(weight_bits: int = 16, target_bits: int = 16) -> Signature:
    """Return the table of a row: widths change nothing about where things stand."""
    arrays = [*_held(weight_bits), Array(TY, 8, signed=False)]
    arrays.append(Array(TARGET, target_bits, signed=False))
    arrays += [Array(f"{at} {y}") for at in ("sent", "own", "end") for y in POST]
    arrays += [*(Array(f"times {x}") for x in PRE), Array(CHANGES, 16)]
    numbers = ["x0", *(f"{at} {x}" for at in ("sent", "end") for x in PRE), *CLOCKS]
    return Signature(arrays, numbers, (CHANGED, BELOW))


def column_signature(weight_bits: int = 16) -> Signature:
    """Return the table of a column."""
    arrays = [*_held(weight_bits), Array(TX, 8, signed=False), Array(LINE)]
    arrays += [Array(f"{at} {x}") for at in ("own", "end") for x in PRE]
    numbers = [*(f"{at} {y}" for at in ("own", "end") for y in POST), *CLOCKS]
    return Signature(arrays, numbers, (CHANGED, BELOW))


def settle_signature(weight_bits: int = 16) -> Signature:
    """Return the table of a row to which steps were added."""
    return Signature([Array(WEIGHT, weight_bits), Array(STEP, weight_bits), Array(CHANGES, 16)])


def meeting_signature(weight_bits: int = 16) -> Signature:
    """Return the table of synapses of lines that sent and neurons that learnt."""
    traces = [Array(name) for name in (*PRE, *POST)]
    return Signature([*_held(weight_bits), *traces], CLOCKS, (CHANGED, BELOW))


def _held(bits: int) -> list[Array]:
    weights = [Array(WEIGHT, bits), Array(DRAW, 8, signed=False)]
    return [*weights, Array(TAGS, 16), Array(TAG_DRAW, 8, signed=False)]


_row, _column = row_signature().slot, column_signature().slot
_settle, _meeting = settle_signature().slot, meeting_signature().slot
ROW, COLUMN, SETTLE = row_signature().size, column_signature().size, settle_signature().size
"""Entries of three tables; those below say where the first of a kind stands."""
MEETINGS = ROW + COLUMN + SETTLE
"""Where the fourth begins."""
TABLES = MEETINGS + meeting_signature().size
ROW_W, ROW_DRAW, ROW_TAG, ROW_TAG_DRAW = _row(WEIGHT), _row(DRAW), _row(TAGS), _row(TAG_DRAW)
ROW_TY, ROW_TARGET, ROW_X0, ROW_CLOCK = _row(TY), _row(TARGET), _row("x0"), _row("u0")
ROW_SENT, ROW_OWN, ROW_END = _row("sent y1"), _row("own y1"), _row("end y1")
ROW_TIMES, ROW_SENT_X, ROW_END_X = _row("times x1"), _row("sent x1"), _row("end x1")
ROW_CHANGED, ROW_CHANGES, ROW_BELOW = _row(CHANGED), _row(CHANGES), _row(BELOW)
COLUMN_W, COLUMN_DRAW, COLUMN_TAG = _column(WEIGHT), _column(DRAW), _column(TAGS)
COLUMN_TAG_DRAW, COLUMN_TX, COLUMN_LINE = _column(TAG_DRAW), _column(TX), _column(LINE)
COLUMN_OWN_X, COLUMN_END_X = _column("own x1"), _column("end x1")
COLUMN_OWN, COLUMN_END, COLUMN_CLOCK = _column("own y1"), _column("end y1"), _column("u0")
COLUMN_CHANGED, COLUMN_BELOW = _column(CHANGED), _column(BELOW)
MEETING_W, MEETING_DRAW, MEETING_CLOCK = _meeting(WEIGHT), _meeting(DRAW), _meeting("u0")
MEETING_TRACES, MEETING_CHANGED = _meeting("x1"), _meeting(CHANGED)
SETTLE_W, SETTLE_STEP, SETTLE_CHANGES = _settle(WEIGHT), _settle(STEP), _settle(CHANGES)
