"""The integer update, known without drawing: expectation and variance of what an engine writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import EpochValues, accumulate_products
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import Plasticity
from hebbite.rules.sums import parse_sum
from hebbite.runtime.credit.build import forward_groups, twin_of, working_rate
from hebbite.runtime.credit.chip import chip_update
from hebbite.runtime.credit.measures import angle_between, measure
from hebbite.runtime.credit.moments import Moments
from hebbite.runtime.credit.record import payload_inputs, payload_targets, record
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.session import Session

DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:6].astype(np.float64), DIGITS.y_train[:6]


@pytest.fixture(scope="module")
def trained() -> Compiled:
    """Digits, two thirds of an epoch by direct feedback alignment."""
    model = compile(MODEL, rule="dfa", calibration=DIGITS.x_train[:256].astype(np.float64))
    with Session(model) as session:
        session.fit(DIGITS.x_train[:800].astype(np.float64), DIGITS.y_train[:800], epochs=1)
        return session.snapshot()


def with_rule(model: Compiled, dw: str) -> Compiled:
    """Return the model with another sum at every plastic group."""
    plastic: tuple[Plasticity, ...] = tuple(
        replace(p, dw=parse_sum(dw)) for p in model.program.plasticity
    )
    return replace(model, program=replace(model.program, plasticity=plastic))


def changes(model: Compiled, group: str, *, draws: int) -> NDArray[np.float64]:
    """Return what an engine wrote for each sample, from the same weights every time:
    (draws, samples, post, lines)."""
    start = {g.weight: model.program.tensors[g.weight] for g in model.program.synapses}
    tensor = model.program.group(group).weight
    found = np.empty((draws, len(X), *start[tensor].shape))
    with Session(model) as session:
        for draw in range(draws):
            for sample in range(len(X)):
                for name, weight in start.items():
                    session.write(name, weight)
                session.run(X[sample : sample + 1], Y[sample : sample + 1], learn=True)
                found[draw, sample] = session.read(tensor) - start[tensor].astype(np.int64)
    return found


@pytest.mark.parametrize(
    "dw", ["dw = 2^-5*x0*x1*y2 - 2^-5*x0*x1*y3", "dw = 2^-4*x0*y0*x1*y2 - 2^-3*u0*w"]
)
def test_expectation_and_rounding_variance_are_those_of_an_engine(
    trained: Compiled, dw: str
) -> None:
    draws = 150
    model = with_rule(trained, dw)
    found = record(model, X, Y)
    for group in ("to_relu1", "to_fc2"):
        exact = chip_update(model, group, found).moments
        seen = changes(model, group, draws=draws)
        within = seen.var(axis=0, ddof=1)
        error = np.sqrt(within.sum(axis=0) / draws) / len(X)
        assert np.all(np.abs(seen.mean(axis=(0, 1)) - exact.mean) <= 6 * error + 0.02)
        assert exact.intrinsic == pytest.approx(float(within.sum(axis=(1, 2)).mean()), rel=0.05)
        square = float(np.mean(np.sum(seen**2, axis=(2, 3))))
        assert exact.square == pytest.approx(square, rel=0.05)


def test_a_product_that_counts_every_eighth_epoch_is_an_eighth_of_the_mean(
    trained: Compiled,
) -> None:
    every = with_rule(trained, "dw = -2^-3*u0*w")
    eighth = with_rule(trained, "dw = -2^-3*u3*w")
    found = record(every, X, Y)
    one, other = (chip_update(m, "to_fc2", found).moments for m in (every, eighth))
    np.testing.assert_allclose(other.mean, one.mean / 8)
    assert other.square == pytest.approx(one.square / 8)
    assert other.intrinsic == pytest.approx(one.intrinsic / 8)


def test_a_weight_at_the_end_of_its_range_moves_no_further(trained: Compiled) -> None:
    weights = trained.program.tensors["to_fc2.weight"]
    full = trained.with_tensors({"to_fc2.weight": np.full_like(weights, 255)})
    model = with_rule(full, "dw = 2^3*u0*x1")
    moments = chip_update(model, "to_fc2", record(model, X, Y)).moments
    assert not moments.mean.any()
    assert moments.square == 0


def test_floors_pull_downwards_and_by_less_than_a_step_of_the_rule(trained: Compiled) -> None:
    found = record(trained, X, Y)
    for group in forward_groups(trained.program):
        update = chip_update(trained, group.name, found)
        assert -(2.0**-5) < update.drift_steps < 0
        assert angle_between([update.moments.mean], [update.unfloored]) or 0.0 < 10


def test_a_sum_without_floors_has_no_drift(trained: Compiled) -> None:
    model = with_rule(trained, "dw = 2^-4*x0*x1 - 2^-4*u0*w")  # narrow products drop no bit
    update = chip_update(model, "to_relu1", record(model, X, Y))
    np.testing.assert_allclose(update.moments.mean, update.unfloored, atol=1e-12)


def test_the_readout_on_the_chip_follows_its_gradient_at_the_working_rate(
    trained: Compiled,
) -> None:
    """Without a dead zone in the way of small errors the gain is 1, less what shifts drop."""
    x, y = DIGITS.x_train[:200].astype(np.float64), DIGITS.y_train[:200]
    found, twin = record(trained, x, y), twin_of(trained)
    moments = chip_update(trained, "to_fc2", found).moments
    by = 1 / working_rate(trained)
    scaled = Moments(by * moments.mean, by**2 * moments.square)
    gradient = twin.gradient(found.activity, payload_targets(trained, y))
    figures = measure([scaled], [gradient[-1]])
    assert figures.angle_deg is not None
    assert figures.angle_deg < 8
    assert figures.gain == pytest.approx(0.9, abs=0.12)


def test_the_twin_does_what_the_program_does_but_for_rounding(trained: Compiled) -> None:
    found = record(trained, X, Y).activity
    own = twin_of(trained).forward(payload_inputs(trained, X))
    np.testing.assert_array_equal(own.inputs[0], found.inputs[0])
    np.testing.assert_array_equal(own.v[0], found.v[0])
    assert np.abs(own.inputs[1] - found.inputs[1]).max() <= 1
    assert np.abs(own.output - found.output).max() < 8


@pytest.mark.parametrize(
    "dw",
    [
        "dw = 2^-5*x0*x1*y2 - 2^-5*x0*x1*y3",
        "dw = -3*2^-4*x0*(x1-64)*y2 + 5*2^-6*y0*sgn(w-3)*y3 - 2^-6*u0*w",
        "dw = 2^-2*u0*x1*y2*y3 - 2^-7*y0*(w+5)",
        "dw = 7*2^4*x0*x1*y2",
    ],
)
def test_the_loop_is_the_definition_of_an_update(trained: Compiled, dw: str) -> None:
    """Sample by sample, on every synapse, by the arithmetic that defines what a chip computes."""
    model = with_rule(trained, dw)
    found, widths = record(model, X, Y), model.program.widths
    for group in ("to_relu1", "to_fc2"):
        told = found.told[group]
        weight = model.program.tensors[f"{group}.weight"].astype(np.int64)
        expected, variance = np.zeros((len(X), *weight.shape)), np.zeros((len(X), *weight.shape))
        for n in range(len(X)):
            traces = {"x1": told.x1[n], "x2": told.x1[n] * 0} | {k: y[n] for k, y in told.y.items()}
            values = EpochValues(
                weight,
                told.x0[n].astype(np.int64),
                told.y0[n].astype(np.int64),
                1,
                {name: np.stack([value, value]) for name, value in traces.items()},
            )
            total = accumulate_products(parse_sum(dw), values, widths)
            low = np.clip(total >> 7, widths.weight_low, widths.weight_high)
            high = np.clip((total >> 7) + 1, widths.weight_low, widths.weight_high)
            chance = (total & 127) / 128
            expected[n] = low - weight + chance * (high - low)
            variance[n] = chance * (1 - chance) * (high - low)
        moments = chip_update(model, group, found).moments
        np.testing.assert_allclose(moments.mean, expected.mean(axis=0), atol=1e-12)
        both = np.sum(expected**2 + variance) / len(X)
        assert moments.square == pytest.approx(float(both))
        assert moments.intrinsic == pytest.approx(float(variance.sum() / len(X)))
