"""e-prop against the gradient through time, where theory says that they are one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.rules.objectives import classification
from hebbite.runtime.credit.measures import measure
from hebbite.runtime.credit.spiking.eprop import eprop
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.twin import LifLayer, SpikeReadout, SpikingTwin

Real = NDArray[np.float64]
STEPS, SAMPLES, INPUTS, HIDDEN, OUTPUTS = 40, 5, 12, 9, 3


def network(*, keep_u: float = 0.6, keep_r: float = 0.8) -> SpikingTwin:
    rng = np.random.default_rng(0)
    hidden = LifLayer(
        "hidden",
        rng.normal(0.03, 0.25, (HIDDEN, INPUTS)),
        np.full(HIDDEN, 0.02),
        keep_u,
        0.85,
        threshold=1.0,
        reset="subtract",
    )
    readout = SpikeReadout(rng.normal(size=(OUTPUTS, HIDDEN)), keep_r, every=True)
    return SpikingTwin((hidden,), readout, classification(margin=0), Surrogate("boxcar", 0.8))


def given() -> tuple[Real, Real]:
    rng = np.random.default_rng(1)
    spikes = (rng.random((STEPS, SAMPLES, INPUTS)) < 0.2).astype(np.float64)
    return spikes, rng.uniform(-20, 20, (SAMPLES, OUTPUTS))


@pytest.mark.parametrize("keep_u", [0.0, 0.6])
def test_symmetric_e_prop_is_the_gradient_through_time_for_one_hidden_population(
    keep_u: float,
) -> None:
    twin = network(keep_u=keep_u)
    spikes, target = given()
    activity = twin.forward(spikes)
    assert 0.02 < activity.spikes[1].mean() < 0.5
    found = eprop(twin, activity, target, twin.readout.weight.T, keep=twin.readout.keep)
    (gradient,) = twin.gradient(activity, target)
    np.testing.assert_allclose(found.mean, gradient, rtol=1e-9, atol=1e-12)
    figures = measure([found], [gradient])
    assert figures.angle_deg is not None
    assert figures.angle_deg < 1e-6


def test_without_the_filter_or_with_random_feedback_e_prop_is_biased() -> None:
    twin = network()
    spikes, target = given()
    activity = twin.forward(spikes)
    (gradient,) = twin.gradient(activity, target)
    random = np.random.default_rng(2).normal(size=(HIDDEN, OUTPUTS))
    for feedback, keep in ((twin.readout.weight.T, 0.0), (random, twin.readout.keep)):
        figures = measure([eprop(twin, activity, target, feedback, keep=keep)], [gradient])
        assert figures.bias is not None
        assert 0.05 < figures.bias <= 1


def test_a_reset_to_zero_is_no_longer_a_trace_of_the_line_alone() -> None:
    twin = network()
    layers = (replace(twin.layers[0], reset="zero"),)
    twin = replace(twin, layers=layers)
    spikes, target = given()
    activity = twin.forward(spikes)
    found = eprop(twin, activity, target, twin.readout.weight.T, keep=twin.readout.keep)
    figures = measure([found], twin.gradient(activity, target))
    assert figures.angle_deg is not None
    assert 1 < figures.angle_deg < 60
