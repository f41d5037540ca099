"""What a run left in its job folder, as every engine reports it.

In: a `Run` and its folder. Out: values, answers, counters and the state after the last step. Why
here: counts come from what Lava itself wrote, through the book that counts for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import mirrored
from hebbite.compiler.program.neuron import TRACES
from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import CounterBook, Counters
from hebbite.runtime.engines.lava.arrays import Array, read_array
from hebbite.runtime.engines.lava.exchange import Run
from hebbite.runtime.engines.lava.layout import (
    GROUP_TRACES,
    population_layout,
    source_layout,
    trace_layout,
)
from hebbite.runtime.recording import is_epoch_probe, row_shape

Long = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Written:
    """Everything that Lava's processes wrote.

    ``lines``: source or population -> register -> (steps, size); ``weights``: group -> (epochs,
    *the tensor's shape), and ``tags`` where a group keeps them; ``traces``: group -> register ->
    (epochs, size); ``due``: group -> (delay, post).
    """

    lines: Mapping[str, Mapping[str, Long]]
    weights: Mapping[str, Array]
    tags: Mapping[str, Array]
    traces: Mapping[str, Mapping[str, Long]]
    due: Mapping[str, Long]


def read_written(folder: Path, run: Run) -> Written:
    """Read the files of a run."""
    program = run.program
    layouts = {source.name: source_layout(source) for source in program.sources}
    layouts |= {p.name: population_layout(p) for p in program.populations}
    weights: dict[str, Array] = {}
    tags: dict[str, Array] = {}
    traces: dict[str, Mapping[str, Long]] = {}
    for plasticity in program.plasticity if run.learns else ():
        name = plasticity.synapses
        group = program.group(name)
        shape = program.tensors[group.weight].shape
        weights[name] = read_array(folder, f"weight.{name}").reshape(run.epochs, *shape)
        if plasticity.dt is not None:
            tags[name] = read_array(folder, f"tag.{name}").reshape(run.epochs, *shape)
        layout = trace_layout(program.post_size(group), program.line_count(group))
        traces[name] = layout.split(read_array(folder, f"trace.{name}"))
    return Written(
        lines={
            name: layout.split(read_array(folder, f"rows.{name}"))
            for name, layout in layouts.items()
        },
        weights=weights,
        tags=tags,
        traces=traces,
        due={
            group.name: read_array(folder, f"due.{group.name}").astype(np.int64)
            for group in program.synapses
        },
    )


def values_of(run: Run, written: Written, probes: Sequence[str]) -> dict[str, Long]:
    """Return probe -> int64 array, first axis steps or learning epochs."""
    found: dict[str, Long] = {}
    for probe in probes:
        component, register = probe.rsplit(".", 1)
        if not is_epoch_probe(run.program, probe):
            found[probe] = written.lines[component][register]
        elif not run.learns:
            found[probe] = np.zeros((0, *row_shape(run.program, probe)), np.int64)
        elif register == "weight":
            found[probe] = written.weights[component].astype(np.int64)
        elif register == "t":
            found[probe] = written.tags[component].astype(np.int64)
        else:
            found[probe] = written.traces[component][register]
    return found


def answers_of(run: Run, written: Written) -> Long:
    """Return the read-out of every sample, (samples, neurons)."""
    readout, period = run.program.readout, run.program.schedule.period
    size = run.program.population(readout.population).size
    register = "s" if readout.count else readout.register
    rows = written.lines[readout.population][register][:, :size].reshape(run.samples, period, size)
    return rows.sum(axis=1) if readout.count else rows[:, readout.offset - 1].copy()


def count(run: Run, written: Written) -> tuple[Counters, dict[str, Long]]:
    """Count the events of a run, step by step; return also what the next run counts from."""
    program, period = run.program, run.program.schedule.period
    book = CounterBook(program)
    book.restore(run.state)
    weights = {g.weight: run.state[f"weight.{g.weight}"] for g in program.synapses}
    potential = {p.name: run.state[f"neuron.{p.name}.v"] for p in program.populations}
    for step in range(run.steps):
        sent = _sent(program, written, step)
        offset = step % period + 1
        book.step(offset, sent=sent, before=potential, weights=weights, learn=run.learn)
        potential = {name: written.lines[name]["v"][step] for name in potential}
        if run.learns and (step + 1) % program.epoch == 0:
            after = weights_after(run, written, (step + 1) // program.epoch)
            _count_epoch(book, run, written, step, {**weights, **after}, weights)
            weights = {**weights, **after}
    return book.take(), book.state()


def _sent(program: Program, written: Written, step: int) -> dict[str, Long]:
    sent = {f"{source.name}.s": written.lines[source.name]["s"][step] for source in program.sources}
    for population in program.populations:
        lines = written.lines[population.name]
        sent |= {f"{population.name}.{x}": lines[x][step] for x in ("s", "e", "bap")}
    return sent


def _count_epoch(
    book: CounterBook,
    run: Run,
    written: Written,
    step: int,
    after: Mapping[str, Long],
    before: Mapping[str, Long],
) -> None:
    for plasticity in run.program.plasticity:
        group = run.program.group(plasticity.synapses)
        lines = written.lines[group.post]
        book.epoch(
            plasticity,
            (step + 1) // run.program.epoch,
            before=before[group.weight],
            after=after[group.weight],
            y={name: lines[name][step] for name in TRACES},
        )


def weights_after(run: Run, written: Written, epoch: int) -> dict[str, Long]:
    """Return the tensors that learning epoch ``epoch`` (from 1) changed, mirrors included."""
    program = run.program
    found: dict[str, Long] = {}
    for name, rows in written.weights.items():
        found[program.group(name).weight] = rows[epoch - 1].astype(np.int64)
    for group in program.synapses:
        if group.mirror:
            learned = found[program.group(group.mirror).weight]
            size = program.post_size(group)
            found[group.weight] = mirrored(learned, size=size, magnitude=group.magnitude)
    return found


def state_after(run: Run, written: Written) -> dict[str, Long]:
    """Return the state after the last step, under the names of a machine's state."""
    state = dict(run.state)
    state["clock"] = run.state["clock"] + np.array([run.steps, run.epochs], np.int64)
    for population in run.program.populations:
        lines = written.lines[population.name]
        for name in population.neuron.kept:
            last = lines[name][-1, : population.size]
            state[f"neuron.{population.name}.{name}"] = last.copy()
    state |= {f"due.{name}": rows.copy() for name, rows in written.due.items()}
    state |= {f"tag.{name}": rows[-1].astype(np.int64) for name, rows in written.tags.items()}
    for name, registers in written.traces.items():
        state |= {f"trace.{name}.{key}": registers[key][-1].copy() for key in GROUP_TRACES}
    if run.learns:
        after = weights_after(run, written, run.epochs)
        state |= {f"weight.{name}": value for name, value in after.items()}
    return state
