"""Scores: fitted on what is handed over alone, equal to the likelihood that they say they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hebbite.runtime.infer.evidence import Evidence, Products
from hebbite.runtime.infer.score import DRAWS, Scored, fit_of, gains, resamples

Real = np.typing.NDArray[np.float64]


def evidence(changes: list[list[Real]], predictions: list[list[list[Real]]]) -> Evidence:
    """Return the evidence of changes [step][layer] and predictions [candidate][step][layer]."""

    def products(given: list[list[list[Real]]]) -> Products:
        along = [
            [
                [float(d @ u) for d, u in zip(*both, strict=True)]
                for both in zip(changes, c, strict=True)
            ]
            for c in given
        ]
        size = [[[float(u @ u) for u in step] for step in c] for c in given]
        return Products(np.array(along), np.array(size))

    control = [[*c[1:], c[0]] for c in predictions]
    layers = len(changes[0])
    return Evidence(
        layers=tuple(f"layer{index}" for index in range(layers)),
        synapses=np.array([part.size for part in changes[0]]),
        learns=np.array(
            [[bool(any(s[i].any() for s in c)) for i in range(layers)] for c in predictions]
        ),
        change=np.array([[float(d @ d) for d in step] for step in changes]),
        own=products(predictions),
        control=products(control),
    )


def planted(
    *, steps: int = 40, rates: tuple[float, ...] = (0.5, 2.0), noise: float = 1.0, seed: int = 0
) -> tuple[list[list[Real]], list[list[list[Real]]]]:
    """Return changes that follow the first of two candidates, at known rates."""
    rng = np.random.default_rng(seed)
    sizes = (30, 50)
    us = [[[rng.normal(size=n) for n in sizes] for _ in range(steps)] for _ in range(2)]
    changes = [
        [rate * u + noise * rng.normal(size=u.size) for rate, u in zip(rates, step, strict=True)]
        for step in us[0]
    ]
    return changes, us


def test_planted_rates_are_found() -> None:
    fit = fit_of(evidence(*planted()))
    assert np.allclose(fit.rate[0], (0.5, 2.0), atol=0.06)
    assert (fit.rate[1] < 0.1).all()
    assert np.allclose(fit.noise, (1.25, 5.0), rtol=0.1)


def test_a_rate_is_never_below_0() -> None:
    changes, us = planted(rates=(-0.5, 2.0))
    fit = fit_of(evidence(changes, us))
    assert fit.rate[0, 0] == 0.0
    assert fit.rate[0, 1] > 1.9


def test_the_gain_is_the_difference_of_two_log_likelihoods() -> None:
    changes, us = planted(steps=6)
    whole = evidence(changes, us)
    fit = fit_of(whole)
    for candidate in range(2):
        for step in range(6):
            expected = 0.0
            for layer in range(2):
                d, u = changes[step][layer], us[candidate][step][layer]
                variance = float(fit.noise[layer])
                for rate, sign in ((fit.rate[candidate, layer], 1.0), (0.0, -1.0)):
                    density = -((d - rate * u) ** 2) / (2 * variance)
                    density -= 0.5 * math.log(2 * math.pi * variance)
                    expected += sign * float(density.sum())
            assert math.isclose(gains(whole.own, fit)[candidate, step], expected, rel_tol=1e-9)


def test_explained_variance_is_that_of_the_residuals() -> None:
    changes, us = planted()
    whole = evidence(changes, us)
    scored = Scored(fit_of(whole.part(slice(0, 20))), whole.part(slice(20, None)))
    r2, layers = scored.explained(0)
    left = whole_left = changed = 0.0
    for layer in range(2):
        rate = scored.fit.rate[0, layer]
        residual = sum(
            float(((changes[t][layer] - rate * us[0][t][layer]) ** 2).sum()) for t in range(20, 40)
        )
        moved = sum(float((changes[t][layer] ** 2).sum()) for t in range(20, 40))
        assert layers[layer] == pytest.approx(1 - residual / moved)
        whole_left, changed = whole_left + residual, changed + moved
    left = whole_left / changed
    assert r2 == pytest.approx(1 - left)


def test_held_out_steps_never_enter_the_fit() -> None:
    changes, us = planted()
    honest = evidence(changes, us)
    poisoned = [*changes[:20], *([1e6 * d for d in step] for step in changes[20:])]
    other = evidence(poisoned, [[*c[:20], *c[:20]] for c in us])
    one, two = (fit_of(found.part(slice(0, 20))) for found in (honest, other))
    assert np.array_equal(one.rate, two.rate)
    assert np.array_equal(one.noise, two.noise)
    assert not np.array_equal(fit_of(honest).rate, fit_of(other).rate)


def test_a_layer_that_stands_still_counts_nothing_and_refutes() -> None:
    changes, us = planted()
    still = [[0 * step[0], step[1]] for step in changes]
    silent = [[[0 * step[0], step[1]] for step in c] for c in us[:1]]
    whole = evidence(still, [us[0], silent[0]])
    fit = fit_of(whole)
    assert fit.still.tolist() == [True, False]
    assert fit.refuted(whole).tolist() == [[True, False], [False, False]]
    scored = Scored(fit, whole)
    assert scored.scores[0] == scored.scores[1] > 0
    assert scored.explained(0)[1][0] is None


def test_resamples_are_shares_of_whole_steps_and_fixed_by_the_seed() -> None:
    found = resamples(7, seed=3)
    assert found.shape == (DRAWS, 7)
    assert np.allclose(found.sum(axis=1), 1.0)
    assert np.allclose(found * 7, np.rint(found * 7))
    assert np.array_equal(found, resamples(7, seed=3))
    assert not np.array_equal(found, resamples(7, seed=4))
    # the count of one step in a resample is binomial: mean 1, variance 1 - 1/7
    counts = found[:, 0] * 7
    assert abs(float(counts.mean()) - 1.0) < 4 * math.sqrt(6 / 7 / DRAWS)
    assert abs(float(counts.var()) - 6 / 7) < 0.1


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    changes, us = planted(steps=60)
    scored = Scored(fit_of(evidence(changes, us)), evidence(changes[:30], [c[:30] for c in us]))
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        low, high = scored.interval(rng.normal(5.0, 2.0, 30))
        inside += low <= 5.0 <= high
    assert 0.95 < inside / 400 < 0.995  # two candidates: 97.5 % each


def test_more_candidates_make_wider_intervals() -> None:
    changes, us = planted()
    few = Scored(fit_of(evidence(changes, us)), evidence(changes, us))
    more = evidence(changes, us * 5)
    many = Scored(fit_of(more), more)
    gain = few.gains[0]
    assert many.interval(gain)[0] < few.interval(gain)[0]
    assert many.interval(gain)[1] > few.interval(gain)[1]


def test_the_seed_moves_the_interval_alone() -> None:
    whole = evidence(*planted())
    one = Scored(fit_of(whole), whole)
    two = replace(one, seed=1)
    assert np.array_equal(one.scores, two.scores)
    assert one.interval(one.gains[0]) != two.interval(two.gains[0])
