"""What trainings bought, from curves drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.counters import COUNTERS, INDEX, PHASES, Counters, components_of
from hebbite.runtime.curve import Curve
from hebbite.runtime.demo import MODEL
from hebbite.runtime.gains import Bought


@pytest.fixture(scope="module")
def model() -> Compiled:
    return compile(MODEL, rule="dfa")


def epoch(model: Compiled, steps: int) -> Counters:
    names = components_of(model.program)
    values = np.zeros((len(names), len(PHASES), len(COUNTERS)), np.int64)
    values[0, 0, INDEX["steps"]] = steps
    return Counters(names, values)


def bought(model: Compiled, *curves: tuple[tuple[float, ...], tuple[float, ...]]) -> Bought:
    """Two epochs of 1 and 10 steps; every further seed has ten times the steps."""
    made = tuple(
        Curve(objective, validation, tuple(epoch(model, n * 100**seed) for n in (1, 10)))
        for seed, (objective, validation) in enumerate(curves)
    )
    return Bought(model, tuple(range(len(made))), made, 0.9)


def test_decreases_of_all_seeds_are_added_and_averaged(model: Compiled) -> None:
    found = bought(model, ((10.0, 12.0, 4.0), (0.1, 0.2, 0.3)), ((8.0, 6.0, 7.0), (0.1, 0.2, 0.3)))
    assert found.decreases == (6.0, 1.0)
    assert found.decrease == 3.5
    assert found.objective == (9.0, 9.0, 5.5)
    assert found.gains().decrease == 7.0
    assert found.gains().no_decrease == ""


def test_every_seed_pays_until_it_first_reached_the_accuracy(model: Compiled) -> None:
    one, two = ((9.0, 9.0, 1.0), (0.1, 0.9, 0.8)), ((9.0, 9.0, 1.0), (0.1, 0.2, 0.95))
    found = bought(model, one, two)
    assert found.epochs == (1, 2)
    until = found.gains().until
    assert until is not None
    assert until.total("steps") == 1 + (100 + 1000)
    assert found.gains().to_accuracy == (0.5, "")
    assert found.accuracy_json()["reached"] == 2


def test_an_accuracy_that_was_there_before_took_no_epoch(model: Compiled) -> None:
    found = bought(model, ((9.0, 9.0, 1.0), (0.95, 0.2, 0.3)))
    assert found.epochs == (0,)
    until = found.gains().until
    assert until is not None
    assert until.total("steps") == 0


def test_one_seed_that_did_not_reach_it_leaves_no_number(model: Compiled) -> None:
    one, two = ((9.0, 9.0, 1.0), (0.1, 0.9, 0.8)), ((9.0, 9.0, 1.0), (0.1, 0.2, 0.89))
    found = bought(model, one, two)
    assert found.epochs == (1, None)
    assert found.gains().until is None
    assert found.gains().to_accuracy[1].startswith("1 of 2 seeds reached a validation accuracy")
    assert found.accuracy_json()["epochs"] == [1, None]


def test_an_objective_that_rose_leaves_no_number(model: Compiled) -> None:
    found = bought(model, ((5.0, 1.0, 6.0), (0.1, 0.2, 0.3)))
    assert found.gains().decrease is None
    assert "F did not decrease: 5 before, 6 after" in found.gains().no_decrease
    document = found.objective_json()
    assert (document["before"], document["per_epoch"]) == (5.0, [1.0, 6.0])
    assert document["decrease"] == -1.0
    assert document["reason"] == found.gains().no_decrease
    assert document["unit"] == "squared payload units a sample"


def test_an_objective_that_stood_still_leaves_no_number(model: Compiled) -> None:
    assert bought(model, ((5.0, 1.0, 5.0), (0.1, 0.2, 0.3))).gains().decrease is None
