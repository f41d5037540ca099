"""Rules that settle: which gradient they approach, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.rules.errors import UnsupportedError
from hebbite.rules.objectives import classification
from hebbite.rules.registry import parse_rule
from hebbite.runtime.credit.activations import Clipped, Tanh
from hebbite.runtime.credit.batch import Batch
from hebbite.runtime.credit.measures import angle_between, inner
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.nudged import Coupled, contrasted
from hebbite.runtime.credit.predicted import errors_at_fixed_predictions, settled
from hebbite.runtime.credit.signals import updates_of
from hebbite.runtime.credit.twin import Layer, Twin

Real = NDArray[np.float64]
EXACT = "predictive-coding"


def calm(sizes: Sequence[int]) -> Twin:
    """Return smooth layers that pass on payloads of the size that they get."""
    rng = np.random.default_rng(0)
    layers = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight = rng.normal(size=(outputs, inputs + 1)) * 20 / np.sqrt(inputs)
        if index == len(sizes) - 2:
            layers.append(Layer("out", weight, 10.0, Clipped(0.05, -1e9, 1e9)))
        else:
            layers.append(Layer(f"h{index}", weight, 10.0, Tanh(0.05 / 60, 60.0)))
    return Twin(tuple(layers), classification(margin=0))


def batch(made: Twin) -> Batch:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 60, (12, made.layers[0].weight.shape[1] - 1))
    activity = made.forward(x)
    target = activity.output + rng.uniform(-40, 40, activity.output.shape)
    return Batch(made, x, target, activity)


def means(updates: Sequence[Update | None]) -> list[Real]:
    return [update.moments().mean for update in updates if update is not None]


def test_errors_at_fixed_predictions_are_the_gradient_after_one_step_a_hidden_layer() -> None:
    given = batch(calm((6, 9, 8, 7, 4)))
    exact = given.twin.deltas(given.activity, given.target)[:-1]
    for steps in range(4):
        errors = errors_at_fixed_predictions(given, steps=steps)
        for layer, (error, wanted) in enumerate(zip(errors, exact, strict=True)):
            arrived = steps >= 3 - layer
            assert np.array_equal(error, wanted) if arrived else not error.any()


@pytest.mark.parametrize("size", [0.3, 0.7])
def test_smaller_steps_settle_at_the_same_errors(size: float) -> None:
    given = batch(calm((6, 9, 8, 4)))
    errors = errors_at_fixed_predictions(given, steps=200, size=size)
    exact = given.twin.deltas(given.activity, given.target)
    for error, wanted in zip(errors, exact, strict=False):
        np.testing.assert_allclose(error, wanted, rtol=1e-9, atol=1e-12)


def test_predictive_coding_with_fixed_predictions_is_within_a_degree_of_the_gradient() -> None:
    given = batch(calm((6, 9, 8, 4)))
    found = means(updates_of(parse_rule(EXACT), given))
    for one, exact in zip(found, given.twin.gradient(given.activity, given.target), strict=True):
        angle = angle_between([one], [exact])
        assert angle is not None
        assert angle < 1e-4


def test_moving_predictions_approach_the_gradient_as_the_nudge_goes_to_zero() -> None:
    given = batch(calm((6, 9, 8, 4)))
    exact = given.twin.gradient(given.activity, given.target)[:-1]
    angles = []
    for nudge in (3, 4, 5, 6):
        updates, _ = settled(given, beta=2.0**-nudge)
        angles.append(angle_between(means(updates), exact) or 0.0)
    assert angles[0] > 5
    for wide, narrow in pairwise(angles):
        assert 1.7 < wide / narrow < 2.5


def test_moving_predictions_settle_in_the_steps_that_are_stated() -> None:
    given = batch(calm((6, 9, 8, 4)))
    for step, wanted in ((0.1, 107), (0.2, 53), (0.4, 27)):
        assert settled(given, beta=1.0, small=0.01, step=step)[1] == pytest.approx(wanted, abs=3)


def loss_at_equilibrium(network: Coupled, given: Batch, weights: Sequence[Real]) -> float:
    """Return F at the free equilibrium, ``weights`` on the way up, those down as they are."""
    free, _ = Coupled(moved_up(network.twin, weights), network.gamma, network.twin).settle(given.x)
    return float(network.twin.losses(free[-1], given.target).mean())


def moved_up(twin: Twin, weights: Sequence[Real]) -> Twin:
    layers = tuple(replace(x, weight=w) for x, w in zip(twin.layers, weights, strict=True))
    return replace(twin, layers=layers)


def equilibrium_gradient(network: Coupled, given: Batch) -> list[Real]:
    """Return -dF/dW of every way up by finite differences, the equilibrium found anew each time."""
    start = [layer.weight for layer in network.twin.layers]
    found = []
    for index, weight in enumerate(start):
        slope = np.zeros_like(weight)
        for place in np.ndindex(*weight.shape):
            ends = []
            for sign in (1.0, -1.0):
                changed = weight.copy()
                changed[place] += sign * 1e-3
                ends.append(
                    loss_at_equilibrium(
                        network, given, [*start[:index], changed, *start[index + 1 :]]
                    )
                )
            slope[place] = (ends[1] - ends[0]) / 2e-3
        found.append(slope)
    return found


def test_equilibrium_propagation_approaches_the_gradient_at_its_own_free_equilibrium() -> None:
    given, gamma = batch(calm((3, 4, 3, 2))), 0.25
    exact = equilibrium_gradient(Coupled(given.twin, gamma), given)
    size = np.sqrt(inner(exact, exact))
    biases = []
    for beta in (0.2, 0.1, 0.05, 0.025):
        found = means(contrasted(given, beta=beta, gamma=gamma))
        off = [one - other for one, other in zip(found, exact, strict=True)]
        biases.append(float(np.sqrt(inner(off, off)) / size))
    assert 0.001 < biases[0] < 0.2
    for wide, narrow in pairwise(biases):
        assert wide / narrow == pytest.approx(2.0, rel=0.1)


def test_that_is_not_the_gradient_of_the_feed_forward_twin_unless_the_way_down_is_weak() -> None:
    given = batch(calm((6, 9, 4)))
    exact = given.twin.gradient(given.activity, given.target)
    angles = []
    for gamma in (2.0**-5, 2.0**-6, 2.0**-7, 2.0**-8):
        found = means(contrasted(given, beta=1e-3, gamma=gamma))
        angles.append(angle_between(found, exact) or 0.0)
    assert angles[0] > 2
    for wide, narrow in pairwise(angles):
        assert wide / narrow == pytest.approx(2.0, rel=0.2)


def test_what_never_settles_is_said_with_a_mend() -> None:
    made = calm((6, 9, 4))
    wild = moved_up(made, [made.layers[0].weight, -400.0 * made.layers[1].weight])
    given = batch(made)
    with pytest.raises(UnsupportedError, match="HB0473"):
        Coupled(wild, 4.0).settle(given.x, damping=1.0)
    hidden = replace(made.layers[0], activation=Clipped(0.05, 0.0, 254.0))
    kinked = replace(made, layers=(hidden, made.layers[1]))
    with pytest.raises(UnsupportedError, match="HB0474"):
        settled(Batch(kinked, given.x, given.target, kinked.forward(given.x)), beta=1.0)
