"""What counting costs: the engine beside itself with all counting taken out of its kernels.

Rounds of fresh processes, for where the arrays of one come to lie in memory alone moves its time by
some percent: in each round every workload runs once as it is and once without counts. ``cost`` is
one time over the other less 1, round by round: median, and in brackets the quartiles.

`uncounted` gives the sources without counts; both engines keep their machine code in folders made
for this measurement.
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
ROUNDS, SECONDS = 20, 0.4


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for every workload."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="speed-counting-") as folder:
        for kind in STEPS:
            found = []
            for number in range(-1, ROUNDS):
                order = systems_of(kind)[:: 1 if number % 2 else -1]
                times = {s.name: time_of(s, Workload(kind), folder, chosen) for s in order}
                found.append([times["counted"], times["uncounted"]])
            rows.append({"workload": kind, **row_of(np.array(found[1:]))})
    return {"rows": rows, "note": f"{ROUNDS} rounds; B rounds as Lava does."}


def systems_of(kind: str) -> tuple[System, System]:
    """Return the engine as it is and without counts; of B with Lava's bits."""
    native = SYSTEMS["native-exact" if kind == "B" else "native"]
    without = replace(native, name="uncounted", module="benchmarks.peers.uncounted")
    return replace(native, name="counted"), without


def time_of(system: System, workload: Workload, folder: str, chosen: argparse.Namespace) -> float:
    """Return microseconds a step of a fresh process.

    Raises:
        Busy: if it never had its core to itself.
    """
    file, variables = workload.file(chosen.cache), {"HEBBITE_CACHE": f"{folder}/{system.name}"}
    with Worker(system, file, workload.kind, workload.length, variables=variables) as worker:
        run = quiet_run(worker, SECONDS, tries=chosen.tries, busy=False)
    return float(run["wall_s"]) / workload.length * 1e6


def row_of(times: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the row of times (rounds, with and without counts)."""
    low, middle, high = np.quantile(times[:, 0] / times[:, 1] - 1, (0.25, 0.5, 0.75))
    return {
        "us_a_step": float(np.median(times[:, 0])),
        "without_counts": float(np.median(times[:, 1])),
        "cost": f"{middle:.1%} ({low:.1%} to {high:.1%})",
    }
