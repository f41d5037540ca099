"""Rules that learn without an error do what their papers say, on the chip's integers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import Session

Real = NDArray[np.float64]
Long = NDArray[np.int64]
SEEDS = range(10, 15)


def graph(*sizes: int, positive: bool = False) -> Graph:
    """Return a rectified network without biases; ``positive`` weights if wanted."""
    rng = np.random.default_rng(5)
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors = {}
    value = "x"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        if index:
            nodes.append(Node("relu", (value,), (Value("units", (inputs,)),)))
            value = "units"
        drawn = rng.normal(0, inputs**-0.5, (outputs, inputs))
        tensors[f"w{index}"] = np.abs(drawn) if positive else drawn
        weight = (("weight", TensorRef(f"w{index}")),)
        nodes.append(Node("linear", (value,), (Value(f"fc{index}", (outputs,)),), weight))
        value = f"fc{index}"
    return Graph("net", tuple(nodes), tensors, (value,))


def along_a_line(seed: int, *, signed: bool, size: int = 8, count: int = 3000) -> Real:
    """Return samples along a random direction, the rest 1/20 of it; without a sign if wanted."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=size)
    direction /= np.linalg.norm(direction)
    if not signed:
        direction = np.abs(direction)
    along = np.clip(rng.normal(size=(count, 1)), -3, 3)
    x = (along if signed else np.abs(along)) * direction + 0.05 * rng.normal(size=(count, size))
    return x if signed else np.maximum(x, 0.0)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_oja_finds_the_first_principal_component_at_the_norm_that_is_stated(
    seed: int, signed: bool
) -> None:
    """The angle to it stays below 3 degrees, the norm within 3 % (Oja 1982)."""
    x = along_a_line(seed, signed=signed)
    made = compile(graph(8, 4), rule="oja", calibration=x[:256], settings=Settings(seed=seed))
    with Session(made) as session:
        start = session.read("to_fc0.weight").astype(np.float64)
        session.run(x, learn=True)
        weight = session.read("to_fc0.weight").astype(np.float64)
    first = np.linalg.eigh(x.T @ x)[1][:, -1]
    assert angles(weight, first).max() < 3.0
    assert angles(start, first).mean() > 30.0
    norms = np.linalg.norm(weight, axis=1) / made.report["norm.fc0"]
    assert norms == pytest.approx(np.ones(4), abs=0.03)


def angles(weight: Real, direction: Real) -> Real:
    """Return the angle of every row to a line, in degrees."""
    cosine = np.abs(weight @ direction) / np.linalg.norm(weight, axis=1)
    return np.asarray(np.degrees(np.arccos(np.minimum(cosine, 1.0))))


@pytest.mark.parametrize("seed", SEEDS)
def test_bcm_becomes_selective_for_one_of_two_patterns(seed: int) -> None:
    """1 - mean / max of the answers, over its largest value 1/2, is above 0.9 (BCM 1982)."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((2, 16))
    x = patterns[rng.integers(0, 2, 10000)]
    model = graph(16, 8, positive=True)
    made = compile(model, rule="bcm", calibration=x[:256], settings=Settings(seed=seed))
    shift = dict(made.program.populations[0].constants)["shift"]
    with Session(made) as session:
        before = selectivity(session.answers(patterns) >> shift)
        session.run(x, learn=True)
        answers = session.answers(patterns) >> shift
    assert before.max() < 0.6
    assert selectivity(answers).min() > 0.9
    assert answers.max(axis=0) == pytest.approx(np.full(8, 2 * 2**4), abs=6)


def selectivity(answers: Long) -> Real:
    """Return 1 - mean / max over patterns (patterns, units), as a part of what is possible."""
    rate = np.maximum(answers, 0).astype(np.float64)
    possible = 1 - 1 / len(rate)
    return np.asarray((1 - rate.mean(axis=0) / rate.max(axis=0)) / possible)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_winner_becomes_the_mean_of_the_cluster_that_it_wins(seed: int) -> None:
    """Four directions, four units, started at one sample of each (Grossberg 1976)."""
    rng = np.random.default_rng(seed)
    centres = rng.random((4, 12)) ** 3
    which = np.concatenate([np.arange(4), rng.integers(0, 4, 1000)])
    x = np.clip(centres[which] + 0.05 * rng.normal(size=(len(which), 12)), 0.0, None)
    rule = "instar(alpha=4)"
    made = compile(graph(12, 4), rule=rule, calibration=x, settings=Settings(seed=seed))
    payload = made.coding.events(x)[:, 0]
    means = np.stack([payload[which == k].mean(axis=0) for k in range(4)])
    with Session(made) as session:
        session.run(x, learn=True)
        found = session.predict(x)
        weight = session.read("to_fc0.weight")[:, :-1]
    assert np.mean(found == which) > 0.98
    assert np.abs(weight - means).max() < 24
    assert np.abs(weight - means).mean() < 6


def test_prototypes_learn_a_new_class_and_keep_the_old_ones() -> None:
    """One pass, digit after digit: the first five are still known when all ten are (CLP 2022)."""
    data = load_dataset("digits", seed=0)
    x, y = data.x_train.astype(np.float64), data.y_train
    order = np.argsort(y, kind="stable")
    old = data.y_test < 5
    made = compile(graph(64, 150, 10), rule="clp", calibration=x)
    with Session(made) as session:
        session.run(x[order][y[order] < 5], y[order][y[order] < 5], learn=True)
        first = session.evaluate(data.x_test[old], data.y_test[old])
        session.run(x[order][y[order] >= 5], y[order][y[order] >= 5], learn=True)
        kept = session.evaluate(data.x_test[old], data.y_test[old])
        both = session.evaluate(data.x_test, data.y_test)
    assert first > 0.95
    assert kept > 0.9
    assert both > 0.92


@pytest.mark.parametrize("seed", range(3))
def test_one_pass_of_prototypes_beats_samples_that_are_only_stored(seed: int) -> None:
    data = load_dataset("digits", seed=seed)
    x, settings = data.x_train.astype(np.float64), Settings(seed=seed)
    scores = []
    for rule in ("clp", "instar", "instar(alpha=0)"):
        made = compile(graph(64, 64, 10), rule=rule, calibration=x, settings=settings)
        with Session(made) as session:
            session.fit(x, data.y_train, epochs=1)
            scores.append(session.evaluate(data.x_test, data.y_test))
    assert scores[0] > 0.93
    assert min(scores[:2]) > scores[2]
