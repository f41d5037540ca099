"""The verdict: on evidence whose answer is known, it is found, shared or refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.runtime.infer.candidates import Candidate, candidates_of
from hebbite.runtime.infer.evidence import Evidence, Products
from hebbite.runtime.infer.score import Scored, fit_of
from hebbite.runtime.infer.verdict import NOTHING, Verdict, classes, verdict_of

Real = NDArray[np.float64]
PAIRS = candidates_of(["classification", "regression"], ["backprop", "frozen"])
"""classification + backprop, classification + frozen, regression + backprop, regression + frozen"""
STEPS, SIZES = 40, (40, 20)


def predictions(seed: int) -> list[Real]:
    """Return u of four candidates in two layers, (candidates, steps, size) each."""
    rng = np.random.default_rng(seed)
    found = [rng.normal(size=(4, STEPS, size)) for size in SIZES]
    found[0][[1, 3]] = 0.0  # frozen: the hidden layer stands still
    found[1][1], found[1][3] = found[1][0], found[1][2]  # one readout an objective
    return found


def judged(changes: list[Real], us: list[Real]) -> Verdict:
    """Return the verdict over changes (steps, size) and predictions, layer by layer."""

    def products(given: list[Real]) -> Products:
        along = [np.einsum("ts,cts->ct", d, u) for d, u in zip(changes, given, strict=True)]
        size = [np.einsum("cts,cts->ct", u, u) for u in given]
        return Products(np.stack(along, axis=2), np.stack(size, axis=2))

    learns = np.array([pair.learns(2) for pair in PAIRS])
    change = np.stack([np.einsum("ts,ts->t", d, d) for d in changes], axis=1)
    own, control = products(us), products([np.roll(u, STEPS // 2, axis=1) for u in us])
    names, sizes = ("hidden", "readout"), np.array(SIZES)
    whole = Evidence(names, sizes, learns, change, own, control)
    gram = np.stack([np.einsum("ats,bts->ab", u, u) for u in us])
    fit = fit_of(whole.part(slice(0, STEPS // 2)))
    scored = Scored(fit, whole.part(slice(STEPS // 2, None)))
    return verdict_of(scored, PAIRS, classes(gram, learns))


def following(us: list[Real], pair: int, *, noise: float, seed: int) -> list[Real]:
    """Return changes that follow a candidate, with noise where it learns."""
    rng = np.random.default_rng(seed)
    return [u[pair] + noise * rng.normal(size=u[pair].shape) * u[pair].any() for u in us]


@pytest.mark.parametrize("pair", range(4))
def test_the_pair_that_changed_the_weights_is_found(pair: int) -> None:
    us = predictions(pair)
    found = judged(following(us, pair, noise=2.0, seed=9), us)
    assert found.separable
    assert (found.objective, found.rule) == (PAIRS[pair].goal, PAIRS[pair].name)
    assert found.left == (pair,)


def test_a_rule_is_refuted_by_a_layer_that_stands_still() -> None:
    us = predictions(1)
    found = judged(following(us, 1, noise=1.0, seed=1), us)
    assert (found.separable, found.rule) == (True, "frozen")


def test_changes_that_nothing_explains_are_told_as_such() -> None:
    wrong = 0
    for seed in range(60):
        us, rng = predictions(seed), np.random.default_rng(1000 + seed)
        found = judged([rng.normal(size=(STEPS, size)) for size in SIZES], us)
        wrong += found.reason != NOTHING
        assert not (found.reason == NOTHING and (found.separable or found.left))
    assert wrong <= 5


def test_what_another_step_explains_as_well_is_not_explained() -> None:
    us = predictions(3)
    for layer in us:
        layer[:] = layer[:, :1]  # the same in every step, whatever the samples
    found = judged(following(us, 0, noise=0.5, seed=3), us)
    assert found.reason == NOTHING


def test_pairs_that_predict_the_same_are_one_class() -> None:
    us = predictions(4)
    for layer in us:
        layer[2] = 3.0 * layer[0]  # but for the rate
    found = judged(following(us, 0, noise=1.0, seed=4), us)
    assert found.separable
    assert found.left == (0, 2)
    assert "the same predictions: regression + backprop" in found.reason


def nearly_alike(seed: int) -> Verdict:
    """Return the verdict over two pairs whose predictions differ by 2 %, under noise twice as large
    as what is predicted."""
    us, rng = predictions(seed), np.random.default_rng(7000 + seed)
    for layer in us:
        layer[2] = layer[0] + 0.02 * rng.normal(size=layer[0].shape)
    return judged(following(us, 0, noise=2.0, seed=5000 + seed), us)


def test_pairs_that_cannot_be_told_apart_are_named_with_what_they_share() -> None:
    found = nearly_alike(0)
    assert not found.separable
    assert sorted(found.left) == [0, 2]
    assert (found.objective, found.rule) == (None, "backprop")
    for name in ("classification + backprop", "regression + backprop"):
        assert name in found.reason


def test_pairs_are_told_apart_by_chance_no_more_often_than_the_level_allows() -> None:
    assert sum(nearly_alike(seed).separable for seed in range(60)) <= 5


def test_the_same_up_to_a_negative_factor_is_not_the_same() -> None:
    u = np.random.default_rng(6).normal(size=(1, 50))
    stack = np.concatenate([u, -u, 2 * u, 0 * u])
    gram = (stack @ stack.T)[None]
    learns = np.ones((4, 1), np.bool_)
    assert classes(gram, learns) == ((2,), (), (0,), ())


def test_a_candidate_that_learns_elsewhere_is_not_the_same() -> None:
    gram = np.zeros((1, 2, 2))
    assert classes(gram, np.array([[True], [False]])) == ((), ())
    assert classes(gram, np.array([[True], [True]])) == ((1,), (0,))


def test_a_verdict_as_json_has_four_keys() -> None:
    found = judged(following(predictions(0), 0, noise=1.0, seed=0), predictions(0))
    assert set(found.to_json()) == {"separable", "objective", "rule", "reason"}


def test_the_names_are_those_of_the_candidates() -> None:
    assert all(isinstance(pair, Candidate) for pair in PAIRS)
    assert str(PAIRS[3]) == "regression + frozen"
