"""How a simulator is driven: one process, JSON lines in and out, NumPy alone.

In, on the command line: the workload's file, its kind, its steps, and one word of choice. On stdin:
``run SECONDS`` repeats the workload from its start until that much time was measured; ``check
PATH`` runs it once and leaves what it did in an ``.npz``; the end of stdin ends the process.

Out: a line when the simulator stands (``setup_s``, ``version``, ``single``), then one line a
command. Whatever a simulator prints by itself goes to stderr.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, Any]


@dataclass
class Run:
    """One run: seconds by the clock and of processor time in the part that counts, and rates.

    ``parts`` are seconds of other parts worth reporting, by name.
    """

    wall_s: float
    cpu_s: float
    rates: list[float]
    parts: dict[str, float] = field(default_factory=dict)


class Simulator(ABC):
    """One simulator with one workload."""

    version = ""
    single = True
    """Whether the part that counts runs in one thread."""

    @abstractmethod
    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Build and compile whatever can be before a run."""

    @abstractmethod
    def run(self) -> Run:
        """Run the workload from its start."""

    def check(self) -> Arrays:
        """Run the workload once; return what it did (``spikes0``, ..., ``weights``)."""
        return {}


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return seconds by the clock, of processor time, and what ``work`` returned."""
    cpu, began = time.process_time(), time.perf_counter()
    found = work()
    ended = time.perf_counter()
    return ended - began, time.process_time() - cpu, found


def serve(make: Callable[[], Simulator]) -> None:
    """Obey stdin until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**line: Any) -> None:
        answers.write(json.dumps(line, default=float) + "\n")
        answers.flush()

    path, kind, steps, choice = sys.argv[1:5]
    with np.load(path) as kept:
        arrays = dict(kept)
    simulator, began = make(), time.perf_counter()
    simulator.setup(kind, arrays, int(steps), choice)
    setup_s = time.perf_counter() - began
    answer(setup_s=setup_s, version=simulator.version, single=simulator.single)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "check":
            np.savez(rest, **simulator.check())
            answer(path=rest)
        else:
            answer(**repeated(simulator, float(rest)))


def repeated(simulator: Simulator, seconds: float) -> dict[str, Any]:
    """Run until ``seconds`` were measured; return means over the runs."""
    runs = [simulator.run()]
    while sum(run.wall_s for run in runs) < seconds:
        runs.append(simulator.run())
    count = len(runs)
    peak = max(resource.getrusage(who).ru_maxrss for who in (0, resource.RUSAGE_CHILDREN))
    return {
        "wall_s": sum(run.wall_s for run in runs) / count,
        "cpu_s": sum(run.cpu_s for run in runs) / count,
        "rates": runs[0].rates,
        "parts": {name: sum(run.parts[name] for run in runs) / count for name in runs[0].parts},
        "runs": count,
        "peak_mb": peak / 1024,
    }
