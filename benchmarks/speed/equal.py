"""Equality first: what is timed gives the same spikes and weights as Lava's fixed-point simulator.

A: spikes of all layers. B: spikes, and every weight at the end, rounded as Lava does. C1: spikes,
from the same membranes at the start. C2, which Lava cannot run: spikes, beside the kernel by hand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.speed.systems import SYSTEMS, System, Worker
from benchmarks.speed.workloads import Workload

STEPS = {"A": 1000, "B": 100, "C1": 500, "C2": 1000}
EXACT = ("native-exact", "native", "native-dense", "handwritten", "reference", "lava")
"""Systems that give the chip's bits, the first that runs a workload being what others equal."""


class Unequal(Exception):
    """Two systems that should agree do not; the text says where."""


def exact_systems(workload: Workload, systems: Sequence[System]) -> list[System]:
    """Return the systems to be compared: those asked for, and Lava where it is installed."""
    names = {system.name for system in systems} | {"lava"}
    if workload.kind == "B":
        names = {*names - {"native", "handwritten"}, "native-exact"}
    chosen = [SYSTEMS[name] for name in EXACT if name in names]
    return [s for s in chosen if workload.kind in s.kinds and s.python]


def check_equal(workload: Workload, systems: Sequence[System], folder: Path) -> str:
    """Return a line that says what was compared.

    Raises:
        Unequal: with the systems, the array and the first step or neuron that differs.
    """
    steps = min(workload.length, STEPS[workload.kind])
    found: dict[str, dict[str, np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as name:
        for system in exact_systems(workload, systems):
            path = Path(name) / f"{system.name}.npz"
            with Worker(system, workload.file(folder), workload.kind, steps) as worker:
                worker.check(path)
            with np.load(path) as kept:
                found[system.name] = dict(kept)
    first, *others = found
    for other in others:
        for key, value in found[first].items():
            if key not in found[other]:
                raise Unequal(f"{workload.name}: {other} gives no {key}")
            if not np.array_equal(value, found[other][key]):
                place = np.argwhere(value != found[other][key])[0].tolist()
                raise Unequal(f"{workload.name}: {first} and {other} differ in {key} at {place}")
    arrays = ", ".join(f"{key} {value.shape}" for key, value in found[first].items())
    active = min(float(np.mean(v != 0)) for v in found[first].values())
    if active == 0:
        raise Unequal(f"{workload.name}: nothing happened in {steps} steps")
    return f"{workload.name}: {' = '.join(found)} in {arrays} over {steps} steps"
