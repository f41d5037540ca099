"""Rules that learn without an error, on the 8x8 digits, in one pass: what they are worth there.

python benchmarks/prototypes.py [--units 100] [--seeds 5] [--features]

Prototypes (``clp``, ``instar``) on 64 -> units -> 10: one pass over the training part, native
engine, independent rounding, a split a seed. For every seed the settings of a rule are chosen on
its own validation part, from the grid below (of equals, the first); its test part is looked at
once, with the chosen settings. Beside them: as many random samples stored as prototypes
that never move (``instar(alpha=0)``: no learning after the allocation), all training samples stored
(nearest neighbour, in real numbers) and chance.

``--features``: what the output of a population of 32 units is worth to a linear readout (ridge
regression in real numbers, its penalty chosen on the validation part), after one pass by ``oja`` or
``bcm`` and at the start (frozen random weights).

Every line holds the mean over seeds with its 95 % interval (Student's t).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.runtime.compare import interval
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.plan import CALIBRATION_SAMPLES
from hebbite.runtime.session import Session
from hebbite.runtime.trial import chance_of

Real = NDArray[np.float64]
GRID = {
    "clp": [f"clp(novelty={n}, slowest={s})" for n in (0, 90, 103, 109, 115) for s in (2, 6)],
    "instar": [f"instar(alpha={a}, slowness={s})" for a in (3, 6, 12, 20) for s in (1, 3)],
    "stored": [f"instar(alpha=0, slowness={s})" for s in (0, 1, 3)],
}
FEATURES = 32
PENALTIES = tuple(10.0**k for k in range(-2, 6))


def main() -> None:
    """Print one JSON line a row."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--units", type=int, default=100)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--features", action="store_true")
    chosen = options.parse_args()
    data = {seed: load_dataset("digits", seed=seed) for seed in range(chosen.seeds)}
    if chosen.features:
        for rule in ("oja", "bcm"):
            for name, learn in ((rule, True), ("frozen", False)):
                show(f"{name} features", [probe(rule, d, s, learn=learn) for s, d in data.items()])
        return
    for name, rules in GRID.items():
        found = [best_of(rules, chosen.units, d, s) for s, d in data.items()]
        rules_chosen = [rule for rule, _, _ in found]
        validation = round(float(np.mean([score for _, score, _ in found])), 4)
        tested = [score for _, _, score in found]
        show(name, tested, rules=rules_chosen, units=chosen.units, validation=validation)
    show("nearest neighbour", [nearest(d) for d in data.values()], stored=len(data[0].x_train))
    show("chance", [chance_of(d) for d in data.values()])


def show(name: str, scores: Sequence[float], **more: object) -> None:
    """Print test accuracies, a seed each, with their interval."""
    mean, low, high = interval(scores)
    row = {"rule": name, **more, "mean": mean, "low": low, "high": high}
    rounded = {key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()}
    print(json.dumps({**rounded, "per_seed": [round(v, 4) for v in scores]}), flush=True)


def made(rule: str, graph: Graph, data: Dataset, seed: int) -> Compiled:
    """Return the compiled model of a seed."""
    x = data.x_train[:CALIBRATION_SAMPLES].astype(np.float64)
    return compile(graph, rule=rule, settings=Settings(seed=seed, init="random"), calibration=x)


def best_of(rules: Sequence[str], units: int, data: Dataset, seed: int) -> tuple[str, float, float]:
    """Return the rule that is best on the validation part, its accuracy there and on the test."""
    learnt = [(rule, *one_pass(rule, units, data, seed)) for rule in rules]
    rule, score, model = max(learnt, key=lambda found: found[1])
    with Session(model) as session:
        return rule, score, session.evaluate(data.x_test.astype(np.float64), data.y_test)


def one_pass(rule: str, units: int, data: Dataset, seed: int) -> tuple[float, Compiled]:
    """Return the validation accuracy after one pass, and what was learnt."""
    with Session(made(rule, network(64, units, 10), data, seed)) as session:
        session.fit(data.x_train.astype(np.float64), data.y_train, epochs=1)
        score = session.evaluate(data.x_validation.astype(np.float64), data.y_validation)
        return score, session.snapshot()


def network(*sizes: int) -> Graph:
    """Return a rectified network without biases; its weights stand for sizes alone."""
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors, value = {}, "x"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        if index:
            nodes.append(Node("relu", (value,), (Value("units", (inputs,)),)))
            value = "units"
        tensors[f"w{index}"] = np.zeros((outputs, inputs))
        weight = (("weight", TensorRef(f"w{index}")),)
        nodes.append(Node("linear", (value,), (Value(f"fc{index}", (outputs,)),), weight))
        value = f"fc{index}"
    return Graph("prototypes", tuple(nodes), tensors, (value,))


def nearest(data: Dataset) -> float:
    """Return the accuracy of the nearest neighbour by the angle, in real numbers."""

    def directions(x: NDArray[np.generic]) -> Real:
        real = x.astype(np.float64)
        return np.asarray(real / np.linalg.norm(real, axis=1, keepdims=True))

    found = directions(data.x_test) @ directions(data.x_train).T
    return float(np.mean(data.y_train[found.argmax(axis=1)] == data.y_test))


def probe(rule: str, data: Dataset, seed: int, *, learn: bool) -> float:
    """Return the test accuracy of a linear readout of the outputs of a population."""
    model = made(rule, network(64, FEATURES), data, seed)
    parts = (data.x_train, data.x_validation, data.x_test)
    with Session(model) as session:
        if learn:
            session.fit(parts[0].astype(np.float64), data.y_train, epochs=1)
        outputs = [session.answers(part.astype(np.float64)) for part in parts]
    scale = float(np.abs(outputs[0]).max())
    train, held, test = (np.column_stack([v / scale, np.ones(len(v))]) for v in outputs)
    fits = [ridge(train, np.eye(10)[data.y_train], penalty) for penalty in PENALTIES]
    best = max(fits, key=lambda fit: np.mean((held @ fit).argmax(axis=1) == data.y_validation))
    return float(np.mean((test @ best).argmax(axis=1) == data.y_test))


def ridge(x: Real, y: Real, penalty: float) -> Real:
    """Return the weights of a ridge regression, the penalty in units of the number of samples."""
    gram = x.T @ x + penalty * 1e-6 * len(x) * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(gram, x.T @ y))


if __name__ == "__main__":
    main()
