"""Counts a window of samples by core: any engine runs it, its probes say what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import mirrored
from hebbite.compiler.program.neuron import TRACES
from hebbite.compiler.program.types import Program
from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.bycore.book import CoreBook
from hebbite.runtime.bycore.counts import CoreCounts
from hebbite.runtime.engines.base import Inputs, Machine
from hebbite.runtime.recording import is_epoch_probe, row_shape

Long = NDArray[np.int64]
ROOM = 1 << 26
"""Bytes that the probes of one piece of the window may take, unless one sample takes more."""


def count_by_core(
    machine: Machine, program: Program, inputs: Inputs, *, samples: int, learn: bool = True
) -> CoreCounts:
    """Run ``samples`` samples of a placed program and return their counts by core and step.

    ``machine`` has ``program`` open, on any engine and in any state: it goes on by the window.
    Before placement everything stands on core 0.

    Raises:
        UsageError: HB0550, no sample, or two groups that learn share their weights, so that it
            cannot be told which one changed them.
    """
    if samples < 1:
        raise UsageError(Problem("HB0550", f"a window has samples, not {samples}"))
    learners = [program.group(p.synapses).weight for p in program.plasticity if learn]
    for tensor in {tensor for tensor in learners if learners.count(tensor) > 1}:
        what = f"two groups that learn share @{tensor}: who changed it cannot be told"
        raise UsageError(Problem("HB0550", what, hint="give each its own tensor"))
    replay = _Replay(program, machine.state(), learn=learn)
    probes = probes_of(program, learn=learn)
    found = []
    for first, last in _pieces(program, probes, samples):
        part = {name: given[first:last] for name, given in inputs.items()}
        values = machine.run(part, samples=last - first, learn=learn, probes=probes).values
        found.append(replay.count(values, samples=last - first))
    return reduce(add, found)


def probes_of(program: Program, *, learn: bool) -> tuple[str, ...]:
    """Return what must be recorded so that everything can be counted."""
    probes = [f"{source.name}.s" for source in program.sources]
    for population in program.populations:
        probes += [f"{population.name}.{register}" for register in ("s", "e", "v")]
    for plasticity in program.plasticity if learn else ():
        post = program.group(plasticity.synapses).post
        probes += [f"{plasticity.synapses}.weight", f"{post}.bap"]
        if plasticity.factors == 3:
            names = (name for name, _ in plasticity.traces if name in TRACES)
            probes += [f"{post}.{name}" for name in names]
    return tuple(dict.fromkeys(probes))


def _pieces(program: Program, probes: tuple[str, ...], samples: int) -> Iterator[tuple[int, int]]:
    """Yield (first, last + 1) of parts whose probes fit the room."""
    period, epoch = program.schedule.period, program.epoch
    size = 0
    for probe in probes:
        rows = period // epoch if epoch and is_epoch_probe(program, probe) else period
        size += 8 * rows * int(np.prod(row_shape(program, probe)))
    each = max(1, ROOM // max(size, 1))
    for first in range(0, samples, each):
        yield first, min(first + each, samples)


class _Replay:
    """Tells a book what happened, from what was recorded."""

    def __init__(self, program: Program, state: Mapping[str, Long], *, learn: bool) -> None:
        self._program, self._learn = program, learn
        self._book = CoreBook(program, state)
        self._weights = {g.weight: state[f"weight.{g.weight}"] for g in program.synapses}
        self._epoch = int(state["clock"][1])
        self._v = {
            p.name: state.get(f"neuron.{p.name}.v", np.zeros(p.size, np.int64))
            for p in program.populations
        }

    def count(self, values: Mapping[str, Long], *, samples: int) -> CoreCounts:
        """Return the counts of samples that were recorded."""
        program, learns = self._program, self._learn and self._program.epoch > 0
        period, epoch = program.schedule.period, program.epoch
        steps = [probe for probe in values if not is_epoch_probe(program, probe)]
        for step in range(samples * period):
            sent = {probe: values[probe][step] for probe in steps}
            offset = step % period + 1
            self._book.step(offset, sent=sent, before=self._v, weights=self._weights, learn=learns)
            self._v = {p.name: sent[f"{p.name}.v"] for p in program.populations}
            if learns and (step + 1) % epoch == 0:
                self._end_epoch(values, (step + 1) // epoch - 1, sent)
        return self._book.take()

    def _end_epoch(self, values: Mapping[str, Long], row: int, sent: Mapping[str, Long]) -> None:
        self._epoch += 1
        program = self._program
        for plasticity in program.plasticity:
            name = plasticity.synapses
            group = program.group(name)
            before, after = self._weights[group.weight], values[f"{name}.weight"][row]
            names = [trace for trace in TRACES if f"{group.post}.{trace}" in sent]
            y = {trace: sent[f"{group.post}.{trace}"] for trace in names}
            self._book.epoch(plasticity, self._epoch, before=before, after=after, y=y)
            self._weights[group.weight] = after
        self._book.mirrors()
        for group in program.synapses:
            if group.mirror:
                followed = self._weights[program.group(group.mirror).weight]
                size = program.post_size(group)
                copied = mirrored(followed, size=size, magnitude=group.magnitude)
                self._weights[group.weight] = copied
