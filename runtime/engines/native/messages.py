"""Messages in kernels: sources send, populations receive and send, synapses compute.

Everything follows the lists of lines that sent; what no message reached is not touched.
"""

from __future__ import annotations

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.costs import count_messages
from hebbite.runtime.engines.native.counts import count_lines
from hebbite.runtime.engines.native.language import address, apart, call_printed, kernel, part
from hebbite.runtime.engines.native.lists import add_blocks, add_listed
from hebbite.runtime.engines.native.philox import draw_words
from hebbite.runtime.engines.native.plan import (
    ALL,
    BYTES,
    CONV,
    DENSE,
    FORGOTTEN,
    G_ASKS,
    G_BLOCKS,
    G_BORDERS,
    G_DELAY,
    G_DUE,
    G_EXPONENT,
    G_FEEDBACK,
    G_GRADED,
    G_KIND,
    G_MISSES,
    G_NONZERO,
    G_OUTPUT,
    G_PORT,
    G_POST,
    G_SCALE,
    G_SHAPE,
    G_SIZE,
    G_SLOTS,
    G_STARTS,
    G_STORE,
    G_TARGETS,
    G_VARIES,
    G_WEIGHT,
    N_BITS,
    N_FIRST,
    N_LAST,
    N_POPULATION,
    N_ROW,
    N_STREAM,
    O_FLAGS,
    O_LINE,
    O_LINES,
    O_LIST,
    O_SIZE,
    P_A,
    P_ACTIVE,
    P_ASKED,
    P_BAP,
    P_COMPONENT,
    P_E,
    P_REACHED,
    P_S,
    P_SIZE,
    P_TABLE,
    P_TABLE_REACHED,
    P_WATCHED,
    RECOUNTED,
    S_COMPONENT,
    S_EVENTS,
    S_OUTPUT,
    S_SIZE,
    S_TARGET,
    SHORTS,
    SOME,
    SPARSE,
    SPARSE_BLOCKS,
    UNASKED,
    W_OUTPUT,
    W_POPULATION,
    Byte,
    Short,
    Small,
    Word,
)
from hebbite.runtime.engines.native.recounted import reach_recounted, sum_recounted
from hebbite.runtime.engines.native.spread import (
    add_payloads,
    add_spikes,
    common,
    list_flags,
    lower,
    mark,
    reach,
    sum_spikes_of_bytes,
    total_of,
)
from hebbite.runtime.engines.native.windows import convolve

ACTIVE, FIRED, HOST = INDEX["neuron_active"], INDEX["spikes_out"], INDEX["host_words"]


@kernel
def feed(m: int, s: int, sample: int, offset: int, late: int) -> None:
    """Put what source ``s`` sends on its lines; the host counts every word."""
    sources, output = at.sources(m), at.sources(m)[s, S_OUTPUT]
    size, line, start = (
        sources[s, S_SIZE],
        at.outputs(m)[output, O_LINE],
        at.outputs(m)[output, O_LIST],
    )
    lines, listed = at.memory(m)[line:], at.lists(m)[start:]
    for k in range(at.sent(m)[output]):
        lines[listed[k]] = 0
    count, event = 0, at.source_events(m)[s, offset]
    if event >= 0:
        row = sample * sources[s, S_EVENTS] + event
        if at.is_wide(m)[s]:
            given = at.wide(m)[at.event_base(m)[s] + row * size :]
            for i in range(size):
                if given[i] != 0:
                    listed[count] = i
                    count += 1
            copy_listed(given, listed, count, lines)
        else:
            sent = at.narrow(m)[at.event_base(m)[s] + row * size :]
            count = list_flags(sent, listed, size)
            copy_listed(sent, listed, count, lines)
    count = end_list(m, output, offset, count)
    at.counts(m)[2 * sources[s, S_COMPONENT] + max(late, sources[s, S_TARGET]), HOST] += count


@apart
def copy_listed(given: Byte | Short, listed: Word, count: int, lines: Word) -> None:
    """Put the payloads of the ``count`` lines of a list on the lines."""
    for k in range(count):
        lines[listed[k]] = given[listed[k]]


