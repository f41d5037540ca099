"""Is there a program that is much slower than its events say? Ten by chance, ten by the compiler.

The time of a step is fitted on the workloads A, at four activities, B and C, at two sizes, as

    a (neurons) + b (synaptic operations in rows) + l (those in lists) + c (updates visited)

with a, b, l, c >= 0, least squares of the relative error, counts a step from the counters of the
run. A synapse of a list is one by itself, and costs as much as twenty of a row: one price for both
would fit neither. C at one size would not tell synapses of a list from neurons. No program, drawn
(`drawn`) or compiled from a network and a rule, should take more than twice of it. Before a drawn
program is timed, every value and count of one sample is compared with the reference engine.
"""

from __future__ import annotations

import argparse
import math
import time
from importlib import import_module
from typing import Any

import numpy as np
from benchmarks.speed.child import in_child
from benchmarks.speed.equal import Unequal
from benchmarks.speed.measure import TOLERANCE, Busy
from benchmarks.speed.workloads import Workload

HELP = "twenty programs beside a cost that is fitted on A, B and C"
FACTOR = 2.0
USUAL = 0.03
ACTIVITY = {"A": (0.003, USUAL, 0.1, 0.3)}
SCALES = {"C1": (1, 4), "C2": (1, 4)}
"""Activities and sizes that prices are fitted on, where there is more than the usual one."""
DRAWN = 10
ROUNDS = 5
ENGINES = ("reference", "native")
EVENTS = ("neurons", "row_ops", "list_ops", "updates")
SIZES = (784, 256, 128, 10)
GRADED = ("frozen", "dfa", "fa", "kolen-pollack", "predictive-coding", "node-perturbation")
SPIKING = ("eprop", "stdp", "triplet-stdp", "r-stdp")
LEAST_S = 1.0


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the fit and a row a program, its quickest run.

    Raises:
        Busy: if another process had the core.
    """
    jobs = {name: by_file(chosen, each) for name, each in to_fit(chosen).items()}
    fitted = len(jobs)
    for kind, names in (("drawn", map(str, range(DRAWN))), ("compiled", (*GRADED, *SPIKING))):
        jobs |= {f"{kind} {name}": {"kind": kind, "file": name} for name in names}
    best = in_turn(chosen, jobs)
    price = fit(best[:fitted])
    rows = []
    for row in best:
        expected = float(events(row) @ price)
        ratio = row["us_a_step"] / expected
        rows.append({**row, "expected_us": expected, "measured_over_expected": ratio})
    beyond = [row["program"] for row in rows if row["measured_over_expected"] > FACTOR]
    text = ", ".join(f"{1e3 * p:.3g} ns" for p in price)
    verdict = f"slower than {FACTOR:g} times that: {', '.join(beyond) or 'none'}"
    return {"rows": rows, "note": f"a, b, l, c = {text}; {verdict}."}


def to_fit(chosen: argparse.Namespace) -> dict[str, Workload]:
    """Return the workloads that prices are fitted on, by the names of their rows."""
    found = {}
    for kind in chosen.workloads:
        for activity in ACTIVITY.get(kind, (USUAL,)):
            for scale in SCALES.get(kind, (1,)):
                named = [f"{activity:g}"] * (kind in ACTIVITY) + [f"{scale}x"] * (scale > 1)
                workload = Workload(kind, scale * min(chosen.scales), activity, chosen.steps)
                found[", ".join([kind, *named])] = workload
    return found


def by_file(chosen: argparse.Namespace, workload: Workload) -> dict[str, str]:
    """Return the options of a child that runs a workload."""
    return {"kind": workload.kind, "file": str(workload.file(chosen.cache))}


def in_turn(chosen: argparse.Namespace, jobs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the quickest run of every job, of some rounds: a shared machine has slow minutes."""
    rounds = [
        [
            {"program": name, **quiet(chosen, {**options, "check": number == 0})}
            for name, options in jobs.items()
        ]
        for number in range(ROUNDS)
    ]
    return [min(same, key=lambda row: row["us_a_step"]) for same in zip(*rounds, strict=True)]


def quiet(chosen: argparse.Namespace, options: dict[str, Any]) -> dict[str, Any]:
    """Return a measurement whose clock and processor agree."""
    for _ in range(chosen.tries):
        found = in_child("cliffs", options)
        ratio = found.pop("wall_cpu")
        if chosen.busy or ratio <= TOLERANCE:
            return found
    raise Busy(f"{options['kind']} took {ratio:.2f} s by the clock a second of processor time")


def events(row: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the counts of a step that are priced."""
    return np.array([row[name] for name in EVENTS], np.float64)


def fit(rows: list[dict[str, Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the prices in microseconds."""
    nnls = import_module("scipy.optimize").nnls
    relative = np.stack([events(row) / row["us_a_step"] for row in rows])
    return np.asarray(nnls(relative, np.ones(len(rows)))[0], np.float64)


def inside(kind: str, file: str, check: bool = True) -> dict[str, Any]:
    """Return microseconds and counts of a step, learning where the program learns; ``check``: a
    drawn program is compared with the reference engine first.
    """
    from hebbite.runtime.engines.native import NativeEngine

    makers = {"compiled": compiled, "drawn": by_chance}
    program, inputs, start = makers[kind](file) if kind in makers else by_hand(kind, file)
    samples = len(next(iter(inputs.values()))) if inputs else 20
    machine = NativeEngine().open(program, rounding="independent")
    state = {**machine.state(), **start}
    machine.run({name: x[:1] for name, x in inputs.items()}, samples=1)
    wall = cpu = 0.0
    quickest, runs, totals = math.inf, 0, np.zeros(len(EVENTS), np.int64)
    probes: tuple[str, ...] = ()
    if kind == "drawn":
        probes = program.probes
        if check:
            check_alike(program, inputs)
    while wall < LEAST_S:
        machine.restore(state)
        cpu_began, began = time.process_time(), time.perf_counter()
        found = machine.run(inputs, samples=samples, probes=probes)
        took = time.perf_counter() - began
        cpu += time.process_time() - cpu_began
        wall, quickest = wall + took, min(quickest, took)
        runs += 1
        totals += counted(program, found.counters)
    steps = samples * program.schedule.period
    each = dict(zip(EVENTS, (float(total) / (runs * steps) for total in totals), strict=True))
    return {"us_a_step": quickest / steps * 1e6, **each, "wall_cpu": wall / cpu}


def counted(program: Any, counters: Any) -> list[int]:
    """Return the counts that are priced."""
    from hebbite.compiler.program.connectivity import Sparse
    from hebbite.runtime.counters import INDEX

    operations = counters.values[:, :, INDEX["syn_ops"]].sum(axis=1)
    listed = {group.name for group in program.synapses if isinstance(group.connect, Sparse)}
    in_lists = sum(
        int(count)
        for name, count in zip(counters.components, operations, strict=True)
        if name in listed
    )
    rows = counters.total("syn_ops") - in_lists
    return [counters.total("neuron_steps"), rows, in_lists, counters.total("updates_visited")]


def check_alike(program: Any, inputs: dict[str, Any]) -> None:
    """Compare every value and count of the native engine with the reference for one sample.

    Raises:
        Unequal: with what differs.
    """
    from hebbite.runtime.verify import verify

    steps = program.schedule.period
    found = verify(program, inputs, engines=ENGINES, steps=steps, rounding="independent")
    if not found.equal:
        raise Unequal(f"{program.name}: {found.first_divergence}")


def by_chance(seed: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return the program of a seed and its inputs."""
    from benchmarks.speed.drawn import drawn

    return *drawn(int(seed)), {}


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
