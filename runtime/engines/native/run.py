"""The kernel that Python calls: all steps of all samples of a call."""

from __future__ import annotations

from collections.abc import Callable

from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.native.jit import helper, kernel, part, source_digest
from hebbite.runtime.engines.native.learning import idle, learn_group, mirror
from hebbite.runtime.engines.native.messages import deliver, feed, receive, send
from hebbite.runtime.engines.native.neurons import execute
from hebbite.runtime.engines.native.plan import (
    B_FROM,
    B_KIND,
    B_SIZE,
    B_TO,
    FROM_LINES,
    FROM_MEMORY,
    FROM_TAGS,
    FROM_WEIGHTS,
    FROM_X,
    FROM_Y,
    G_MIRRORS,
    H_END,
    H_EPOCH,
    H_PERIOD,
    H_START,
    R_COMPONENT,
    R_COUNT,
    R_OFFSET,
    R_ROW,
    R_SIZE,
    Call,
    Long,
    Plan,
    Scratch,
    State,
    Word,
)
from hebbite.runtime.engines.native.traces import (
    ALL_TRACES,
    PRE_TRACES,
    advance_group,
    count_written,
    keep,
    note_events,
    note_messages,
)

STEPS, HOST = INDEX["steps"], INDEX["host_words"]
Run = Callable[[Plan, State, Scratch, Call, int, bool], None]


@part
def run_step(
    plan: Plan, state: State, scratch: Scratch, call: Call, sample: int, offset: int
) -> None:
    """Run one step: sources, populations, groups of synapses, in this order."""
    step = state.clock[0]
    late = 1 if offset < plan.head[H_START] or offset > plan.head[H_END] else 0
    call.counts[0, late, STEPS] += 1
    for s in range(plan.sources.shape[0]):
        feed(plan, state, call, s, sample, offset, late)
    for p in range(plan.populations.shape[0]):
        deliver(plan, state, scratch, call.counts, p, step, late)
        execute(plan, state, scratch, call.counts, p, offset, late)
        send(plan, state, p, offset)
    for g in range(plan.groups.shape[0]):
        receive(plan, state, call.counts, g, step, late)


@part
def read_out(plan: Plan, state: State, call: Call, sample: int, offset: int) -> None:
    """Read the answer of a sample when it is due; the host counts its words."""
    row, memory, answers = plan.readout, state.memory, call.answers
    if offset == row[R_OFFSET]:
        call.counts[row[R_COMPONENT], 0, HOST] += row[R_SIZE]
    if row[R_COUNT]:
        for j in range(row[R_SIZE]):
            answers[sample, j] += memory[row[R_ROW] + j]
    elif offset == row[R_OFFSET]:
        for j in range(row[R_SIZE]):
            answers[sample, j] = memory[row[R_ROW] + j]


@helper
def record(values: Long | Word, probes: Long, kind: int, log: Long, row: int) -> None:
    """Write the probes of one kind into a row of a log."""
    for b in range(probes.shape[0]):
        if probes[b, B_KIND] == kind:
            for j in range(probes[b, B_SIZE]):
                log[row, probes[b, B_TO] + j] = values[probes[b, B_FROM] + j]


@part
def end_epoch(plan: Plan, state: State, scratch: Scratch, call: Call, epoch: int) -> None:
    """Advance traces, update weights and tags, copy mirrors."""
    for q in range(plan.plastic.shape[0]):
        count_written(plan, state, call.counts, q)
        if idle(plan, state, q):
            advance_group(plan, state, scratch, call, q, epoch, PRE_TRACES)
        else:
            advance_group(plan, state, scratch, call, q, epoch, ALL_TRACES)
            learn_group(plan, state, scratch, call, q, epoch)
        keep(plan, state, scratch, q)
    for g in range(plan.groups.shape[0]):
        if plan.groups[g, G_MIRRORS] >= 0:
            mirror(plan, state, call.counts, g)
    state.clock[1] += 1


def _compiled(digest: int) -> Run:
    """Return the kernel; ``digest`` of the sources tells a machine's old code from this one's."""

    def run(
        plan: Plan, state: State, scratch: Scratch, call: Call, samples: int, learn: bool
    ) -> None:
        assert digest != 0
        length = plan.head[H_EPOCH]
        first_step, first_epoch = state.clock[0], state.clock[1]
        for sample in range(samples):
            for offset in range(1, plan.head[H_PERIOD] + 1):
                run_step(plan, state, scratch, call, sample, offset)
                read_out(plan, state, call, sample, offset)
                row = state.clock[0] - first_step
                record(state.lines, call.probes, FROM_LINES, call.steps, row)
                record(state.memory, call.probes, FROM_MEMORY, call.steps, row)
                state.clock[0] += 1
                if not learn or length == 0:
                    continue
                within = (state.clock[0] - 1) % length + 1
                for q in range(plan.plastic.shape[0]):
                    note_messages(plan, state, call.counts, q, within)
                    note_events(plan, state, call.counts, q, within)
                if within == length:
                    epoch = state.clock[1] - first_epoch
                    end_epoch(plan, state, scratch, call, epoch)
                    record(state.weights, call.probes, FROM_WEIGHTS, call.epochs, epoch)
                    record(state.tags, call.probes, FROM_TAGS, call.epochs, epoch)
                    record(state.x, call.probes, FROM_X, call.epochs, epoch)
                    record(state.y, call.probes, FROM_Y, call.epochs, epoch)

    return kernel(run)


RUN = _compiled(source_digest())
