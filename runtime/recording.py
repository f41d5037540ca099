"""What a run leaves behind: probed values, answers and counts.

A probe is ``component.register``: ``hidden.s`` (lines sent, bias line included), ``hidden.v`` (any
register of the neuron program), ``image.s``, or of a plastic group ``fc1.weight fc1.x1 fc1.y2`` and
the tags ``fc1.t``, if it keeps any (as stored after every learning epoch).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.program.neuron import OUTPUTS, TRACES
from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import Counters


@dataclass(frozen=True, eq=False)
class Recording:
    """Result of a run.

    ``values``: probe -> int64 array, first axis steps (weights, tags and traces: learning epochs).
    ``answers``: the read-out register of every sample, int64 (samples, neurons).
    """

    engine: str
    rounding: Rounding
    seed: int
    samples: int
    steps: int
    values: Mapping[str, NDArray[np.int64]]
    answers: NDArray[np.int64]
    counters: Counters
    wall_s: float


def joined(parts: Sequence[Recording], *, wall_s: float | None = None) -> Recording:
    """Return recordings of runs that follow each other as one.

    ``wall_s``: the seconds that they took, where they did not run one after the other.
    """
    if len(parts) == 1 and wall_s is None:
        return parts[0]
    return replace(
        parts[0],
        samples=sum(part.samples for part in parts),
        steps=sum(part.steps for part in parts),
        values={p: np.concatenate([part.values[p] for part in parts]) for p in parts[0].values},
        answers=np.concatenate([part.answers for part in parts]),
        counters=reduce(add, (part.counters for part in parts)),
        wall_s=sum(part.wall_s for part in parts) if wall_s is None else wall_s,
    )


def all_probes(program: Program) -> tuple[str, ...]:
    """Return every probe that all engines can record: what equality is measured on."""
    probes = [f"{source.name}.s" for source in program.sources]
    for population in program.populations:
        registers = (*OUTPUTS, *TRACES, *population.neuron.states)
        probes += [f"{population.name}.{register}" for register in registers]
    for plasticity in program.plasticity:
        kept = [name for name, _ in plasticity.traces]
        tags = () if plasticity.dt is None else ("t",)
        probes += [f"{plasticity.synapses}.{name}" for name in ("weight", *tags, *kept)]
    return tuple(probes)


def row_shape(program: Program, probe: str) -> tuple[int, ...]:
    """Return the shape of a probe's row: weights and tags as the tensor is, (size,) of all else."""
    component, register = probe.rsplit(".", 1)
    if is_epoch_probe(program, probe):
        group = program.group(component)
        if register in ("weight", "t"):
            return program.tensors[group.weight].shape
        line = register[0] == "x"
        return (program.line_count(group) if line else program.post_size(group),)
    if register in ("s", "e"):
        return (program.lines(component, register),)
    return (program.population(component).size,)


def is_epoch_probe(program: Program, probe: str) -> bool:
    """Whether a probe is recorded once a learning epoch rather than once a step."""
    component = probe.rsplit(".", 1)[0]
    return any(plasticity.synapses == component for plasticity in program.plasticity)