@kernel
def deliver(m: int, p: int, step: int) -> int:
    """Give population ``p`` its inputs; return whether a message reached every neuron, else mark
    which.

    Where one group alone delivers, the neurons read what it computed where it stands.
    """
    populations, groups = at.populations(m), at.groups(m)
    came, alone = 0, 0
    for g in range(groups.shape[0]):
        slot = groups[g, G_SLOTS] + step % groups[g, G_DELAY]
        if groups[g, G_POST] == p and at.full(m)[slot] != 0:
            came, alone = came + 1, g
    for w in range(at.wires(m).shape[0]):
        came += 2 * (at.wires(m)[w, W_POPULATION] == p)
    if came == 1 and not populations[p, P_WATCHED]:
        return point_to(m, p, alone, step)
    return gather(m, p, step)


@kernel
def point_to(m: int, p: int, g: int, step: int) -> int:
    """Let population ``p`` read what group ``g`` delivers; its other input is 0."""
    populations, groups, table = at.populations(m), at.groups(m), at.tables(m)
    size, first, port = populations[p, P_SIZE], populations[p, P_TABLE], groups[g, G_PORT]
    start = groups[g, G_DUE] + step % groups[g, G_DELAY] * size
    other = populations[p, P_A + 1 - port]
    if at.full(m)[2 * p + 1 - port]:
        at.memory(m)[other : other + size] = 0
        at.full(m)[2 * p + 1 - port] = 0
    table[first + port] = address(at.due(m)[start:])
    table[first + 1 - port] = address(at.memory(m)[other:])
    table[populations[p, P_TABLE_REACHED]] = address(at.arrived(m)[start:])
    return at.full(m)[groups[g, G_SLOTS] + step % groups[g, G_DELAY]] >= ALL


@kernel
def gather(m: int, p: int, step: int) -> int:
    """Add up the inputs of population ``p``, and mark the neurons that a message reached."""
    populations, groups, wires = at.populations(m), at.groups(m), at.wires(m)
    size, start, table = populations[p, P_SIZE], populations[p, P_REACHED], at.tables(m)
    reached, first = at.flags(m)[start : start + size], populations[p, P_TABLE]
    table[populations[p, P_TABLE_REACHED]] = address(reached)
    came, everyone = False, False
    for port in range(2):
        row = populations[p, P_A + port]
        goal = at.memory(m)[row : row + size]
        table[first + port] = address(goal)
        filled = False
        for g in range(groups.shape[0]):
            if groups[g, G_POST] != p or groups[g, G_PORT] != port:
                continue
            slot = step % groups[g, G_DELAY]
            full = at.full(m)[groups[g, G_SLOTS] + slot]
            if full:
                due = groups[g, G_DUE] + slot * size
                add_row(goal, at.due(m)[due : due + size], filled)
                filled, everyone = True, everyone or full >= ALL
                if not everyone:
                    mark(reached, at.arrived(m)[due : due + size], came)
                    came = True
        if port == 1:
            for w in range(wires.shape[0]):
                if wires[w, W_POPULATION] == p:
                    line = at.outputs(m)[wires[w, W_OUTPUT], O_LINE]
                    sent = at.memory(m)[line : line + size]
                    add_row(goal, sent, filled)
                    filled = True
                    if not everyone:
                        mark(reached, sent, came)
                        came = True
        if not filled and at.full(m)[2 * p + port]:
            goal[:] = 0
        at.full(m)[2 * p + port] = filled
    if not (came or everyone):
        reached[:] = 0
    return everyone


@apart
def add_row(goal: Word, row: Word, add: bool) -> None:
    """Add a row to an input, or copy the first one."""
    if add:
        for j in range(goal.shape[0]):
            goal[j] += row[j]
    else:
        for j in range(goal.shape[0]):
            goal[j] = row[j]


@kernel
def execute(m: int, p: int, offset: int, late: int, everyone: int) -> None:
    """Execute one step of population ``p``, and list who sends. ``everyone``: whether a message is
    known to have reached every neuron.
    """
    populations, size = at.populations(m), at.populations(m)[p, P_SIZE]
    table = populations[p, P_TABLE]
    for n in range(at.drawings(m).shape[0]):
        if at.drawings(m)[n, N_POPULATION] == p:
            draw(m, n, offset, size)
    code = at.code(m)[p + everyone * at.populations(m).shape[0], offset]
    call_printed(code, address(at.tables(m)[table:]), size)
    fired = collect(m, populations[p, P_S], offset)
    if populations[p, P_E] >= 0:
        fired += collect(m, populations[p, P_E], offset)
    if populations[p, P_BAP] >= 0:
        collect(m, populations[p, P_BAP], offset)
    totals = at.tables(m)[populations[p, P_ACTIVE] :]
    row = at.counts(m)[2 * populations[p, P_COMPONENT] + late]
    row[ACTIVE] += size if everyone else totals[0]
    row[FIRED] += fired + totals[1]
    if populations[p, P_ASKED]:
        at.resting(m)[p] = totals[2]


