"""Credit of a compiled spiking model: the twin runs as the program does, and the rule in real
numbers is what the chip writes on average."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.runtime.credit.measures import angle_between
from hebbite.runtime.credit.spiking.build import show, spiking_twin_of
from hebbite.runtime.credit.spiking.moment import SpikingMoment
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.updates import Rounds, chip_updates, real_updates
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.session import Session

DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:12].astype(np.float64), DIGITS.y_train[:12]
SPIKING = Settings(target="loihi1", neuron="lif", encode="rate", window=20)


@pytest.fixture(scope="module")
def model() -> Compiled:
    calibration = DIGITS.x_train[:128].astype(np.float64)
    return compile(MODEL, rule="stdp(up=5, down=5)", settings=SPIKING, calibration=calibration)


def test_the_twin_spikes_where_the_program_does(model: Compiled) -> None:
    twin = spiking_twin_of(model, Surrogate())
    activity = show(model, twin, X[:1], Y[:1], rounds=1).activity
    own = twin.forward(activity.spikes[0])
    for mine, recorded in zip(own.spikes, activity.spikes, strict=True):
        np.testing.assert_array_equal(mine, recorded)
    for mine, recorded in zip(own.v, activity.v, strict=True):
        assert np.abs(mine - recorded).max() < 10  # of thresholds in the tens of thousands
    assert activity.spikes[1].any()


def test_rates_of_the_twin_are_the_counts_of_the_engine(model: Compiled) -> None:
    moment = SpikingMoment(model, X, Y, draws=2)
    order = np.repeat(np.arange(len(X)), 2)
    with Session(model) as session:
        counts = session.run(X[order], Y[order]).answers
    rates = moment.shown.activity.readout[-1]
    np.testing.assert_allclose(rates, counts * 127 / 20)
    target = 100.0 * np.eye(10)[Y[order]]
    error = np.abs(target - rates)
    inside = np.where(error < 12, 0.0, (error**2 - 144) / 2)
    beyond = 127 * error - (127**2 + 144) / 2
    wanted = np.where(error <= 127, inside, beyond).sum(axis=1).mean()
    assert moment.value == pytest.approx(wanted)


def test_the_rule_in_real_numbers_is_what_the_chip_writes_on_average(model: Compiled) -> None:
    twin = spiking_twin_of(model, Surrogate())
    real = real_updates(model, show(model, twin, X, Y, rounds=100))
    chip = chip_updates(model, X, Y, rounds=100)
    for mine, written in zip(real, chip, strict=True):
        angle = angle_between([mine.mean], [written.mean])
        assert angle is not None
        assert angle < 18
        assert np.linalg.norm(written.mean) == pytest.approx(np.linalg.norm(mine.mean), rel=0.15)
        assert written.intrinsic > mine.intrinsic > 0  # rounding comes on top of the spikes' chance


def test_rows_name_the_surrogate_and_have_no_realised_change(model: Compiled) -> None:
    moment = SpikingMoment(model, X[:4], Y[:4], draws=2)
    for arithmetic in ("real", "chip"):
        found = moment.figures(arithmetic)
        assert [layer.name for layer in found.layers] == ["relu1", "fc2"]
        assert found.step.realised is None
        assert np.isfinite(found.step.predicted)
    assert "triangle derivative" in moment.surrogate


def test_travelled_is_the_change_of_the_objective(model: Compiled) -> None:
    moved = model.with_tensors({"to_fc2.weight": model.program.tensors["to_fc2.weight"] // 2})
    start, end = (SpikingMoment(m, X[:4], Y[:4], draws=2) for m in (model, moved))
    assert end.travelled(start, 3).delta_f == pytest.approx(end.value - start.value)
    assert end.value != start.value


def test_rounds_are_moments_over_samples_and_over_what_chance_does_to_each() -> None:
    rng = np.random.default_rng(0)
    updates = rng.normal(size=(6, 4, 3, 2)) + rng.normal(size=(6, 1, 3, 2))
    rounds = Rounds((3, 2), 4)
    for update in updates.reshape(24, 3, 2):
        rounds.add(update)
    found = rounds.moments()
    np.testing.assert_allclose(found.mean, updates.mean(axis=(0, 1)))
    assert found.square == pytest.approx(float(np.sum(updates**2) / 24))
    within = updates.var(axis=1, ddof=1).sum(axis=(1, 2))
    assert found.intrinsic == pytest.approx(float(within.mean()))
    assert found.noise == pytest.approx(float(within.mean()) / 24)


def test_a_wider_surrogate_reaches_more_units(model: Compiled) -> None:
    narrow, wide = (
        SpikingMoment(model, X[:4], Y[:4], draws=2, shape=Surrogate("boxcar", width))
        for width in (0.1, 2.0)
    )
    reached = [np.count_nonzero(m.gradient[0].any(axis=1)) for m in (narrow, wide)]
    assert reached[0] < reached[1]
    assert replace(narrow, shape=Surrogate("boxcar", 2.0)).gradient[0].any()


def test_answers_that_are_no_counts_have_no_twin_and_are_refused() -> None:
    settings = replace(SPIKING, target="loihi2")
    made = compile(MODEL, rule="eprop", settings=settings, calibration=X)
    with pytest.raises(UnsupportedError, match="HB0471"):
        SpikingMoment(made, X, Y, draws=2).figures("chip")
