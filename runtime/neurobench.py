"""Metrics of a run under the names and definitions of NeuroBench, from a program and what it did.

In: a program, and the recording of a run that did not learn. Out: what NeuroBench 2.3 reports of
the same network, so that the two can stand in one table.

Source: J. Yik, K. Van den Berghe, D. den Blanken et al., "The NeuroBench framework for benchmarking
neuromorphic computing algorithms and systems", Nature Communications 16, 1545 (2025), doi
10.1038/s41467-025-56739-4; where the article leaves a choice, what the package 2.3 computes.

What is measured is the network of inference: groups of feedback, and the steps that serve learning
alone, are left out. A ``call`` of a group is a step in which its sender computes what it sends, a
value is an activation in such a step. Samples are not batched: where NeuroBench decides by batch
(whether a call multiplies) it agrees with a batch of one sample.

    Footprint            bytes of weights, biases and tables, zeros included
    ConnectionSparsity   weights that are 0 / weights, biases apart, to 4 places; shared weights of
                         a convolution count once, a list counts as the matrix that it stands for
    ActivationSparsity   activations that are 0 / activations
    SynapticOperations   a sample, biases apart: Effective_ACs are non-zero weights times non-zero
                         inputs in calls whose inputs are all -1, 0 or 1, Effective_MACs those in
                         other calls; Dense counts zeros of both, the padding of images apart
    MembraneUpdates      a sample: neurons whose v differs from the step before, and every neuron in
                         its first step; of populations that compute in several steps of a sample
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Conv2d, Dense, Sparse, synapses_of
from hebbite.compiler.program.types import OffsetPayload, Population, Program, Synapses
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.counters import INDEX, PHASES
from hebbite.runtime.recording import Recording

Long = NDArray[np.int64]


@dataclass(frozen=True)
class SynapticOperations:
    """Operations a sample."""

    effective_macs: float
    effective_acs: float
    dense: float

    def to_json(self) -> dict[str, float]:
        """Return the three numbers under NeuroBench's names."""
        return {
            "Effective_MACs": self.effective_macs,
            "Effective_ACs": self.effective_acs,
            "Dense": self.dense,
        }


@dataclass(frozen=True)
class Metrics:
    """What NeuroBench would report. ``footprint`` in bytes; operations and updates a sample."""

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    synaptic_operations: SynapticOperations
    membrane_updates: float

    def to_json(self) -> dict[str, object]:
        """Return the metrics under NeuroBench's names."""
        return {
            "Footprint": self.footprint,
            "ConnectionSparsity": self.connection_sparsity,
            "ActivationSparsity": self.activation_sparsity,
            "SynapticOperations": self.synaptic_operations.to_json(),
            "MembraneUpdates": self.membrane_updates,
        }


def probes_for(program: Program) -> tuple[str, ...]:
    """Return what a recording must hold: v of populations whose membranes are followed, s of
    senders of integers, and of populations that send errors while they infer."""
    membranes = [f"{p.name}.v" for p in _with_membranes(program)]
    senders = [f"{g.pre}.{g.output}" for g in _inferring(program) if g.graded]
    mixed = [f"{p.name}.s" for p in _active(program) if _offsets(program, p.name, "e")]
    return tuple(dict.fromkeys((*membranes, *senders, *mixed)))


def metrics(program: Program, recording: Recording, *, element_bytes: int | None = None) -> Metrics:
    """Return all metrics of a run that did not learn, with the probes of `probes_for`.

    ``element_bytes``: bytes of a number, 4 as PyTorch holds it; None: as the program holds it.

    Raises:
        UsageError: HB0540, no sample was run, or a probe is missing.
    """
    if recording.samples < 1:
        raise UsageError(Problem("HB0540", "metrics of a run need a sample"))
    missing = [probe for probe in probes_for(program) if probe not in recording.values]
    if missing:
        what = f"the recording lacks {', '.join(missing)}"
        raise UsageError(Problem("HB0540", what, hint="probes=probes_for(program)"))
    return Metrics(
        footprint=footprint(program, element_bytes=element_bytes),
        connection_sparsity=connection_sparsity(program),
        activation_sparsity=activation_sparsity(program, recording),
        synaptic_operations=synaptic_operations(program, recording),
        membrane_updates=membrane_updates(program, recording),
    )


def footprint(program: Program, *, element_bytes: int | None = None) -> int:
    """Return bytes of all weights and tables. What the chip's own words take is less or more:
    see `hebbite.compiler.capacity.footprint`."""
    names = [tensor for p in program.populations for _, tensor in p.tables]
    for group in _inferring(program):
        connect = group.connect
        index = [connect.starts, connect.targets] if isinstance(connect, Sparse) else []
        names += [group.weight, *index]
    held = [program.tensors[name] for name in dict.fromkeys(names)]
    return sum(each.size * (element_bytes or each.itemsize) for each in held)


def connection_sparsity(program: Program) -> float:
    """Return the share of weights that are 0; 0 where there are no weights."""
    zeros = weights = 0
    for group in _inferring(program):
        stored = program.tensors[group.weight]
        if isinstance(group.connect, Sparse):
            lines = _size(program, group.pre)
            kept = int(program.tensors[group.connect.starts][lines])
            count, nonzero = program.post_size(group) * lines, np.count_nonzero(stored[:kept])
        else:
            conv = group.connect if isinstance(group.connect, Conv2d) else None
            columns = conv.taps if conv is not None else _size(program, group.pre)
            count, nonzero = stored[:, :columns].size, np.count_nonzero(stored[:, :columns])
        zeros, weights = zeros + count - int(nonzero), weights + count
    return round(zeros / weights, 4) if weights else 0.0


