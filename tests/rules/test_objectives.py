"""The error that a chip delivers is the gradient of the objective, dead zone and top included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.rules.objectives import OBJECTIVES, Objective, classification, parse_objective
from hebbite.rules.objectives.contrastive import pair_error, pair_value
from hebbite.rules.objectives.hidden import HiddenTerm
from hebbite.rules.objectives.objective import TOP

STEP = 1e-3
VALUES = st.floats(min_value=-300, max_value=300)
MARGINS = st.integers(min_value=0, max_value=127)


@given(output=VALUES, target=VALUES, margin=MARGINS)
def test_the_error_is_minus_the_derivative_away_from_the_margin(
    output: float, target: float, margin: int
) -> None:
    assume(abs(abs(target - output) - margin) > 2 * STEP)
    objective = classification(margin=margin)
    o, t = np.array([output]), np.array([target])
    slope = (objective.value(o + STEP, t) - objective.value(o - STEP, t)) / (2 * STEP)
    assert objective.error(o, t)[0] == pytest.approx(-slope, abs=1e-3)


@given(distance=st.floats(min_value=0, max_value=400), margin=MARGINS)
def test_the_objective_grows_with_the_distance_and_is_continuous(
    distance: float, margin: int
) -> None:
    objective = classification(margin=margin)
    zero = np.zeros(1)
    here = objective.value(zero, np.array([distance]))
    beyond = objective.value(zero, np.array([distance + STEP]))
    assert 0 <= here <= beyond <= here + 2 * TOP * STEP
    assert here == objective.value(np.array([distance]), zero)


def test_inside_the_dead_zone_there_is_neither_error_nor_loss() -> None:
    objective = classification(margin=12)
    target, output = np.array([100.0, 100.0, 0.0]), np.array([88.5, 88.0, 11.0])
    assert objective.error(output, target).tolist() == [0.0, 12.0, 0.0]
    assert objective.value(output[[0, 2]], target[[0, 2]]) == 0.0


def test_the_error_saturates_at_the_width_of_a_trace() -> None:
    errors = classification().error(np.array([-200.0, 200.0]), np.zeros(2))
    assert errors.tolist() == [127.0, -127.0]


TEXTS = (
    "classification(target_rate=90, margin=7)",
    "classification(target_rate=90, margin=7, loss=hinge)",
    "classification(target_rate=90, loss=cross-entropy, temperature=8)",
    "regression(target_rate=90, margin=7)",
    "reward(kind=bandit, target_rate=90, margin=0, epsilon=5)",
    "reward(kind=episodic, target_rate=90, margin=0, epsilon=5, discount=80)",
    "reconstruction(target_rate=90, margin=7)",
    "prediction(target_rate=90, margin=7, horizon=3)",
    "contrastive(distance=80)",
    "regression(target_rate=90, margin=7) + 2^-3*homeostasis(rate=30) + 2^1*sparsity",
)


@pytest.mark.parametrize("text", TEXTS)
def test_an_objective_prints_the_text_that_gives_it_back(text: str) -> None:
    objective = parse_objective(text)
    assert str(objective) == text
    assert parse_objective(str(objective)) == objective


def test_every_objective_is_printed_somewhere_above() -> None:
    assert {name for name in OBJECTIVES if any(name in text for text in TEXTS)} == set(OBJECTIVES)


def test_a_weight_may_be_a_decimal_that_is_a_power_of_two() -> None:
    quarter = parse_objective("classification + 0.25*sparsity")
    assert quarter == parse_objective("classification + 2^-2 * sparsity")
    assert quarter.hidden == (HiddenTerm("sparsity", exponent=-2),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("sparsity", "one objective of the outputs, and this has 0"),
        ("classification + regression", "one objective of the outputs, and this has 2"),
        ("2*classification + sparsity", "the weight 1, not 2"),
        ("classification + 0.3*sparsity", "0.3 is no power of 2"),
        ("classification + 0*sparsity", "0 is no power of 2"),
    ],
)
def test_a_sum_that_no_program_has_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match="HB0412") as caught:
        parse_objective(text)
    assert what in caught.value.problems[0].what
    assert caught.value.problems[0].hint


@given(output=VALUES, target=st.sampled_from([0.0, 90.0]))
def test_a_hinge_costs_on_the_wrong_side_alone_and_its_error_is_its_slope(
    output: float, target: float
) -> None:
    objective = parse_objective("classification(target_rate=90, margin=10, loss=hinge)")
    beyond = output > target if target > 0 else output < target
    assume(abs(abs(target - output) - 10) > 2 * STEP and abs(output - target) > 2 * STEP)
    o, t = np.array([output]), np.array([target])
    slope = (objective.value(o + STEP, t) - objective.value(o - STEP, t)) / (2 * STEP)
    assert objective.error(o, t)[0] == pytest.approx(-slope, abs=1e-3)
    if beyond:
        assert objective.value(o, t) == 0.0


@given(
    outputs=st.lists(st.floats(min_value=-127, max_value=127), min_size=4, max_size=4),
    right=st.integers(min_value=0, max_value=3),
)
def test_the_error_of_a_cross_entropy_is_minus_its_gradient(
    outputs: list[float], right: int
) -> None:
    objective = parse_objective("classification(loss=cross-entropy, temperature=20)")
    o, t = np.array([outputs]), np.zeros((1, 4))
    t[0, right] = objective.target_rate
    for j in range(4):
        step = np.zeros((1, 4))
        step[0, j] = STEP
        slope = (objective.value(o + step, t) - objective.value(o - step, t)) / (2 * STEP)
        assert objective.error(o, t)[0, j] == pytest.approx(-slope, abs=1e-3)
    assert abs(objective.error(o, t).sum()) < 1e-9


@pytest.mark.parametrize("same", [True, False])
def test_the_error_of_a_pair_is_minus_the_gradient_of_its_loss(same: bool) -> None:
    one, other = np.array([10.0, -20.0, 5.0]), np.array([-3.0, 4.0, 30.0])
    error = pair_error(one, other, same=same, distance=100.0)
    for j in range(3):
        step = np.zeros(3)
        step[j] = STEP
        up, down = (
            pair_value(one + sign * step, other, same=same, distance=100.0) for sign in (1, -1)
        )
        assert error[j] == pytest.approx(-(up - down) / (2 * STEP), abs=1e-4)
    far = np.array([500.0, 0.0, 0.0])
    assert not pair_error(far, other, same=False, distance=100.0).any()
    assert pair_value(far, other, same=False, distance=100.0) == 0.0


@pytest.mark.parametrize("kind", ["homeostasis", "sparsity"])
def test_the_pull_of_a_hidden_term_is_minus_the_gradient_of_its_part_of_the_mean(kind: str) -> None:
    term = HiddenTerm("homeostasis", 30, -2) if kind == "homeostasis" else HiddenTerm("sparsity")
    payload = np.abs(np.random.default_rng(0).normal(40, 20, (6, 5)))
    step = np.zeros_like(payload)
    step[2, 3] = STEP
    slope = (term.value(payload + step) - term.value(payload - step)) / (2 * STEP)
    assert term.pull(payload)[2, 3] == pytest.approx(-slope * len(payload), abs=1e-6)


@pytest.mark.parametrize("term", ["homeostasis(rate=255)", "2^9*sparsity"])
def test_a_hidden_term_out_of_range_is_refused(term: str) -> None:
    with pytest.raises(UsageError, match="HB0411"):
        parse_objective(f"classification + {term}")


@pytest.mark.parametrize(
    "text",
    [
        "classification(loss=log)",
        "reward(kind=now)",
        "classification(loss=cross-entropy, temperature=0)",
        "reward(epsilon=101)",
        "prediction(horizon=0)",
    ],
)
def test_a_word_or_number_that_an_objective_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HB0411"):
        parse_objective(text)


@pytest.mark.parametrize("option", ["target_rate=0", "target_rate=128", "margin=-1", "margin=128"])
def test_a_number_that_no_payload_holds_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="HB0411"):
        parse_objective(f"classification({option})")


def test_an_unknown_objective_offers_the_near_name() -> None:
    with pytest.raises(UsageError, match="HB0410: unknown objective 'regresion'") as caught:
        parse_objective("regresion")
    assert caught.value.problems[0].hint == "did you mean 'regression'?"


def test_a_hand_made_objective_is_checked_too() -> None:
    with pytest.raises(UsageError, match="HB0411"):
        Objective("mine", "mine", "squared error", target_rate=0)
