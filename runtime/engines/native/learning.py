"""Learning in kernels: which synapses an epoch visits; what happens there is printed code.

A synapse changes only where the gate of a product holds. Rows of lines that sent are visited, and
columns of neurons that learnt; all rows where a product asks for neither, while tags lie below
their word, and where so many neurons learnt that columns would cost more. A row of a line that sent
is left out where every product is 0 by what its neurons did: none learnt, and none wrote a trace.
"""

from __future__ import annotations

from hebbite.compiler.arithmetic.philox import OCTET_BITS
from hebbite.rules.traces import RANDOM_BITS
from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import apart, kernel
from hebbite.runtime.engines.native.lists import keep_reaching, list_column, reaching, without_bias
from hebbite.runtime.engines.native.plan import (
    D_GATE,
    D_X0,
    D_Y0,
    DENSE,
    G_COLUMNS,
    G_COMPONENT,
    G_ENDS,
    G_KIND,
    G_LINES,
    G_OUTPUT,
    G_POST,
    G_SIZE,
    G_STARTS,
    GATE_U,
    H_EPOCH,
    H_INDEPENDENT,
    L_ALIKE,
    L_COLUMN_STEPS,
    L_FACTORS,
    L_FIRST,
    L_GROUP,
    L_LAST,
    L_ROW_STEPS,
    L_SILENT,
    L_TAG,
    L_TAG_FIRST,
    L_X,
    L_Y,
    O_LIST,
    P_BAP,
    T_KEPT,
    Byte,
    Word,
)
from hebbite.runtime.engines.native.rows import learn_rows
from hebbite.runtime.engines.native.spread import list_flags, mark
from hebbite.runtime.engines.native.steps import step_columns, step_rows
from hebbite.runtime.engines.native.synapses import begin_rows, learn_column
from hebbite.runtime.engines.native.traces import (
    ALL_TRACES,
    PRE_TRACES,
    TRACE_COUNT,
    advance_group,
)

TERMS, DRAWS = INDEX["rule_terms"], INDEX["rng_draws"]
VISITED, CHANGED = INDEX["updates_visited"], INDEX["updates_changed"]
COLUMNS, STEPPED = 8, 4
"""Columns are visited one by one while fewer than 1 in so many neurons learnt; with steps that all
columns share, which are added to few weights."""
FEW = 8
"""A line of a list is asked whom it reaches while at fewer than 1 in so many neurons synapses may
change."""


@kernel
def extent(m: int, q: int, sent: int, events: int) -> tuple[int, int, int, int]:
    """Return how many synapses group ``q`` has, how many of them start at a line that sent, end at
    a neuron that learnt, and do both.
    """
    g = at.plastic(m)[q, L_GROUP]
    lines, size = at.groups(m)[g, G_LINES], at.groups(m)[g, G_SIZE]
    if at.groups(m)[g, G_KIND] == DENSE:
        return lines * size, sent * size, lines * events, sent * events
    starts = at.starts(m)[at.groups(m)[g, G_STARTS] :]
    ends = at.ends(m)[at.groups(m)[g, G_ENDS] :]
    from_sent, at_learnt = 0, 0
    for k in range(events):
        j = at.neurons(m)[k]
        at_learnt += ends[j + 1] - ends[j]
    for k in range(sent):
        i = at.lines(m)[k]
        from_sent += starts[i + 1] - starts[i]
    by_columns = at.groups(m)[g, G_COLUMNS] >= 0 and at_learnt < from_sent
    return starts[lines], from_sent, at_learnt, meetings(m, q, sent, events, by_columns)


@kernel
def meetings(m: int, q: int, sent: int, events: int, by_columns: int) -> int:
    """Return how many synapses of a list join a line that sent and a neuron that learnt, both
    listed: found by the columns of the neurons, or by the rows of the lines.
    """
    g, both = at.plastic(m)[q, L_GROUP], 0
    if by_columns:
        tx, lines = at.tx(m)[at.plastic(m)[q, L_X] :], at.column_lines(m)
        for k in range(events):
            count = list_column(m, g, at.neurons(m)[k])
            for s in range(count):
                both += tx[lines[s]] != 0
    elif events > 0:
        ty = at.ty(m)[at.plastic(m)[q, L_Y] :]
        for k in range(sent):
            both += reaching(m, g, at.lines(m)[k], ty)
    return both