def activation_sparsity(program: Program, recording: Recording) -> float:
    """Return the share of activations that are 0; 0 where nothing computes any."""
    nonzero = values = 0
    for population in _active(program):
        offsets = _offsets(program, population.name, "s")
        values += population.size * len(offsets) * recording.samples
        if _offsets(program, population.name, "e"):
            sent = _steps(program, recording, f"{population.name}.s", offsets)
            nonzero += int(np.count_nonzero(sent[:, :, : population.size]))
        else:
            nonzero += _counted(recording, population.name, "spikes_out")
    return (values - nonzero) / values if values else 0.0


def synaptic_operations(program: Program, recording: Recording) -> SynapticOperations:
    """Return operations a sample."""
    macs = acs = dense = 0
    for group in _inferring(program):
        biased = _bias_operations(program, group) * recording.samples
        effective = _counted(recording, group.name, "syn_ops") - biased
        added = _additions(program, recording, group) if group.graded else effective
        macs, acs = macs + effective - added, acs + added
        calls = len(_offsets(program, group.pre, group.output)) * recording.samples
        dense += _all_synapses(program, group) * calls
    samples = recording.samples
    return SynapticOperations(macs / samples, acs / samples, dense / samples)


def membrane_updates(program: Program, recording: Recording) -> float:
    """Return updates of membranes a sample."""
    updates = 0
    for population in _with_membranes(program):
        offsets = _offsets(program, population.name, "s")
        v = _steps(program, recording, f"{population.name}.v", offsets)
        updates += population.size * recording.samples
        updates += int(np.count_nonzero(v[:, 1:] != v[:, :-1]))
    return updates / recording.samples


def _inferring(program: Program) -> tuple[Synapses, ...]:
    return tuple(group for group in program.synapses if group.role != "feedback")


def _active(program: Program) -> Iterator[Population]:
    """Yield the populations that compute activations."""
    return (p for p in program.populations if _offsets(program, p.name, "s"))


def _with_membranes(program: Program) -> Iterator[Population]:
    """Yield the populations with a membrane that outlives the steps in which they may spike."""
    for population in program.populations:
        steps = len(_offsets(program, population.name, "s"))
        if steps > 1 and "v" in population.neuron.states:
            yield population


def _offsets(program: Program, name: str, output: str) -> tuple[int, ...]:
    """Return the offsets of inference at which a source or population computes an output."""
    schedule = program.schedule
    sources = {source.name: source.offsets for source in program.sources}
    if name in sources:
        at = set(sources[name])
    else:
        population = program.population(name)
        code = population.neuron.bind(dict(population.constants), period=schedule.period)
        writes = [i for i in code.instructions if i.result == output]
        spans = [range(int(i.first), int(i.last) + 1) for i in writes]
        at = {offset for span in spans for offset in span}
    inference = range(1, schedule.period + 1)
    return tuple(k for k in inference if k in at and not schedule.learns_at(k))


def _steps(program: Program, recording: Recording, probe: str, offsets: tuple[int, ...]) -> Long:
    """Return a probe's rows at some offsets, (samples, offsets, values)."""
    values, period = recording.values[probe], program.schedule.period
    rows = values.reshape(recording.samples, period, values.shape[1])
    return np.asarray(rows[:, np.array(offsets, np.int64) - 1], np.int64)


def _counted(recording: Recording, component: str, counter: str) -> int:
    counters = recording.counters
    row = counters.components.index(component)
    return int(counters.values[row, PHASES.index("inference"), INDEX[counter]])


def _size(program: Program, name: str) -> int:
    """Return the lines of a sender without its bias line."""
    sources = {source.name: source.size for source in program.sources}
    return sources[name] if name in sources else program.population(name).size


def _bias_of(program: Program, group: Synapses) -> tuple[OffsetPayload, ...]:
    if group.output != "s":
        return ()
    sources = {source.name: source.bias for source in program.sources}
    return sources[group.pre] if group.pre in sources else program.population(group.pre).bias


def _bias_operations(program: Program, group: Synapses) -> int:
    """Return what a sender's bias line adds to the operations of a sample."""
    learns = program.schedule.learns_at
    sent = sum(payload != 0 and not learns(k) for k, payload in _bias_of(program, group))
    return int(_nonzero_of_lines(program, group)[_size(program, group.pre) :].sum()) * sent


def _nonzero_of_lines(program: Program, group: Synapses) -> Long:
    """Return how many non-zero weights every line reaches, int64 (lines,)."""
    weight = program.tensors[group.weight]
    if isinstance(group.connect, Dense):
        return np.asarray(np.count_nonzero(weight, axis=0), np.int64)
    line, _, element = synapses_of(program, group)
    kept = line[weight.ravel()[element] != 0]
    return np.bincount(kept, minlength=program.line_count(group)).astype(np.int64)


def _all_synapses(program: Program, group: Synapses) -> int:
    """Return the synapses of a group, weights of 0 included and the bias line apart."""
    lines = _size(program, group.pre)
    if not isinstance(group.connect, Conv2d):
        return lines * program.post_size(group)
    return int(np.count_nonzero(synapses_of(program, group).line < lines))


def _additions(program: Program, recording: Recording, group: Synapses) -> int:
    """Return the operations of calls whose inputs are all -1, 0 or 1."""
    offsets = _offsets(program, group.pre, group.output)
    lines = _size(program, group.pre)
    sent = _steps(program, recording, f"{group.pre}.{group.output}", offsets)[:, :, :lines]
    binary = np.abs(sent).max(axis=2, initial=0) <= 1
    operations = (sent != 0) @ _nonzero_of_lines(program, group)[:lines]
    return int(operations[binary].sum())
