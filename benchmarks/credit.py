"""Bias and variance of every rule on the 8x8 digits, seed by seed, and how fast they are measured.

python benchmarks/credit.py [--epochs 40] [--seeds 5] [--plots FOLDER]
python benchmarks/credit.py --record
python benchmarks/credit.py --speed

Every rule trains the 64-32-10 network on the native engine (independent rounding, default rates);
at the end its update is held against the exact gradient over 256 training samples, in real numbers
and as the chip writes it. No test sample is used. ``--speed`` times both rows of one moment for
1,000 samples of a 784-400-10 network whose inputs are sparse noise (19 % of the lines speak).
``--record`` measures every rule of the library that a graded network learns by, and writes the bias
of the hidden layer in real numbers to rules/data/measured_bias.json, where `hebbite list rules`
finds it; what is known there of other rules stays.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_text import parse
from hebbite.rules.errors import HebbiteError
from hebbite.rules.registry import RULES as LIBRARY
from hebbite.rules.registry import parse_rule
from hebbite.runtime.compare import interval
from hebbite.runtime.credit.credit import CreditPlan, CreditReport, credit, measured
from hebbite.runtime.credit.moment import Moment
from hebbite.runtime.credit.row import Row
from hebbite.runtime.credit.threads import one_thread
from hebbite.runtime.report.credit_plots import plots_of
from hebbite.runtime.session import Session

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
RULES = (
    "backprop", "node-perturbation", "kolen-pollack", "sign-symmetric", "fa", "dfa", "frozen",
)  # fmt: skip
BIAS_FILE = Path(__file__).parents[1] / "rules" / "data" / "measured_bias.json"
BIAS_TEXT = (
    "bias of the hidden layer's update in real numbers, min over a >= 0 of |a U - g| / |g|, after "
    "training 64-32-10 on the 8x8 digits; mean and 95 % interval over seeds; 256 training samples; "
    "python benchmarks/credit.py --record"
)
SAMPLES, INPUTS, HIDDEN, OUTPUTS = 1000, 784, 400, 10


def main() -> None:
    """Print one JSON line a rule, or a row of times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--epochs", type=int, default=40)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--rules", default="")
    options.add_argument("--plots", type=Path)
    options.add_argument("--speed", action="store_true")
    options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    rules = RULES if not chosen.record else recordable()
    rules = tuple(chosen.rules.split(",")) if chosen.rules else rules
    if chosen.speed:
        for rule in rules:
            print(json.dumps(timed(rule)), flush=True)
        return
    if chosen.record:
        for rule in rules:
            record(rule, chosen.epochs, tuple(range(chosen.seeds)))
        return
    plan = CreditPlan(rules=rules, epochs=chosen.epochs, seeds=tuple(range(chosen.seeds)))
    found = credit(MODEL, plan)
    for rule in rules:
        print(json.dumps(summary(found, rule, chosen.epochs)), flush=True)
    for name, svg in plots_of(found).items() if chosen.plots else ():
        (chosen.plots / name).write_bytes(svg)


def summary(found: CreditReport, rule: str, epoch: int) -> dict[str, object]:
    """Return bias and variance of the hidden layer at the end, by arithmetic, over seeds."""
    out: dict[str, object] = {"rule": rule, "epoch": epoch}
    for arithmetic in ("real", "chip"):
        rows = [
            row
            for row in found.rows
            if (row.rule, row.epoch, row.arithmetic) == (rule, epoch, arithmetic)
        ]
        out[arithmetic] = {
            "hidden_bias": spread([row.layers[0].measures.bias for row in rows]),
            "hidden_angle_deg": spread([row.layers[0].measures.angle_deg for row in rows], top=180),
            "hidden_variance": [short(row.layers[0].measures.variance) for row in rows],
            "hidden_intrinsic": [short(row.layers[0].measures.variance_intrinsic) for row in rows],
        }
    out["feedback_angle_deg"] = [short(_feedback(row)) for row in rows]
    return out


def recordable() -> tuple[str, ...]:
    """Return the rules of the library that train the graded network here."""
    rules = [factory() for factory in LIBRARY.values()]
    return tuple(rule.name for rule in rules if rule.runs_on_chip and "graded" in rule.networks)


def record(rule: str, epochs: int, seeds: tuple[int, ...]) -> None:
    """Write the bias of a rule's default, or why it has none, beside those that are known."""
    entry: dict[str, object] = {"text": parse_rule(rule).text}
    plan = CreditPlan(rules=(rule,), epochs=epochs, at=(epochs,), seeds=seeds)
    try:
        real = summary(credit(MODEL, plan), rule, epochs)["real"]
    except HebbiteError as error:
        entry["reason"] = error.problems[0].what
    else:
        assert isinstance(real, dict)
        entry |= {"epochs": epochs, "seeds": list(seeds), **real["hidden_bias"]}
    known = json.loads(BIAS_FILE.read_text("utf-8"))["rules"] if BIAS_FILE.exists() else {}
    document = {"what": BIAS_TEXT, "rules": dict(sorted({**known, rule: entry}.items()))}
    BIAS_FILE.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps({"rule": rule, **entry}), flush=True)


def _feedback(row: Row) -> float | None:
    return row.layers[0].feedback_angle_deg


def spread(values: list[float | None], *, top: float = 1.0) -> dict[str, object] | None:
    """Return mean, 95 % interval and values of a figure in 0..top over seeds."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    mean, low, high = (top * share for share in interval([value / top for value in known]))
    return {
        "mean": short(mean),
        "low": short(low),
        "high": short(high),
        "per_seed": list(map(short, known)),
    }


def short(value: float | None) -> float | None:
    """Return four significant digits."""
    return None if value is None else float(f"{value:.4g}")


def timed(rule: str) -> dict[str, object]:
    """Return the seconds of both rows of a moment after one epoch of noise."""
    rng = np.random.default_rng(0)
    x = rng.random((SAMPLES, INPUTS)) * (rng.random((SAMPLES, INPUTS)) < 0.19)
    y = rng.integers(0, OUTPUTS, SAMPLES)
    model = compile(network(rng), rule=rule, calibration=x[:256], chips=4)
    with Session(model) as session:
        session.fit(x, y, epochs=1)
        moment = Moment(session.snapshot(), x, y)
    began = time.perf_counter()
    with one_thread():
        measured(moment, seed=0, epoch=1, validation=0.0)
    return {
        "rule": rule,
        "network": f"{INPUTS}-{HIDDEN}-{OUTPUTS}",
        "samples": SAMPLES,
        "seconds": short(time.perf_counter() - began),
    }


def network(rng: np.random.Generator) -> Graph:
    """Return an untrained network."""
    text = f"""graph @wide {{
  %image = input {{shape=[{INPUTS}], kind=real}} : real[{INPUTS}]
  %fc1 = linear(%image) {{weight=@w1}} : real[{HIDDEN}]
  %hidden = relu(%fc1) : real[{HIDDEN}]
  %fc2 = linear(%hidden) {{weight=@w2}} : real[{OUTPUTS}]
  return %fc2
}}"""
    tensors = {
        "w1": rng.normal(0, INPUTS**-0.5, (HIDDEN, INPUTS)).astype(np.float32),
        "w2": rng.normal(0, HIDDEN**-0.5, (OUTPUTS, HIDDEN)).astype(np.float32),
    }
    return parse(text, tensors)


if __name__ == "__main__":
    main()
