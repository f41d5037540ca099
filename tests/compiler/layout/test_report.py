from collections.abc import Callable

import numpy as np

from hebbite.compiler.layout import Cost, placement_report
from hebbite.compiler.layout.scattered import scattered
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.program.types import Program

Make = Callable[..., Program]
TEN = [(number,) for number in range(10)]
PAIRS = [(number, number + 5) for number in range(5)]


def test_the_report_sets_the_cores_beside_linear_and_random_ones(make: Make) -> None:
    found = placement_report(Arrange().apply(make(TEN, PAIRS, each=3)))
    assert (found.parts, found.messages, found.draws, found.measured) == (10, 15, 20, False)
    assert found.linear == Cost(0, 3 * (1 + 1 + 1 + 2 + 1), 0)
    assert found.chosen.hops == 0 < found.random.hops
    assert found.saved("linear") == found.saved("random") == 1.0


def test_linear_cores_save_nothing_of_the_linear_order(make: Make) -> None:
    found = placement_report(make(TEN, PAIRS))
    assert found.chosen == found.linear
    assert found.saved("linear") == 0.0


def test_the_linear_order_is_that_of_the_network_whatever_the_cores(make: Make) -> None:
    far = placement_report(make([(90,), (260,), (3,)], [(0, 1), (1, 2)]))
    assert far.linear == Cost(0, 0, 0)
    assert far.saved("linear") is None
    assert far.chosen.interchip == 2


def test_the_mean_of_random_placements_is_that_of_the_twenty_draws(make: Make) -> None:
    made = make(TEN, PAIRS)
    found = placement_report(made, seed=4)
    tiles = np.asarray([scattered(10, seed=4, draw=draw) // 4 for draw in range(20)])
    pairs = [abs(tile[pre] - tile[post]) for tile in tiles for pre, post in PAIRS]
    assert found.random == Cost(0, int(sum(pairs)) / 20, 0)
    assert found != placement_report(made, seed=5)


def test_a_placement_saves_on_another_if_it_has_less_of_one_and_no_more_of_the_other() -> None:
    cost = Cost(2, 3, 4)
    assert Cost(2, 3, 3).saves_on(cost)
    assert Cost(1, 3, 4).saves_on(cost)
    assert not Cost(3, 2, 4).saves_on(cost)
    assert not Cost(0, 0, 5).saves_on(cost)
    assert not Cost(9, 0, 0).saves_on(cost)
    assert Cost(3, 2, 4).at_most(cost)


def test_measured_messages_are_what_is_weighed(make: Make) -> None:
    found = placement_report(make([(0,), (4,)], [(0, 1)], each=2), messages={"g0.1": [30, 12]})
    assert (found.measured, found.messages, found.chosen.hops) == (True, 42, 42)


def test_the_report_is_written_as_json(make: Make) -> None:
    found = placement_report(make([(0,), (4,)], [(0, 1)])).to_json()
    assert found["chosen"] == {"hops": 1, "hops_ew": 0, "hops_ns": 1, "interchip": 0}
    assert found["saved"] == {"linear": None, "random": None}
    assert found.keys() == {
        *("parts", "messages", "measured", "draws", "linear", "random", "chosen", "saved")
    }


def test_a_draw_takes_every_core_once_and_is_the_same_everywhere() -> None:
    assert sorted(scattered(50, seed=1, draw=2).tolist()) == list(range(50))
    assert scattered(8, seed=0, draw=0).tolist() == [1, 0, 3, 2, 5, 4, 7, 6]


def test_a_program_before_placement_stands_on_one_core(make: Make) -> None:
    found = placement_report(make([(), ()], [(0, 1)]))
    assert (found.parts, found.chosen) == (1, Cost(0, 0, 0))
