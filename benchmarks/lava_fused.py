"""Steps a second of the stock and the fused path of Lava, side by side, on the digits program.

python benchmarks/lava_fused.py [--steps 500] [--many 20000] [--repeats 5]

The program is that of the demonstration: 64 inputs, 32 hidden units, 10 outputs, learning by DFA,
``lava-exact`` rounding, one seed. Both paths train on the same samples in the same order, in turn.
Before anything is timed, weights and answers after ``--steps`` steps are compared: with other bits
there is no speed to compare. One JSON document; every figure is [median, least, greatest] of
``--repeats``:

    stock_steps_per_s    without the start of Lava: from the difference between a run of ``--steps``
                         and one of five times as many
    fused_steps_per_s    calls of ``--steps`` steps in a running machine
    fused_many           the same, calls of ``--many`` steps
    ratio, ratio_many    fused over stock, of the same repeat
    whole_stock_s        from opening a machine to closing it, ``--steps`` steps, start included
    whole_fused_s        the same
    stock_boundary_s     seconds a step of a stock program of the same processes and messages with
                         two units a layer: what is left when next to nothing is computed
    stock_step_s         seconds a step of the digits program
    fused_boundary_s     seconds a call of the fused path that runs no sample
    native_steps_per_s   the engine inside, without Lava, ``--many`` steps
    wall_over_cpu        of those last runs: above 1.05 others had the processor, and the figures
                         are refused (``sound`` is false, exit 1)
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.program.types import IntArray
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.lava.engine import LavaEngine
from hebbite.runtime.engines.lava.fused.engine import FusedEngine
from hebbite.runtime.engines.registry import load_engine

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
RULE = "dfa(rate=-4)"
BUSY = 1.05
Inputs = Mapping[str, IntArray]
Row = dict[str, float]


def main() -> None:
    """Print the document; exit 1 if it is not sound."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=500)
    options.add_argument("--many", type=int, default=20_000)
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    data = load_dataset("digits", seed=0)
    model = compile(MODEL, rule=RULE, calibration=data.x_train[:128])
    inputs = model.coding.inputs(data.x_train, data.y_train)
    small = compile(two_units(), rule=RULE, calibration=data.x_train[:128, :2])
    few = small.coding.inputs(data.x_train[:, :2], data.y_train % 2)
    rows = []
    with opened("lava-fused", model) as fused:
        check_equal(model, inputs, chosen.steps)
        for _ in range(chosen.repeats):
            row = measure_fused(fused, model, inputs, chosen.steps, chosen.many)
            row |= measure_stock(model, inputs, chosen.steps)
            row["stock_boundary_s"] = stock_step(small, few, chosen.steps)
            rows.append(with_ratios(row))
    found = {name: spread([row[name] for row in rows]) for name in rows[0]}
    sound = found["wall_over_cpu"][0] <= BUSY
    where = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    asked = {"steps": chosen.steps, "many": chosen.many, "repeats": chosen.repeats, "rule": RULE}
    print(json.dumps({**asked, **where, "sound": sound, **found}, indent=1))
    raise SystemExit(0 if sound else 1)


def opened(engine: str, model: Compiled) -> closing[Machine]:
    """Return a machine of an engine on a model, closed at the end of a ``with``."""
    return closing(load_engine(engine).open(model.program, rounding="lava-exact"))


def two_units() -> Graph:
    """Return a network of two inputs, two hidden units and two outputs."""
    tensors = {"a": np.eye(2), "b": np.eye(2)}
    nodes = (
        Node("input", (), (Value("x", (2,)),)),
        Node("linear", ("x",), (Value("p", (2,)),), (("weight", TensorRef("a")),)),
        Node("relu", ("p",), (Value("h", (2,)),)),
        Node("linear", ("h",), (Value("y", (2,)),), (("weight", TensorRef("b")),)),
    )
    return Graph("two", nodes, tensors, ("y",))


def cut(model: Compiled, inputs: Inputs, steps: int) -> tuple[Inputs, int]:
    """Return the samples of so many steps, repeated in order where they run out."""
    samples = -(-steps // model.program.schedule.period)
    order = np.arange(samples)
    return {name: value[order % len(value)] for name, value in inputs.items()}, samples


def run(machine: Machine, model: Compiled, inputs: Inputs, steps: int) -> float:
    """Train for so many steps; return seconds a step."""
    given, samples = cut(model, inputs, steps)
    began = time.perf_counter()
    found = machine.run(given, samples=samples)
    return (time.perf_counter() - began) / found.steps


def check_equal(model: Compiled, inputs: Inputs, steps: int) -> None:
    """Stop unless both paths leave the same answers and weights."""
    given, samples = cut(model, inputs, steps)
    ends = []
    for engine in (LavaEngine(), FusedEngine()):
        machine = engine.open(model.program, rounding="lava-exact")
        answers = machine.run(given, samples=samples).answers
        weights = [machine.read(group.weight) for group in model.program.synapses]
        machine.close()
        ends.append([answers, *weights])
    if not all(np.array_equal(a, b) for a, b in zip(*ends, strict=True)):
        raise SystemExit("stock and fused Lava differ")


def measure_fused(machine: Machine, model: Compiled, inputs: Inputs, steps: int, many: int) -> Row:
    """Return what one repeat of the fused path, and of the engine inside, gives."""
    with opened("native", model) as native:
        run(native, model, inputs, steps)
        cpu, wall = time.process_time(), time.perf_counter()
        inside = run(native, model, inputs, many)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    run(machine, model, inputs, steps)
    short = run(machine, model, inputs, steps)
    long = run(machine, model, inputs, many)
    began = time.perf_counter()
    for _ in range(100):
        machine.run({}, samples=0)
    empty = (time.perf_counter() - began) / 100
    began = time.perf_counter()
    with opened("lava-fused", model) as fresh:
        run(fresh, model, inputs, steps)
    return {
        "native_steps_per_s": 1 / inside,
        "wall_over_cpu": wall / cpu,
        "fused_steps_per_s": 1 / short,
        "fused_many": 1 / long,
        "fused_boundary_s": empty,
        "whole_fused_s": time.perf_counter() - began,
    }


def stock_step(model: Compiled, inputs: Inputs, steps: int) -> float:
    """Return seconds a step of the stock path, its start left out."""
    walls = []
    for count in (steps, 5 * steps):
        with opened("lava", model) as stock:
            walls.append(run(stock, model, inputs, count) * count)
    return (walls[1] - walls[0]) / (4 * steps)


def measure_stock(model: Compiled, inputs: Inputs, steps: int) -> Row:
    """Return what one repeat of the stock path gives."""
    began = time.perf_counter()
    with opened("lava", model) as stock:
        run(stock, model, inputs, steps)
    whole = time.perf_counter() - began
    step = stock_step(model, inputs, steps)
    return {"whole_stock_s": whole, "stock_step_s": step, "stock_steps_per_s": 1 / step}


def with_ratios(row: Row) -> Row:
    """Return a row and how much faster the fused path was in it."""
    stock = row["stock_steps_per_s"]
    return {
        **row,
        "ratio": row["fused_steps_per_s"] / stock,
        "ratio_many": row["fused_many"] / stock,
    }


def spread(values: list[float]) -> list[float]:
    """Return median, least and greatest, to four figures."""
    found = (np.median(values), min(values), max(values))
    return [float(f"{value:.4g}") for value in found]


if __name__ == "__main__":
    main()
