"""The error that a chip delivers is the gradient of the objective, dead zone and top included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.rules.objectives import OBJECTIVES, Objective, classification, parse_objective
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


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_prints_the_text_that_gives_it_back(name: str) -> None:
    objective = parse_objective(f"{name}(target_rate=90, margin=7)")
    assert str(objective) == f"{name}(target_rate=90, margin=7)"
    assert parse_objective(str(objective)) == objective
    assert parse_objective(name) == OBJECTIVES[name]()


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
