"""Accuracy of the rules on the 8x8 digits: calibrated on validation data, reported on test data.

python benchmarks/digits.py [--model NAME.onnx] [--epochs 40] [--calibrate] [--jobs 2]
python benchmarks/digits.py --parity [--hidden 16] --calibrate

`hebbite.runtime.compare` with untrained start, 8-bit weights, one sample at a time, the native
engine, independent rounding. Rate and gain of a seed are chosen by the accuracy on that seed's own
validation part (``--calibrate``; without it the defaults of the rules are used): no test sample is
ever looked at to choose anything. Five seeds, mean and 95 % interval (Student's t), the frozen
baseline and chance beside them.

``--parity`` learns whether a digit is odd, by the squared hinge, with few hidden units: a task that
random hidden units do not solve, so that it tells credit assignment from luck.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from hebbite.compiler.graph import Graph
from hebbite.compiler.perceptron import perceptron
from hebbite.compiler.settings import Settings
from hebbite.runtime.compare import Plan, Row, compare

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
RULES = ("backprop", "dfa", "fa", "frozen")
HINGE = "classification(loss=hinge)"


def main() -> None:
    """Print one JSON line a rule."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=MODEL)
    options.add_argument("--epochs", type=int, default=40)
    options.add_argument("--rules", default=",".join(RULES))
    options.add_argument("--parity", action="store_true")
    options.add_argument("--hidden", type=int, default=16, help="hidden units for --parity")
    options.add_argument("--calibrate", action="store_true")
    options.add_argument("--jobs", type=int, default=1)
    chosen = options.parse_args()
    for rule in chosen.rules.split(","):
        plan = Plan(
            (rule,), seeds=tuple(range(5)), epochs=chosen.epochs, calibrate=chosen.calibrate
        )
        model: Path | Graph = chosen.model
        if chosen.parity:
            model = perceptron("parity", (64, chosen.hidden, 2))
            plan = replace(
                plan, data="digits-parity", objectives=(HINGE,), settings=Settings(init="random")
            )
        (row,) = compare(model, plan, jobs=chosen.jobs).rows
        print(json.dumps(line(row)), flush=True)


def line(row: Row) -> dict[str, object]:
    """Return test accuracy before and after learning, by seed, with its interval."""
    mean, low, high = row.accuracy
    seeds = len(row.outcomes)
    return {
        "rule": row.name,
        "rules": list(row.choice.texts),
        "before": [round(outcome.before, 4) for outcome in row.outcomes],
        "mean": round(mean, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "per_seed": [round(outcome.after, 4) for outcome in row.outcomes],
        "chance": round(sum(outcome.chance for outcome in row.outcomes) / seeds, 4),
        "seconds_per_seed": round(sum(outcome.wall_s for outcome in row.outcomes) / seeds, 2),
    }


if __name__ == "__main__":
    main()