@kernel
def draw(m: int, n: int, offset: int, size: int) -> None:
    """Draw the numbers of one instruction, if the offset is one of its own."""
    drawings = at.drawings(m)
    if offset < drawings[n, N_FIRST] or offset > drawings[n, N_LAST]:
        return
    blocks, shift = (size + 3) // 4, 32 - drawings[n, N_BITS]
    stream, time = drawings[n, N_STREAM], at.clock(m)[0]
    draw_words(at.head(m), at.in_order(m), blocks, stream, time, at.drawn(m))
    goal = at.memory(m)[drawings[n, N_ROW] :]
    for j in range(size):
        goal[j] = at.drawn(m)[j] >> shift


@kernel
def collect(m: int, output: int, offset: int) -> int:
    """List the neurons that send on an output, and its bias line; return how many neurons do."""
    outputs = at.outputs(m)
    size, start = outputs[output, O_SIZE], outputs[output, O_FLAGS]
    listed = at.lists(m)[outputs[output, O_LIST] :]
    flags = at.flags(m)[start : start + size]
    count = list_flags(flags, listed, size)
    end_list(m, output, offset, count)
    return count


@kernel
def end_list(m: int, output: int, offset: int, count: int) -> int:
    """Append the bias line of an output to its list of ``count`` lines, if it sends at an offset;
    return how long the list is.
    """
    outputs, size = at.outputs(m), at.outputs(m)[output, O_SIZE]
    if outputs[output, O_LINES] > size:
        bias = at.output_bias(m)[output, offset]
        at.memory(m)[outputs[output, O_LINE] + size] = bias
        if bias != 0:
            at.lists(m)[outputs[output, O_LIST] + count] = size
            count += 1
    at.sent(m)[output] = count
    return count


@kernel
def receive(m: int, g: int, step: int, late: int) -> None:
    """Compute what group ``g`` delivers later, from the lines that sent in this step."""
    groups, output = at.groups(m), at.groups(m)[g, G_OUTPUT]
    size, slot = groups[g, G_SIZE], step % groups[g, G_DELAY]
    full, start = groups[g, G_SLOTS] + slot, groups[g, G_DUE] + slot * size
    count = at.sent(m)[output]
    if count == 0 and not at.full(m)[full]:
        return
    due, arrived = at.due(m)[start : start + size], at.arrived(m)[start : start + size]
    if count == 0:
        at.full(m)[full], due[:] = 0, 0
        return
    shift = groups[g, G_SCALE] + groups[g, G_EXPONENT]
    up = max(shift, 0)
    ids = at.lists(m)[at.outputs(m)[output, O_LIST] :]
    payload = at.memory(m)[at.outputs(m)[output, O_LINE] :]
    in_rows, graded = groups[g, G_KIND] == DENSE, groups[g, G_GRADED]
    if groups[g, G_VARIES] == FORGOTTEN and in_rows:
        count_lines(m, g, ids, count)
    if groups[g, G_STORE] == BYTES and in_rows and not graded:
        base, nonzero = groups[g, G_WEIGHT], at.nonzero(m)[groups[g, G_NONZERO] :]
        misses = at.misses(m)[groups[g, G_MISSES] :]
        met, missed = sum_spikes_of_bytes(
            due, at.sums(m), at.bytes(m), base, nonzero, misses, ids, count, up
        )
        filled = reached(m, at.bytes(m), g, arrived, ids, count, missed)
    elif groups[g, G_VARIES] == RECOUNTED:
        base, rows = groups[g, G_WEIGHT], at.shorts(m)[groups[g, G_WEIGHT] :]
        met = sum_recounted(due, at.sums(m), at.ramp(m), rows, ids, count, up)
        filled = reach_recounted(arrived, at.sums(m), rows, ids, count, at.neurons(m))
    elif groups[g, G_STORE] == BYTES:
        met, filled = spread(m, at.bytes(m), g, due, arrived, ids, count, payload, up)
    elif groups[g, G_STORE] == SHORTS:
        met, filled = spread(m, at.shorts(m), g, due, arrived, ids, count, payload, up)
    else:
        met, filled = spread(m, at.words(m), g, due, arrived, ids, count, payload, up)
    at.full(m)[full] = filled
    if shift < 0:
        lower(due, -shift)
    count_messages(m, g, ids, count, met, max(late, groups[g, G_FEEDBACK]))


