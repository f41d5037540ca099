"""Accuracy of the rules on the 8x8 digits: calibrated on validation data, reported on test data.

python benchmarks/digits.py [--model NAME.onnx] [--epochs 40] [--calibrate]

Untrained start, 8-bit weights, one sample at a time, the native engine, independent rounding. Rate
and gain of a seed are chosen by the accuracy on that seed's own validation part (``--calibrate``;
without it the defaults of the rules are used): no test sample is ever looked at to choose anything.
Five seeds, mean and 95 % interval (Student's t), the frozen baseline and chance beside them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.settings import Settings
from hebbite.runtime.calibrate import CALIBRATION_SAMPLES, calibrate
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import Session

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
RULES = ("backprop", "dfa", "fa", "frozen")
T_975 = {5: 2.776}


def main() -> None:
    """Print one JSON line a rule."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=MODEL)
    options.add_argument("--epochs", type=int, default=40)
    options.add_argument("--rules", default=",".join(RULES))
    options.add_argument("--calibrate", action="store_true")
    chosen = options.parse_args()
    for rule in chosen.rules.split(","):
        row = report(chosen.model, rule, chosen.epochs, search=chosen.calibrate)
        print(json.dumps(row), flush=True)


def best_rule(model: Path, rule: str, seed: int) -> str:
    """Return the rule with the rate and gain that validate best after ten epochs."""
    found = calibrate(
        model, rule=rule, rates=(-7, -6, -5, -4), mantissas=(1, 3), seeds=(seed,), epochs=10
    )
    return found.rule


def report(model: Path, rule: str, epochs: int, *, search: bool) -> dict[str, object]:
    """Return test accuracy before and after learning, by seed, with its interval."""
    before, after, seconds, rules = [], [], [], []
    for seed in range(5):
        data = load_dataset("digits", seed=seed)
        settings = replace(Settings(), seed=seed)
        calibration = data.x_train[:CALIBRATION_SAMPLES]
        rules.append(best_rule(model, rule, seed) if search else rule)
        made = compile(model, rule=rules[-1], settings=settings, calibration=calibration)
        with Session(made) as session:
            before.append(session.evaluate(data.x_test, data.y_test))
            fit = session.fit(data.x_train, data.y_train, epochs=epochs)
            after.append(session.evaluate(data.x_test, data.y_test))
            seconds.append(fit.wall_s)
    half = T_975[5] * float(np.std(after, ddof=1)) / 5**0.5
    mean = float(np.mean(after))
    return {
        "rule": rule,
        "rules": rules,
        "before": [round(value, 4) for value in before],
        "mean": round(mean, 4),
        "low": round(mean - half, 4),
        "high": round(mean + half, 4),
        "per_seed": [round(value, 4) for value in after],
        "chance": 0.1,
        "seconds_per_seed": round(float(np.mean(seconds)), 2),
    }


if __name__ == "__main__":
    main()
