"""A run of a program as a job folder: the caller packs it, the child unpacks it.

In: program, state, events. Out: the same on the other side. Why: the child shares nothing with the
caller but files. The program goes as text, its tensors with the weights as they stand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.lava.arrays import Array, read_array, write_array
from hebbite.runtime.engines.lava.job import JOB, Json, write_json

Long = NDArray[np.int64]
PROGRAM = "program.txt"


@dataclass(frozen=True, eq=False)
class Run:
    """A run: ``samples`` samples from ``state`` on (names as in a machine's state)."""

    program: Program
    state: Mapping[str, Long]
    events: Mapping[str, Long]
    samples: int
    learn: bool
    seed: int

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.samples * self.program.schedule.period

    @property
    def epochs(self) -> int:
        """Number of learning epochs."""
        return self.steps // self.program.epoch if self.learns else 0

    @property
    def learns(self) -> bool:
        """Whether anything learns in this run."""
        return self.learn and bool(self.program.plasticity)


def with_weights(program: Program, state: Mapping[str, Long]) -> Program:
    """Return the program with the weights of a state."""
    held = {name: state[f"weight.{name}"] for name in {g.weight for g in program.synapses}}
    return dataclasses.replace(program, tensors={**program.tensors, **held})


def pack(folder: Path, run: Run) -> None:
    """Write a run into an empty folder."""
    program = with_weights(run.program, run.state)
    (folder / PROGRAM).write_text(print_program(program), encoding="utf-8")
    job: Json = {"task": "run", "steps": run.steps, "seed": run.seed}
    job |= {"samples": run.samples, "learn": run.learn}
    state = {k: v for k, v in run.state.items() if k.split(".")[0] in ("clock", "neuron", "due")}
    for kind, arrays in (("tensors", program.tensors), ("state", state), ("events", run.events)):
        job[kind] = list(arrays)
        for index, array in enumerate(arrays.values()):
            write_array(folder, f"{kind}.{index}", np.asarray(array))
    write_json(folder, JOB, job)


def unpack(folder: Path, job: Json) -> Run:
    """Return the run that `pack` wrote; its state lacks weights (they are in the program)."""
    text = (folder / PROGRAM).read_text(encoding="utf-8")
    return Run(
        program=parse_program(text, _arrays(folder, job, "tensors")),
        state=_arrays(folder, job, "state"),
        events=_arrays(folder, job, "events"),
        samples=int(job["samples"]),
        learn=bool(job["learn"]),
        seed=int(job["seed"]),
    )


def _arrays(folder: Path, job: Json, kind: str) -> dict[str, Array]:
    return {name: read_array(folder, f"{kind}.{i}") for i, name in enumerate(job[kind])}