@part
def reached(
    m: int,
    weights: Small | Short | Word,
    g: int,
    arrived: Byte,
    ids: Word,
    count: int,
    missed: int,
) -> int:
    """Do what `reach` does, unless the bits ``missed`` tell it: none is left, nobody was missed."""
    if missed == 0:
        return ALL
    return reach(arrived, weights, at.groups(m)[g, G_WEIGHT], ids, count, at.neurons(m))


@kernel
def spread(
    m: int,
    weights: Small | Short | Word,
    g: int,
    due: Word,
    arrived: Byte,
    ids: Word,
    count: int,
    payload: Word,
    up: int,
) -> tuple[int, int]:
    """Add what ``count`` lines sent through a group whose weights stand in one store; return how
    many weights that are not 0 they met, and what their slot is full of.
    """
    groups, base, graded = at.groups(m), at.groups(m)[g, G_WEIGHT], at.groups(m)[g, G_GRADED]
    due[:] = 0
    nonzero, kind = at.nonzero(m)[groups[g, G_NONZERO] :], groups[g, G_KIND]
    misses = at.misses(m)[groups[g, G_MISSES] :]
    if kind == DENSE and not graded:
        met, missed = add_spikes(due, weights, base, nonzero, misses, ids, count, up)
        return met, reached(m, weights, g, arrived, ids, count, missed)
    if kind == DENSE:
        of_bytes = groups[g, G_STORE] == BYTES
        add_payloads(due, at.sums(m), weights, base, ids, count, payload, of_bytes, up)
        met = total_of(nonzero, ids, count)
        return met, reached(m, weights, g, arrived, ids, count, common(misses, ids, count))
    if kind == CONV:
        shape, sums, marks = at.shapes(m)[groups[g, G_SHAPE]], at.place_sums(m), at.marks(m)
        convolve(due, arrived, sums, marks, shape, weights, base, ids, count, payload, graded, up)
        return total_of(nonzero, ids, count), SOME
    met, filled = spread_list(m, weights[base:], g, due, arrived, ids, count, payload, up)
    return met, filled


@kernel
def spread_list(
    m: int,
    held: Small | Short | Word,
    g: int,
    due: Word,
    arrived: Byte,
    ids: Word,
    count: int,
    payload: Word,
    up: int,
) -> tuple[int, int]:
    """Do what `spread` does, for a list of synapses whose weights are ``held``."""
    groups, graded = at.groups(m), at.groups(m)[g, G_GRADED]
    nonzero, kind = at.nonzero(m)[groups[g, G_NONZERO] :], groups[g, G_KIND]
    asked = not groups[g, G_ASKS] or at.resting(m)[groups[g, G_POST]] != 0
    if asked:
        arrived[:] = 0
    starts, first = at.starts(m)[groups[g, G_STARTS] :], groups[g, G_TARGETS]
    of_bytes = groups[g, G_STORE] == BYTES
    if kind == SPARSE_BLOCKS:
        blocks, cut = groups[g, G_BLOCKS], at.borders(m)[groups[g, G_BORDERS] :]
        met = add_blocks(
            due, arrived, at.in_blocks(m)[first:], cut, blocks, starts, held, ids, count, payload,
            graded, nonzero, up, asked, of_bytes,
        )  # fmt: skip
    elif kind == SPARSE:
        met = add_listed(
            due, arrived, at.near_targets(m)[first:], starts, held, ids, count, payload, graded,
            nonzero, up, asked, of_bytes,
        )  # fmt: skip
    else:
        met = add_listed(
            due, arrived, at.far_targets(m)[first:], starts, held, ids, count, payload, graded,
            nonzero, up, asked, of_bytes,
        )  # fmt: skip
    return met, SOME if asked else UNASKED
