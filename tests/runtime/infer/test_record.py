"""A recording holds what a training does to its weights, bit for bit, and disturbs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.hbt import Saved, Training
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.infer.record import record_learning
from hebbite.runtime.session import Session, sample_order

DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:40].astype(np.float64), DIGITS.y_train[:40]
MODEL_OF = compile(MODEL, rule="backprop", calibration=X)
GROUPS = [group.name for group in MODEL_OF.program.synapses]


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("rounding", ["independent", "lava-exact"])
def test_the_last_weights_are_those_of_the_training(engine: str, rounding: str) -> None:
    found = record_learning(
        MODEL_OF, X, Y, steps=16, every=5, engine=engine, rounding=rounding, seed=3
    )
    with Session(MODEL_OF, engine=engine, rounding=rounding, seed=3) as session:
        session.fit(X, Y, epochs=2)
        for name in GROUPS:
            weight = session.read(MODEL_OF.program.group(name).weight)
            assert np.array_equal(found.weights[name][-1], weight)
            assert not np.array_equal(found.weights[name][0], weight)


def test_steps_go_on_over_the_end_of_an_epoch_in_the_order_of_training() -> None:
    found = record_learning(MODEL_OF, X, Y, steps=4, every=15, seed=1)
    order = np.concatenate([sample_order(40, seed=1, epoch=epoch) for epoch in (0, 1)])[:60]
    assert np.array_equal(found.y.ravel(), Y[order])
    assert np.array_equal(found.x.reshape(60, -1), X[order].reshape(60, -1))
    assert (found.steps, found.every) == (4, 15)


def test_a_step_starts_where_the_last_one_ended() -> None:
    found = record_learning(MODEL_OF, X, Y, steps=3, every=2)
    for name in GROUPS:
        moved = sum(found.change(name, step) for step in range(3))
        assert np.array_equal(moved, found.weights[name][3] - found.weights[name][0])
        before = found.before(2).program.tensors[MODEL_OF.program.group(name).weight]
        assert np.array_equal(before, found.weights[name][2])


def test_a_checkpoint_is_recorded_from_where_it_stood() -> None:
    with Session(MODEL_OF, seed=2) as session:
        session.fit(X, Y, epochs=1)
        kept = Training("", 2, 40, 1, "native", "independent", 2, MODEL_OF.sha256)
        saved = Saved(MODEL_OF, training=kept, state=session.state())
        session.fit(X, Y, epochs=1, first_epoch=1)
        after = session.read("to_fc2.weight")
    found = record_learning(saved, X, Y, steps=8, every=5)
    assert np.array_equal(found.weights["to_fc2"][-1], after)


def test_a_checkpoint_within_an_epoch_is_recorded_from_where_it_stood() -> None:
    with Session(MODEL_OF, seed=2) as session:
        order = sample_order(40, seed=2, epoch=1)
        session.fit(X, Y, epochs=1)
        session.run(X[order[:15]], Y[order[:15]], learn=True)
        kept = Training("", 2, 40, 1, "native", "independent", 2, MODEL_OF.sha256, (), 15)
        saved = Saved(MODEL_OF, training=kept, state=session.state())
        session.fit(X, Y, epochs=1, first_epoch=1, first_sample=15)
        after = session.read("to_fc2.weight")
    found = record_learning(saved, X, Y, steps=5, every=5)
    assert np.array_equal(found.weights["to_fc2"][-1], after)


@pytest.mark.parametrize(
    ("steps", "every", "engine", "code"),
    [
        (0, 4, "native", "HB0480"),
        (4, 0, "native", "HB0480"),
        (4, -1, "native", "HB0480"),
        (4, 4, "lava", "HB0481"),
        (2**24, 4, "native", "HB0236"),
    ],
)
def test_what_cannot_be_recorded_is_refused(steps: int, every: int, engine: str, code: str) -> None:
    with pytest.raises(HebbiteError, match=code):
        record_learning(MODEL_OF, X, Y, steps=steps, every=every, engine=engine)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(HebbiteError, match="HB0480"):
        record_learning(MODEL_OF, X[:0], Y[:0], steps=4, every=4)
