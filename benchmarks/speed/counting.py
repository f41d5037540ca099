"""What counting costs: the engine beside itself with all counting taken out of its kernels.

Rounds of fresh processes, for where the arrays of one come to lie in memory alone moves its time by
some percent: in each round every workload runs once as it is and once without counts. ``cost`` is
one time over the other less 1, round by round: median, and in brackets the quartiles.

`uncounted` gives the sources without counts. A process that imports them keeps its machine code in
the folder that ``HEBBITE_CACHE`` must name.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child
from benchmarks.speed.measure import TOLERANCE, Busy
from benchmarks.speed.workloads import STEPS, Workload

HELP = "what the counters cost"
CHOICE = {"A": "native,independent", "B": "native,lava-exact", "C1": "native,independent",
          "C2": "native,independent"}  # fmt: skip
ROUNDS, SECONDS = 20, 0.4


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return a row for every workload."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="speed-counting-") as folder:
        for kind in STEPS:
            file = str(Workload(kind).file(chosen.cache))
            pairs = [
                [quiet(file, kind, counted, folder, chosen.tries) for counted in _turn(number)]
                for number in range(-1, ROUNDS)
            ][1:]
            ordered = [pair[:: 1 if _turn(k)[0] else -1] for k, pair in enumerate(pairs)]
            rows.append({"workload": kind, **row_of(np.array(ordered))})
    return {"rows": rows, "note": f"{ROUNDS} rounds; B rounds as Lava does."}


def _turn(number: int) -> tuple[bool, bool]:
    """Return whether counts come first in a round, and whether second: in turn."""
    return (True, False) if number % 2 == 0 else (False, True)


def row_of(times: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the row of times (rounds, with and without counts)."""
    low, middle, high = np.quantile(times[:, 0] / times[:, 1] - 1, (0.25, 0.5, 0.75))
    return {
        "us_a_step": float(np.median(times[:, 0])),
        "without_counts": float(np.median(times[:, 1])),
        "cost": f"{middle:.1%} ({low:.1%} to {high:.1%})",
    }


def quiet(file: str, kind: str, counted: bool, folder: str, tries: int) -> float:
    """Return microseconds a step of a fresh process that had its core to itself.

    Raises:
        Busy: if none of the tries had.
    """
    options = {"file": file, "kind": kind, "counted": counted}
    for _ in range(tries):
        found = in_child("counting", options, variables={"HEBBITE_CACHE": f"{folder}/{counted}"})
        if 1 / TOLERANCE <= found["wall_cpu"] <= TOLERANCE:
            return float(found["us_a_step"])
    raise Busy(f"{kind} shared its core in {tries} tries")


def inside(file: str, kind: str, counted: bool, seconds: float = SECONDS) -> dict[str, Any]:
    """Run a workload for so many seconds; return the median time of a step."""
    if not counted:
        from benchmarks.speed.uncounted import install

        install(Path(os.environ["HEBBITE_CACHE"]) / "sources")
    from benchmarks.peers.native import Native

    with np.load(file) as kept:
        arrays = dict(kept)
    steps = len(arrays["x"]) if "x" in arrays else STEPS[kind]
    native = Native()
    native.setup(kind, arrays, steps, CHOICE[kind])
    runs = [native.run()]
    while sum(run.wall_s for run in runs) < seconds:
        runs.append(native.run())
    return {
        "us_a_step": float(np.median([run.wall_s for run in runs])) / steps * 1e6,
        "wall_cpu": sum(run.wall_s for run in runs) / sum(run.cpu_s for run in runs),
    }