@kernel
def survey(
    m: int, first: int, last: int, number: int, whole: int, sent: int, learnt: int, meeting: int
) -> tuple[int, int, int, int]:
    """Return (visited synapses, evaluated products) of the products first..last-1, and what makes a
    synapse visited: always, or that its neuron learnt.

    Of ``whole`` synapses ``sent``, ``learnt`` and ``meeting`` had an event of their line, of their
    neuron, of both in epoch ``number``.
    """
    products = at.products(m)
    terms = 0
    every, line, neuron, both = False, False, False, False
    for p in range(first, last):
        if products[p, D_GATE] >= GATE_U and number % (1 << (products[p, D_GATE] - GATE_U)) != 0:
            continue
        by_line, by_neuron = products[p, D_X0] == 1, products[p, D_Y0] == 1
        if by_line and by_neuron:
            terms, both = terms + meeting, True
        elif by_line:
            terms, line = terms + sent, True
        elif by_neuron:
            terms, neuron = terms + learnt, True
        else:
            terms, every = terms + whole, True
    visited = 0
    if every:
        visited = whole
    elif line or neuron:
        visited += sent if line else 0
        visited += learnt if neuron else 0
        visited -= meeting if line and neuron else 0
    elif both:
        visited = meeting
    return visited, terms, every, neuron


@kernel
def gates(m: int, q: int, number: int, sent: int, events: int) -> tuple[int, int, int]:
    """Count visited synapses, evaluated products and draws; return the first, and what makes a
    synapse visited.
    """
    first, last = at.plastic(m)[q, L_FIRST], at.plastic(m)[q, L_LAST]
    component = at.groups(m)[at.plastic(m)[q, L_GROUP], G_COMPONENT]
    whole, a, b, c = extent(m, q, sent, events)
    visited, terms, every, neuron = survey(m, first, last, number, whole, a, b, c)
    draws = visited
    if at.plastic(m)[q, L_TAG] >= 0:
        middle = at.plastic(m)[q, L_TAG_FIRST]
        draws = survey(m, first, middle, number, whole, a, b, c)[0]
        draws += survey(m, middle, last, number, whole, a, b, c)[0]
    at.counts(m)[2 * component + 1, TERMS] += terms
    at.counts(m)[2 * component + 1, VISITED] += visited
    at.counts(m)[2 * component + 1, DRAWS] += draws
    return visited, every, neuron


@kernel
def mark_moving(m: int, q: int, offset: int, size: int) -> int:
    """Mark the neurons at which a line that sent at an offset of the epoch may change its synapse:
    they learnt, or some of y1..y3 is not 0 then. Return how many there are.
    """
    steps, width, marks = at.head(m)[H_EPOCH], at.width(m)[0], at.marks(m)[:size]
    mark(marks, at.ty(m)[at.plastic(m)[q, L_Y] :], False)
    for t in range(2, TRACE_COUNT):
        if at.kept(m)[TRACE_COUNT * q + t, T_KEPT]:
            mark(marks, at.history(m)[(t * (steps + 1) + offset) * width :], True)
    return count_marks(marks)


@apart
def count_marks(marks: Byte) -> int:
    """Return how many are marked."""
    count = 0
    for j in range(marks.shape[0]):
        count += marks[j]
    return count


@kernel
def visit(m: int, q: int, sent: int) -> int:
    """Keep those of the ``sent`` lines listed whose rows are visited; return how many there are."""
    if not at.plastic(m)[q, L_SILENT]:
        return sent
    lines, tx = at.lines(m), at.tx(m)[at.plastic(m)[q, L_X] :]
    count, k = 0, 0
    while k < sent:
        first, offset = k, tx[lines[k]]
        while k < sent and tx[lines[k]] == offset:
            k += 1
        count += keep_rows(m, q, lines[count:], lines[first:], k - first, offset)
    return count


