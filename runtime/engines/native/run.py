"""The kernel that Python calls: all steps of all samples of a call."""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.costs import complete_costs
from hebbite.runtime.engines.native.language import apart, kernel
from hebbite.runtime.engines.native.learning import learn_group
from hebbite.runtime.engines.native.messages import (
    deliver,
    execute,
    feed,
    receive,
)
from hebbite.runtime.engines.native.plan import (
    B_FROM,
    B_KIND,
    B_SIZE,
    B_TO,
    FROM_MEMORY,
    FROM_SHORTS,
    FROM_TAGS,
    FROM_WORDS,
    FROM_X,
    FROM_Y,
    G_MIRRORS,
    H_END,
    H_EPOCH,
    H_PERIOD,
    H_START,
    O_LIST,
    R_COUNT,
    R_OFFSET,
    R_OUTPUT,
    R_ROW,
    R_SIZE,
    Call,
    Long,
    Short,
    Word,
)
from hebbite.runtime.engines.native.synapses import mirror
from hebbite.runtime.engines.native.traces import (
    count_written,
    keep,
    note_events,
    note_messages,
    take_written,
)


@kernel
def run_step(m: int, sample: int, offset: int) -> None:
    """Run one step: sources, populations, groups of synapses, in this order."""
    step = at.clock(m)[0]
    late = 1 if offset < at.head(m)[H_START] or offset > at.head(m)[H_END] else 0
    for s in range(at.sources(m).shape[0]):
        feed(m, s, sample, offset, late)
    for p in range(at.populations(m).shape[0]):
        everyone = deliver(m, p, step)
        execute(m, p, offset, late, everyone)
    for g in range(at.groups(m).shape[0]):
        receive(m, g, step, late)


@kernel
def read_out(m: int, sample: int, offset: int) -> None:
    """Read the answer of a sample when it is due."""
    row, memory, answers = at.readout(m), at.memory(m), at.answers(m)
    if row[R_COUNT]:
        listed = at.lists(m)[at.outputs(m)[row[R_OUTPUT], O_LIST] :]
        for k in range(at.sent(m)[row[R_OUTPUT]]):
            if listed[k] < row[R_SIZE]:
                answers[sample, listed[k]] += memory[row[R_ROW] + listed[k]]
    elif offset == row[R_OFFSET]:
        for j in range(row[R_SIZE]):
            answers[sample, j] = memory[row[R_ROW] + j]


@apart
def record(values: Word | Short, probes: Long, kind: int, log: Long, row: int) -> None:
    """Write the probes of one kind into a row of a log."""
    for b in range(probes.shape[0]):
        if probes[b, B_KIND] == kind:
            source = values[probes[b, B_FROM] :]
            goal = log[row][probes[b, B_TO] :]
            for j in range(probes[b, B_SIZE]):
                goal[j] = source[j]


@kernel
def end_epoch(m: int, epoch: int) -> None:
    """Advance traces, update weights and tags, copy mirrors."""
    for q in range(at.plastic(m).shape[0]):
        take_written(m, q)
        count_written(m, q)
        learn_group(m, q, epoch)
        keep(m, q)
    for g in range(at.groups(m).shape[0]):
        if at.groups(m)[g, G_MIRRORS] >= 0:
            mirror(m, g)
    at.clock(m)[1] += 1


@kernel
def record_epoch(m: int, epoch: int) -> None:
    """Write the probes of a learning epoch."""
    if at.epoch_log(m).shape[1] > 0:
        record(at.shorts(m), at.probes(m), FROM_SHORTS, at.epoch_log(m), epoch)
        record(at.words(m), at.probes(m), FROM_WORDS, at.epoch_log(m), epoch)
        record(at.tags(m), at.probes(m), FROM_TAGS, at.epoch_log(m), epoch)
        record(at.x(m), at.probes(m), FROM_X, at.epoch_log(m), epoch)
        record(at.y(m), at.probes(m), FROM_Y, at.epoch_log(m), epoch)


@kernel
def run(m: int, samples: int, learn: int) -> None:
    """Run ``samples`` samples on the machine ``m``, and learn if told so."""
    length = at.head(m)[H_EPOCH]
    learns = learn and length > 0
    first_step, first_epoch = at.clock(m)[0], at.clock(m)[1]
    for sample in range(samples):
        for offset in range(1, at.head(m)[H_PERIOD] + 1):
            run_step(m, sample, offset)
            read_out(m, sample, offset)
            if at.step_log(m).shape[1] > 0:
                row = at.clock(m)[0] - first_step
                record(at.memory(m), at.probes(m), FROM_MEMORY, at.step_log(m), row)
            at.clock(m)[0] += 1
            if not learns:
                continue
            within = (at.clock(m)[0] - 1) % length + 1
            for q in range(at.plastic(m).shape[0]):
                note_messages(m, q, within)
                note_events(m, q, within)
            if within == length:
                epoch = at.clock(m)[1] - first_epoch
                end_epoch(m, epoch)
                record_epoch(m, epoch)
    if learns:
        for q in range(at.plastic(m).shape[0]):
            take_written(m, q)
    complete_costs(m)


def run_samples(listed: Long, call: Call, samples: int, *, learn: bool) -> None:
    """Run samples on a machine whose arrays are listed, all but those of the call (`views`)."""
    at.enter(listed, (call,))
    compiled(run, None, None, None)(listed.ctypes.data, samples, learn)


def prepare() -> None:
    """Have the kernel's machine code at hand, before several threads ask for it."""
    compiled(run, None, None, None)
