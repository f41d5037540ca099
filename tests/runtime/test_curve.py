"""The curve of a training: F by hand, on training samples only, and nothing moved by looking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.runtime.curve import Curve, CurveBook, objective_value, why_without
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.outputs import outputs_of
from hebbite.runtime.session import Session
from hebbite.runtime.training import Trained, plan_of, train

SAMPLES = 60


class Watched:
    """A data set that says which parts were read."""

    def __init__(self, real: Dataset) -> None:
        self._real = real
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self.read.add(name)
        return getattr(self._real, name)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", seed=0)


@pytest.fixture(scope="module")
def model(data: Dataset) -> Compiled:
    return compile(MODEL, rule="dfa", calibration=data.x_train[:100])


def shift_of(model: Compiled) -> int:
    (output,) = (p for p in model.program.populations if p.name == "fc2")
    return dict(output.constants)["shift"]


def loss_by_hand(answers: list[int], label: int, shift: int) -> float:
    """F of one sample by its definition: target 100, margin 12, saturation at 127."""
    total = 0.0
    for index, v in enumerate(answers):
        o = max(-127, min(127, v // 2**shift))
        d = abs((100 if index == label else 0) - o)
        if d > 127:
            total += 127 * d - (127**2 + 12**2) / 2
        elif d >= 12:
            total += (d**2 - 12**2) / 2
    return total


def test_f_is_the_mean_over_samples_of_the_objective(model: Compiled, data: Dataset) -> None:
    x, y = data.x_train[:SAMPLES], data.y_train[:SAMPLES]
    with Session(model, engine="reference") as session:
        answers = session.answers(x)
    by_hand = [
        loss_by_hand(row.tolist(), int(label), shift_of(model))
        for row, label in zip(answers, y, strict=True)
    ]
    assert objective_value(model, answers, y) == sum(by_hand) / SAMPLES > 0


def test_outputs_are_floored_and_clipped_as_on_the_chip(model: Compiled) -> None:
    unit = 2 ** shift_of(model)
    v = np.array([[-1, 0, unit, -unit, 127 * unit, 128 * unit, -200 * unit, unit - 1, 5, 7]])
    assert outputs_of(model, v).tolist() == [[-1, 0, 1, -1, 127, 127, -127, 0, 0, 0]]


def test_f_is_zero_where_the_chip_sends_no_error(model: Compiled) -> None:
    unit = 2 ** shift_of(model)
    near = np.array([[89 * unit, *[11 * unit] * 9], [-11 * unit, 111 * unit, *[0] * 8]])
    assert objective_value(model, near, np.array([0, 1])) == 0.0
    off = near.copy()
    off[0, 0] = 88 * unit
    assert objective_value(model, off, np.array([0, 1])) == 0.0  # (12^2 - 12^2) / 2
    off[0, 0] = 87 * unit
    assert objective_value(model, off, np.array([0, 1])) == (13**2 - 12**2) / 2 / 2


def trained(model: Compiled, data: Dataset, *, watch: bool) -> tuple[Trained, Curve | None]:
    plan = plan_of(model, data, epochs=2, engine="reference", rounding="independent", seed=0,
                   split_seed=0, train_samples=SAMPLES)  # fmt: skip
    if not watch:
        return train(model, data, plan), None
    seen = Watched(data)
    book = CurveBook(model, seen, samples=SAMPLES)  # type: ignore[arg-type]
    found = train(model, data, plan, watch=book.watch)
    assert seen.read == {"x_train", "y_train", "x_validation", "y_validation"}
    return found, book.curve(found.plan.validation)


@pytest.fixture(scope="module")
def both(model: Compiled, data: Dataset) -> tuple[Trained, Trained, Curve]:
    plain, _ = trained(model, data, watch=False)
    watched, curve = trained(model, data, watch=True)
    assert curve is not None
    return plain, watched, curve


def test_looking_moves_nothing(both: tuple[Trained, Trained, Curve]) -> None:
    plain, watched, _ = both
    assert plain.model.sha256 == watched.model.sha256 != ""
    assert plain.counters == watched.counters
    assert (plain.before, plain.after) == (watched.before, watched.after)


def test_a_curve_has_a_point_before_and_one_after_every_epoch(
    both: tuple[Trained, Trained, Curve], model: Compiled, data: Dataset
) -> None:
    _, watched, curve = both
    assert (len(curve.objective), len(curve.validation), len(curve.counters)) == (3, 3, 2)
    assert curve.until(2) == watched.counters
    assert curve.until(1) == curve.counters[0]
    assert not curve.until(0).values.any()
    assert curve.validation[1:] == watched.plan.validation
    for point, net in ((0, model), (-1, watched.model)):
        with Session(net, engine="reference") as session:
            answers = session.answers(data.x_train[:SAMPLES])
            score = session.evaluate(data.x_validation, data.y_validation)
        f = objective_value(net, answers, data.y_train[:SAMPLES])
        assert (curve.objective[point], curve.validation[point]) == (f, score)
    assert curve.objective[0] > curve.objective[-1] > 0


def test_a_rule_that_is_told_no_target_has_no_objective(data: Dataset) -> None:
    spiking = replace(Settings(), target="loihi1", neuron="lif", encode="rate")
    model = compile(MODEL, rule="stdp", settings=spiking, calibration=data.x_train[:50])
    assert why_without(model) == "the rule follows no objective"
    few = replace(data, x_validation=data.x_validation[:2], y_validation=data.y_validation[:2])
    book = CurveBook(model, few, samples=2)
    with Session(model, engine="reference") as session:
        book.watch(session, None)
    found = book.curve((0.5,))
    assert found.objective == ()
    assert len(found.validation) == 2
