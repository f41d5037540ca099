"""What counting costs: the engine beside itself with all counting taken out of its kernels.

Rounds of fresh processes, for where the arrays of one come to lie in memory alone moves its time by
some percent. In a round both engines take turns of a tenth of a second, so that a slow moment of
the machine slows both: the time of an engine is the median of its turns. ``cost`` is one time over
the other less 1, round by round: median, and in brackets the quartiles.

`uncounted` gives the sources without counts; both engines keep their machine code in folders made
for this measurement.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.speed.measure import quiet_run
from benchmarks.speed.systems import SYSTEMS, System, Worker
from benchmarks.speed.workloads import STEPS, Workload

HELP = "what the counters cost"
ROUNDS, TURNS, SECONDS = 20, 7, 0.1


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for every workload."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="speed-counting-") as folder:
        for kind in STEPS:
            found = []
            for number in range(-1, ROUNDS):
                order = systems_of(kind)[:: 1 if number % 2 else -1]
                times = times_of(order, Workload(kind), folder, chosen)
                found.append([times["counted"], times["uncounted"]])
            rows.append({"workload": kind, **row_of(np.array(found[1:]))})
    return {"rows": rows, "note": f"{ROUNDS} rounds of {TURNS} turns; B rounds as Lava does."}


def systems_of(kind: str) -> tuple[System, System]:
    """Return the engine as it is and without counts; of B with Lava's bits."""
    native = SYSTEMS["native-exact" if kind == "B" else "native"]
    without = replace(native, name="uncounted", module="benchmarks.peers.uncounted")
    return replace(native, name="counted"), without


def times_of(
    systems: Sequence[System], workload: Workload, folder: str, chosen: argparse.Namespace
) -> dict[str, float]:
    """Return microseconds a step of each system, of fresh processes that take turns.

    Raises:
        Busy: if one of them never had its core to itself.
    """
    file = workload.file(chosen.cache)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                Worker(
                    system,
                    file,
                    workload.kind,
                    workload.length,
                    variables={"HEBBITE_CACHE": f"{folder}/{system.name}"},
                )
            )
            for system in systems
        ]
        turns = [
            [
                quiet_run(worker, SECONDS, tries=chosen.tries, busy=False)["wall_s"]
                for worker in workers
            ]
            for _ in range(TURNS)
        ]
    middle = np.median(turns, axis=0) / workload.length * 1e6
    return {system.name: float(each) for system, each in zip(systems, middle, strict=True)}


def row_of(times: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the row of times (rounds, with and without counts)."""
    low, middle, high = np.quantile(times[:, 0] / times[:, 1] - 1, (0.25, 0.5, 0.75))
    return {
        "us_a_step": float(np.median(times[:, 0])),
        "without_counts": float(np.median(times[:, 1])),
        "cost": f"{middle:.1%} ({low:.1%} to {high:.1%})",
    }
