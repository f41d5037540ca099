"""Lines that sent meet neurons that learnt: their synapses are updated beside rows of steps.

In epochs of one step. Of each neuron there are few, so that the synapses of as many as a column has
room for are listed, with the traces at their two ends, and updated at once.
"""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import Narrow, address, apart, call_printed, kernel
from hebbite.runtime.engines.native.plan import (
    G_SIZE,
    G_STORE,
    G_WEIGHT,
    L_GROUP,
    L_MEETING,
    SHORTS,
    T_KEPT,
    Word,
)
from hebbite.runtime.engines.native.rule_tables import (
    MEETING_CHANGED,
    MEETING_DRAW,
    MEETING_TRACES,
    MEETING_W,
    MEETINGS,
)
from hebbite.runtime.engines.native.synapses import column_at, give, take
from hebbite.runtime.engines.native.traces import PRE_TRACES, TRACE_COUNT

LANES = 16
"""Lines are listed in multiples of so many: what follows them is written over, or not read."""


@kernel
def meet(m: int, q: int, sent: int, events: int) -> int:
    """Update the synapses of a matrix from the ``sent`` lines listed to the ``events`` neurons
    listed, at least one of each; return how many weights changed.
    """
    neurons, room = at.neurons(m), at.elements(m).shape[0]
    begin_meetings(m, q, sent)
    count, changed, width = 0, 0, (sent + LANES - 1) & -LANES
    for k in range(events):
        if count + width > room:
            changed += update_meetings(m, q, count)
            count = 0
        list_meetings(m, q, count, width, neurons[k])
        count += sent
    return changed + update_meetings(m, q, count)


@kernel
def begin_meetings(m: int, q: int, sent: int) -> None:
    """Fill the table of meetings, but for the clocks, and list the traces of the ``sent`` lines."""
    table, width, lines = at.tables(m)[MEETINGS:], at.width(m)[0], at.lines(m)
    table[MEETING_W] = column_at(m, at.plastic(m)[q, L_GROUP])
    table[MEETING_DRAW] = address(at.column_draws(m))
    for t in range(TRACE_COUNT):
        table[MEETING_TRACES + t] = address(at.met(m)[t * width :])
    for t in range(PRE_TRACES):
        if at.kept(m)[TRACE_COUNT * q + t, T_KEPT]:
            listed = at.met(m)[(TRACE_COUNT + t) * width :]
            trace = at.history(m)[(2 * t + 1) * width :]
            take(trace, 0, 0, lines, sent, listed)


@kernel
def list_meetings(m: int, q: int, first: int, count: int, j: int) -> None:
    """List the synapses from the first ``count`` lines listed to neuron ``j``, and their traces, as
    the ``first`` ones and those behind.
    """
    size, width = at.groups(m)[at.plastic(m)[q, L_GROUP], G_SIZE], at.width(m)[0]
    list_elements(at.elements(m)[first:], at.lines(m), count, j, size)
    for t in range(TRACE_COUNT):
        if at.kept(m)[TRACE_COUNT * q + t, T_KEPT]:
            goal = at.met(m)[t * width + first :]
            if t < PRE_TRACES:
                copy(goal, at.met(m)[(TRACE_COUNT + t) * width :], count)
            else:
                goal[:count] = at.history(m)[(2 * t + 1) * width + j]


@apart
def list_elements(elements: Word, lines: Word, count: int, j: Narrow, size: Narrow) -> None:
    """List the elements of a matrix from the first ``count`` lines to neuron ``j``."""
    for k in range(count):
        elements[k] = lines[k] * size + j


@apart
def copy(goal: Word, values: Word, count: int) -> None:
    """Copy the first ``count`` values."""
    for k in range(count):
        goal[k] = values[k]


@kernel
def update_meetings(m: int, q: int, count: int) -> int:
    """Update the first ``count`` synapses listed; return how many weights changed."""
    table, g, elements = at.tables(m)[MEETINGS:], at.plastic(m)[q, L_GROUP], at.elements(m)
    base, short = at.groups(m)[g, G_WEIGHT], at.groups(m)[g, G_STORE] == SHORTS
    if short:
        take(at.shorts(m)[base:], 0, 0, elements, count, at.short_column(m))
    else:
        take(at.words(m)[base:], 0, 0, elements, count, at.column(m))
    call_printed(at.plastic(m)[q, L_MEETING], address(table), count)
    if short:
        give(at.short_column(m), 0, 0, elements, count, at.shorts(m)[base:])
    else:
        give(at.column(m), 0, 0, elements, count, at.words(m)[base:])
    return table[MEETING_CHANGED]
