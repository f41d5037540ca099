"""What counting costs: the engine beside itself with all counting taken out of its kernels.

Both engines run one after the other on the arrays of one machine, for where arrays come to lie in
memory alone moves a time by some percent; in every other pair the one without counts is first. A
turn is a fifth of a second; ``cost`` is one time over the other less 1: of every round, which is a
fresh process, the median of its turns, and of the rounds median and quartiles.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.speed.measure import quiet_run
from benchmarks.speed.systems import SYSTEMS, System, Worker
from benchmarks.speed.workloads import STEPS, Workload

HELP = "what the counters cost"
ROUNDS, TURNS, SECONDS = 10, 9, 0.2


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for every workload."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="speed-counting-") as folder:
        for kind in STEPS:
            found = [times_of(Workload(kind), folder, chosen) for _ in range(ROUNDS)]
            rows.append({"workload": kind, **row_of(np.array(found))})
    return {"rows": rows, "note": f"{ROUNDS} rounds of {TURNS} turns; B rounds as Lava does."}


def system_of(kind: str) -> System:
    """Return the pair of engines; of B with Lava's bits."""
    native = SYSTEMS["native-exact" if kind == "B" else "native"]
    return replace(native, name="counting", module="benchmarks.peers.counting")


def times_of(
    workload: Workload, folder: str, chosen: argparse.Namespace
) -> list[tuple[float, float]]:
    """Return microseconds a step with and without counts, of every turn of a fresh process, whose
    machine code stands in a folder.

    Raises:
        Busy: if it never had its core to itself.
    """
    file, cache = workload.file(chosen.cache), {"HEBBITE_CACHE": folder}
    system, steps = system_of(workload.kind), workload.length
    with Worker(system, file, workload.kind, steps, variables=cache) as worker:
        runs = [quiet_run(worker, SECONDS, tries=chosen.tries, busy=False) for _ in range(TURNS)]
    scale = 1e6 / steps
    return [(run["wall_s"] * scale, run["parts"]["uncounted"] * scale) for run in runs]


def row_of(times: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the row of times (rounds, turns, with and without counts)."""
    costs = np.median(times[..., 0] / times[..., 1] - 1, axis=1)
    low, middle, high = np.quantile(costs, (0.25, 0.5, 0.75))
    return {
        "us_a_step": float(np.median(times[..., 0])),
        "without_counts": float(np.median(times[..., 1])),
        "cost": f"{middle:.1%} ({low:.1%} to {high:.1%})",
    }