@kernel
def keep_rows(m: int, q: int, kept: Word, lines: Word, count: int, offset: int) -> int:
    """Write those of the first ``count`` lines to ``kept``, which sent at one offset of the epoch,
    that have a synapse that may change; return how many there are.
    """
    g, marks = at.plastic(m)[q, L_GROUP], at.marks(m)
    size, kind = at.groups(m)[g, G_SIZE], at.groups(m)[g, G_KIND]
    moving = mark_moving(m, q, offset, size)
    if moving == 0:
        return 0
    if kind == DENSE or FEW * moving >= size:
        for k in range(count):
            kept[k] = lines[k]
        return count
    return keep_reaching(m, g, kept, lines, count, marks)


@kernel
def learn_sent(m: int, q: int, sent: int, events: int, number: int, independent: int) -> int:
    """Update the synapses of the ``sent`` lines that are listed, where ``events`` neurons learnt;
    return how many weights changed.
    """
    if at.plastic(m)[q, L_ROW_STEPS] != 0 and not independent:
        return step_rows(m, q, sent, events)
    return learn_rows(m, q, visit(m, q, sent), number, independent)


@kernel
def list_events(m: int, output: int, last: Byte, found: Word) -> int:
    """List the elements with an event in the epoch, by the offsets of their ``last`` ones; return
    how many. An epoch of one step has those that ``output`` has just sent.
    """
    size, count = last.shape[0], at.sent(m)[output]
    if at.head(m)[H_EPOCH] > 1:
        return list_flags(last, found, size)
    listed = at.lists(m)[at.outputs(m)[output, O_LIST] :]
    for k in range(count):
        found[k] = listed[k]
    return without_bias(listed, count, size)


@kernel
def learn_group(m: int, q: int, epoch: int) -> None:
    """Advance the traces of group ``q`` and update its weights and tags at the end of the call's
    ``epoch``-th epoch.
    """
    g, number = at.plastic(m)[q, L_GROUP], at.clock(m)[1] + 1
    lines, size = at.groups(m)[g, G_LINES], at.groups(m)[g, G_SIZE]
    tx, ty = at.tx(m)[at.plastic(m)[q, L_X] :], at.ty(m)[at.plastic(m)[q, L_Y] :]
    bap = at.populations(m)[at.groups(m)[g, G_POST], P_BAP]
    sent = list_events(m, at.groups(m)[g, G_OUTPUT], tx[:lines], at.lines(m))
    events = list_events(m, bap, ty[:size], at.neurons(m))
    visited, every, neuron = gates(m, q, number, sent, events)
    if visited == 0 and at.below(m)[q] == 0:
        only = PRE_TRACES if at.plastic(m)[q, L_FACTORS] == 3 else ALL_TRACES
        advance_group(m, q, epoch, only, sent, events)
        return
    advance_group(m, q, epoch, ALL_TRACES, sent, events)
    shared = -1 if at.head(m)[H_INDEPENDENT] else at.shared(m)[epoch, 2] >> RANDOM_BITS - OCTET_BITS
    begin_rows(m, q, number, shared)
    stepped = at.plastic(m)[q, L_COLUMN_STEPS] != 0 and at.groups(m)[g, G_KIND] == DENSE
    share = STEPPED if stepped and at.plastic(m)[q, L_ALIKE] and shared >= 0 else COLUMNS
    columns = neuron and share * events < size
    if every or at.below(m)[q] > 0 or (neuron and not columns and events > 0):
        for i in range(lines):
            at.lines(m)[i] = i
        changed = learn_rows(m, q, lines, number, shared < 0)
    else:
        changed = learn_sent(m, q, sent, events, number, shared < 0)
        if columns and stepped:
            changed += step_columns(m, q, events, number, shared < 0)
        elif columns:
            for k in range(events):
                j = at.neurons(m)[k]
                changed += learn_column(m, q, j, number, shared < 0)
    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, CHANGED] += changed
