"""Is there a program that is much slower than its events say? Ten compiled programs of many kinds.

The time of a step is fitted on the workloads A, B and C as

    a (neurons) + b (synaptic operations) + c (updates visited),   a, b, c >= 0

least squares of the relative error, counts a step from the counters of the run. Every program of
the list, compiled from a network and a rule, should take between half and twice of it.
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child
from benchmarks.speed.measure import TOLERANCE, Busy
from benchmarks.speed.workloads import Workload

HELP = "ten programs beside a cost that is fitted on A, B and C"
FACTOR = 2.0
SIZES = (784, 256, 128, 10)
GRADED = ("frozen", "dfa", "fa", "kolen-pollack", "predictive-coding", "node-perturbation")
SPIKING = ("eprop", "stdp", "triplet-stdp", "r-stdp")
LEAST_S = 0.2


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the fit and a row a program.

    Raises:
        Busy: if another process had the core.
    """
    fitted = []
    for kind in chosen.workloads:
        workload = Workload(kind, min(chosen.scales), steps=chosen.steps)
        file = str(workload.file(chosen.cache))
        fitted.append({"program": kind, **quiet(chosen, {"kind": kind, "file": file})})
    tested = [
        {"program": rule, **quiet(chosen, {"kind": "compiled", "file": rule})}
        for rule in (*GRADED, *SPIKING)
    ]
    price = fit(fitted)
    rows = []
    for row in (*fitted, *tested):
        expected = float(events(row) @ price)
        ratio = row["us_a_step"] / expected
        rows.append({**row, "expected_us": expected, "measured_over_expected": ratio})
    beyond = [
        row["program"] for row in rows if not 1 / FACTOR <= row["measured_over_expected"] <= FACTOR
    ]
    text = ", ".join(f"{1e3 * p:.3g} ns" for p in price)
    verdict = f"beyond a factor of {FACTOR:g}: {', '.join(beyond) or 'none'}"
    return {"rows": rows, "note": f"a, b, c = {text}; {verdict}."}


def quiet(chosen: argparse.Namespace, options: dict[str, str]) -> dict[str, Any]:
    """Return a measurement whose clock and processor agree."""
    for _ in range(chosen.tries):
        found = in_child("cliffs", options)
        ratio = found.pop("wall_cpu")
        if chosen.busy or ratio <= TOLERANCE:
            return found
    raise Busy(f"{options['kind']} took {ratio:.2f} s by the clock a second of processor time")


def events(row: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the counts of a step that are priced."""
    return np.array([row["neurons"], row["syn_ops"], row["updates"]], np.float64)


def fit(rows: list[dict[str, Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the three prices in microseconds."""
    nnls = import_module("scipy.optimize").nnls
    relative = np.stack([events(row) / row["us_a_step"] for row in rows])
    return np.asarray(nnls(relative, np.ones(len(rows)))[0], np.float64)


def inside(kind: str, file: str) -> dict[str, Any]:
    """Return microseconds and counts of a step, learning where the program learns."""
    from hebbite.runtime.engines.native import NativeEngine

    program, inputs, start = compiled(file) if kind == "compiled" else by_hand(kind, file)
    samples = len(next(iter(inputs.values()))) if inputs else 20
    machine = NativeEngine().open(program, rounding="independent")
    state = {**machine.state(), **start}
    machine.run({name: x[:1] for name, x in inputs.items()}, samples=1)
    wall = cpu = 0.0
    runs, totals = 0, np.zeros(3, np.int64)
    while wall < LEAST_S:
        machine.restore(state)
        cpu_began, began = time.process_time(), time.perf_counter()
        found = machine.run(inputs, samples=samples)
        wall += time.perf_counter() - began
        cpu += time.process_time() - cpu_began
        runs += 1
        names = ("neuron_steps", "syn_ops", "updates_visited")
        totals += [found.counters.total(name) for name in names]
    steps = runs * samples * program.schedule.period
    neurons, operations, updates = (float(total) / steps for total in totals)
    return {
        "us_a_step": wall / steps * 1e6,
        "neurons": neurons,
        "syn_ops": operations,
        "updates": updates,
        "wall_cpu": wall / cpu,
    }


def by_hand(kind: str, file: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return program, inputs and start of a workload."""
    from benchmarks.speed.programs import events as given
    from benchmarks.speed.programs import program_of, start_potentials

    with np.load(file) as kept:
        arrays = dict(kept)
    start = {}
    if kind[0] == "C":
        start["neuron.cells.v"] = start_potentials(kind, arrays)
    return program_of(kind, arrays), given(arrays), start


def compiled(rule: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return program and inputs that the compiler makes of a rule."""
    from hebbite.compiler.compile import compile
    from hebbite.compiler.perceptron import perceptron
    from hebbite.compiler.settings import Settings

    rng = np.random.default_rng(1)
    count = 20 if rule in SPIKING else 200
    x = rng.random((count, SIZES[0])) * (rng.random((count, SIZES[0])) < 0.191)
    y = rng.integers(0, SIZES[-1], count)
    settings = Settings(init="random")
    if rule in SPIKING:
        settings = Settings(init="random", neuron="lif", encode="rate", window=25)
    made = compile(perceptron("net", SIZES), rule=rule, settings=settings, calibration=x)
    return made.program, dict(made.coding.inputs(x, y)), {}
