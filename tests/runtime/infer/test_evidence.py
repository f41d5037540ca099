"""Predictions are the sums that a rule proposes; evidence is their products with the changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.settings import Settings
from hebbite.runtime.credit.build import twin_of
from hebbite.runtime.credit.record import payload_targets
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.infer.candidates import candidates_of, gradients_of
from hebbite.runtime.infer.evidence import evidence_of, prediction, situation
from hebbite.runtime.infer.record import record_learning
from hebbite.runtime.infer.recording import LearningRecording

Record = Callable[..., LearningRecording]


@pytest.fixture
def small(recorded: Record) -> LearningRecording:
    return recorded("classification", "dfa", 6, 3)


def test_the_prediction_of_the_gradient_is_its_sum_over_samples(small: LearningRecording) -> None:
    there = situation(small, twin_of(small.model), 2, samples=2)
    (gradient,) = gradients_of(candidates_of(["classification"], ["frozen"]))
    target = payload_targets(small.model, small.y[2])
    exact = there.twin.gradient(there.activity, target)
    for found, one in zip(prediction(gradient, there), exact, strict=True):
        assert found is not None
        assert np.allclose(found, 3 * one)


def test_backprop_predicts_the_gradient_where_errors_are_told_exactly() -> None:
    data = load_dataset("digits", seed=0)
    model = compile(MODEL, rule="dfa", settings=Settings(error_shift=0))
    x = data.x_train.astype(np.float64)
    found = record_learning(model, x, data.y_train, steps=2, every=3)
    there = situation(found, twin_of(model), 1, samples=1)
    (pair,) = candidates_of(["classification(margin=1)"], ["backprop"])
    (gradient,) = gradients_of([pair])
    found_hidden, found_readout = prediction(pair, there)
    hidden, readout = prediction(gradient, there)
    assert found_hidden is not None
    assert found_readout is not None
    assert hidden is not None
    assert readout is not None
    assert np.allclose(found_hidden, hidden)
    # the twin's errors are real numbers, what is told are whole ones
    assert np.linalg.norm(found_readout - readout) < 0.05 * np.linalg.norm(readout)


def test_the_readout_is_told_whole_multiples_of_its_shift(small: LearningRecording) -> None:
    there = situation(small, twin_of(small.model), 0, samples=0)
    (pair,) = candidates_of(["regression"], ["frozen"])
    found = prediction(pair, there)[-1]
    assert found is not None
    target = payload_targets(small.model, small.y[0])
    exact = pair.objective.error(there.activity.output, target)
    told = 8 * np.trunc(exact / 8)
    assert (told != exact).any()
    slope = there.twin.layers[-1].activation.slope(there.activity.v[-1])
    assert np.allclose(found, (told * slope).T @ there.activity.inputs[-1])


def test_the_target_rate_is_that_of_the_candidate(small: LearningRecording) -> None:
    there = situation(small, twin_of(small.model), 0, samples=0)
    pairs = candidates_of(["regression", "regression(target_rate=40)"], ["frozen"])
    full, less = (prediction(pair, there)[-1] for pair in pairs)
    assert full is not None
    assert less is not None
    taught = np.isin(np.arange(10), small.y[0])
    assert np.array_equal(less[~taught], full[~taught])
    assert (less[taught] != full[taught]).any(axis=1).all()
    assert (less[taught, -1] < full[taught, -1]).all()


def test_evidence_is_the_products_of_changes_and_predictions(small: LearningRecording) -> None:
    pairs = candidates_of(["classification", "regression"], ["dfa", "frozen"])
    found, gram = evidence_of(small, pairs)
    assert found.layers == ("relu1", "fc2")
    assert found.synapses.tolist() == [32 * 65, 10 * 33]
    assert found.learns.tolist() == [[True, True], [False, True]] * 2
    start, groups = twin_of(small.model), ("to_relu1", "to_fc2")
    total = np.zeros_like(gram)
    for step in range(small.steps):
        own = [prediction(pair, situation(small, start, step, samples=step)) for pair in pairs]
        other = (step + 3) % 6
        control = [prediction(pair, situation(small, start, step, samples=other)) for pair in pairs]
        for layer, group in enumerate(groups):
            moved = small.change(group, step)
            assert np.isclose(found.change[step, layer], (moved**2).sum())
            for products, predictions in ((found.own, own), (found.control, control)):
                for pair, parts in enumerate(predictions):
                    part = parts[layer]
                    u = np.zeros_like(moved) if part is None else part
                    assert np.isclose(products.along[pair, step, layer], (moved * u).sum())
                    assert np.isclose(products.size[pair, step, layer], (u * u).sum())
            rows = [p[layer] if p[layer] is not None else np.zeros_like(moved) for p in own]
            flat = np.stack([np.asarray(row).ravel() for row in rows])
            total[layer] += flat @ flat.T
    assert np.allclose(gram, total)


def test_a_part_of_the_evidence_holds_its_steps_alone(small: LearningRecording) -> None:
    found, _ = evidence_of(small, candidates_of(["classification"], ["dfa"]))
    part = found.part(slice(0, 2))
    assert (part.change.shape, part.own.along.shape, part.control.size.shape) == (
        (2, 2),
        (1, 2, 2),
        (1, 2, 2),
    )
    assert np.array_equal(part.own.along, found.own.along[:, :2])


def test_what_the_program_states_is_not_looked_at(small: LearningRecording) -> None:
    pairs = candidates_of(["classification", "regression(target_rate=50)"], ["dfa", "backprop"])
    found, _ = evidence_of(small, pairs)
    other = candidates_of(["regression(margin=90)"], ["frozen"])[0]
    assert other.rule is not None
    stated = replace(small.model, rule=other.rule, objective=other.objective)
    blind, _ = evidence_of(replace(small, model=stated), pairs)
    assert np.array_equal(found.own.along, blind.own.along)
    assert np.array_equal(found.own.size, blind.own.size)
