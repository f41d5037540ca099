"""Backpropagation through time on the host: the reference of spiking networks, never on a chip."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.credit.credit import CreditPlan, credit
from hebbite.runtime.credit.record import payload_targets
from hebbite.runtime.credit.spiking.descent import RAN_ON, host_learner
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL

DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:600].astype(np.float64), DIGITS.y_train[:600]
HELD = DIGITS.x_validation.astype(np.float64), DIGITS.y_validation
SPIKING = Settings(init="random", neuron="lif", encode="rate", window=25)


@cache
def model() -> Compiled:
    return compile(MODEL, rule="stdp", settings=SPIKING, calibration=X[:128])


def test_a_step_follows_the_gradient_of_its_batch() -> None:
    learner = host_learner(model(), rate=0.5)
    x, y = X[:16], Y[:16]
    twin = learner.twin
    activity = twin.forward(learner.spikes(x, first=0))
    slopes = twin.gradient(activity, payload_targets(model(), y))
    moved = learner.after(x, y)
    assert moved.shown == 16
    for before, after, slope in zip(twin.layers, moved.twin.layers, slopes, strict=True):
        assert slope.any()
        np.testing.assert_allclose(after.weight, before.weight + 0.5 * slope)


def test_the_readout_alone_moves_where_the_rest_is_frozen() -> None:
    learner = host_learner(model(), rate=0.5, readout=True)
    *hidden, output = learner.after(X[:16], Y[:16]).twin.layers
    *before, last = learner.twin.layers
    assert all(np.array_equal(a.weight, b.weight) for a, b in zip(hidden, before, strict=True))
    assert not np.array_equal(output.weight, last.weight)


def test_a_seed_fixes_a_training_however_it_is_cut() -> None:
    whole = host_learner(model(), rate=1.0, seed=3).fit(X[:100], Y[:100], epochs=2)
    part = host_learner(model(), rate=1.0, seed=3).fit(X[:100], Y[:100], epochs=1)
    part = part.fit(X[:100], Y[:100], epochs=1, first_epoch=1)
    for one, other in zip(whole.twin.layers, part.twin.layers, strict=True):
        assert np.array_equal(one.weight, other.weight)


def test_it_learns_digits_beyond_a_frozen_hidden_layer() -> None:
    """On samples held out, after 3 epochs of 600; chance is 0.1."""
    scores = [
        host_learner(model(), rate=1.0, readout=frozen).fit(X, Y, epochs=3).evaluate(*HELD)
        for frozen in (False, True)
    ]
    assert scores[0] > scores[1] + 0.1
    assert scores[0] > 0.6


def test_its_rows_are_the_gradient_and_say_where_they_ran() -> None:
    plan = CreditPlan(
        rules=("bptt", "stdp"), epochs=1, at=(0, 1), samples=16, draws=2, train_samples=64,
        settings=SPIKING,
    )  # fmt: skip
    rows = credit(MODEL, plan).rows
    host = [row for row in rows if row.rule == "bptt"]
    assert [(row.epoch, row.arithmetic) for row in host] == [(0, "real"), (1, "real")]
    for row in host:
        assert RAN_ON in row.surrogate
        for figures in (row.total, *(layer.measures for layer in row.layers)):
            assert figures.angle_deg == pytest.approx(0, abs=1e-6)
            assert figures.bias == pytest.approx(0, abs=1e-6)
            assert figures.gain == pytest.approx(1)
            assert figures.variance_intrinsic == 0
        assert row.step.predicted < 0
        assert row.step.misassigned == 0
    assert host[0].travelled is None
    assert host[1].travelled is not None
    assert all(RAN_ON not in row.surrogate for row in rows if row.rule == "stdp")


def test_a_chip_refuses_it_by_name_whatever_the_units() -> None:
    for settings in (SPIKING, Settings()):
        with pytest.raises(HebbiteError, match="HB0402"):
            compile(MODEL, rule="bptt", settings=settings)
    with pytest.raises(HebbiteError, match="HB0402"):
        credit(MODEL, CreditPlan(rules=("bptt",), epochs=1))
