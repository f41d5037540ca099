"""Measuring in turn: all systems once, then all again, so that a slow minute slows everybody.

A figure of a system that runs in one thread counts only if the clock and the processor agree within
5 %: beyond it somebody else had the core, and the run is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.speed.machine import commit
from benchmarks.speed.systems import System, Worker
from benchmarks.speed.workloads import Workload, synaptic_operations

TOLERANCE = 1.05
SLOW_STEPS = 500
"""Steps of a run by a system that takes a millisecond and more for each."""


class Busy(Exception):
    """The machine had other work to do whenever this was tried."""


def quiet_run(worker: Worker, seconds: float, *, tries: int, busy: bool) -> dict[str, Any]:
    """Return a run whose clock and processor agree, with ``discarded`` runs before it.

    Raises:
        Busy: if none of the tries did; with ``busy`` the best of them is returned instead.
    """
    found = []
    for attempt in range(tries):
        run = worker.run(0.0 if worker.system.slow else seconds)
        run["discarded"] = attempt
        if not worker.setup["single"]:
            return run
        run["wall_cpu"] = run["wall_s"] / run["cpu_s"]
        found.append(run)
        if 1 / TOLERANCE <= run["wall_cpu"] <= TOLERANCE:
            return run
    best = min(found, key=lambda run: abs(float(run["wall_cpu"]) - 1))
    if busy:
        return {**best, "busy": True}
    ratio = f"{best['wall_cpu']:.2f} s by the clock a second of processor time"
    raise Busy(f"{worker.system.name} took {ratio} at best, in {tries} tries")


def steps_of(system: System, workload: Workload) -> int:
    """Return the steps of a run, a multiple of 50 but for short workloads."""
    return min(workload.length, SLOW_STEPS) if system.slow else workload.length


def measured(
    workload: Workload,
    systems: Sequence[System],
    folder: Path,
    *,
    repeats: int,
    seconds: float,
    tries: int,
    busy: bool,
) -> Iterator[dict[str, Any]]:
    """Yield a row of results a system."""
    file = workload.file(folder)
    able = [system for system in systems if workload.kind in system.kinds]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(s, file, workload.kind, steps_of(s, workload))) for s in able
        ]
        rounds = [
            [quiet_run(worker, seconds, tries=tries, busy=busy) for worker in workers]
            for _ in range(repeats)
        ]
        setups = [worker.setup for worker in workers]
    times = np.array(
        [
            [run["wall_s"] / steps_of(s, workload) * 1e6 for s, run in zip(able, one, strict=True)]
            for one in rounds
        ]
    )
    arrays = workload.arrays(folder)
    native = next((i for i, system in enumerate(able) if system.name == "native"), None)
    for index, system in enumerate(able):
        runs = [one[index] for one in rounds]
        row = row_of(workload, system, setups[index], runs, times[:, index])
        rates = [float(rate) for rate in runs[0]["rates"]]
        operations = None
        if len(rates) == len(layer_names(workload.kind)):
            operations = synaptic_operations(workload.kind, arrays, rates)
        row["synaptic_operations_a_step"] = operations
        row["synapses"] = synapses_of(workload.kind, arrays)
        if native is not None:
            row["times_native"] = spread(times[:, index] / times[:, native])
        yield row


def row_of(
    workload: Workload,
    system: System,
    setup: dict[str, Any],
    runs: Sequence[dict[str, Any]],
    times: np.ndarray[Any, Any],
) -> dict[str, Any]:
    """Return the row of one system."""
    parts = {
        name: float(np.median([run["parts"][name] for run in runs]))
        / steps_of(system, workload)
        * 1e6
        for name in runs[0]["parts"]
    }
    return {
        "workload": workload.kind,
        "scale": workload.scale,
        "activity": workload.activity if workload.kind in "AB" else None,
        "steps": steps_of(system, workload),
        "system": system.name,
        "version": setup["version"],
        "commit": commit(),
        "us_a_step": spread(times),
        "parts_us": parts,
        "setup_s": setup["setup_s"],
        "rates": runs[0]["rates"],
        "wall_cpu": max((run["wall_cpu"] for run in runs if "wall_cpu" in run), default=None),
        "discarded": sum(run["discarded"] for run in runs),
        "busy": any(run.get("busy", False) for run in runs),
        "peak_mb": runs[0]["peak_mb"],
    }


def spread(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return median, smallest and largest value, and all of them."""
    rounded = [float(f"{value:.6g}") for value in values]
    middle = float(np.median(rounded))
    return {"median": middle, "low": min(rounded), "high": max(rounded), "all": rounded}


def layer_names(kind: str) -> tuple[str, ...]:
    """Return the populations of a workload."""
    return ("hidden 1", "hidden 2", "output") if kind == "A" else ("output",)


def synapses_of(kind: str, arrays: dict[str, Any]) -> int:
    """Return the number of synapses."""
    if kind[0] == "C":
        return len(arrays["targets"])
    return sum(int(value.size) for key, value in arrays.items() if key[0] == "w")
