"""The time table of a sample follows from the longest path."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hebbite.compiler.lowering.schedule import Edge, time_table


def chain(hidden: int) -> tuple[list[str], list[Edge]]:
    names = ["in", *(f"h{i}" for i in range(hidden)), "out"]
    return names, [(a, b, 1) for a, b in pairwise(names)]


@pytest.mark.parametrize("hidden", [0, 1, 2, 3])
def test_readout_learning_takes_one_step_a_layer_and_one_for_the_input(hidden: int) -> None:
    names, forward = chain(hidden)
    table = time_table(source="in", forward=forward, output="out", feedback=[])
    assert [table.fire[name] for name in names] == list(range(1, hidden + 3))
    assert table.period == hidden + 2


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_direct_feedback_reaches_every_layer_in_one_step(hidden: int) -> None:
    names, forward = chain(hidden)
    back = [("out", name, 1) for name in names[1:-1]]
    table = time_table(source="in", forward=forward, output="out", feedback=back)
    assert set(table.feedback.values()) == {hidden + 3}
    assert table.period == hidden + 3


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_layered_feedback_takes_a_step_a_layer(hidden: int) -> None:
    names, forward = chain(hidden)
    back = [(above, name, 1) for name, above in pairwise(names[1:])]
    table = time_table(source="in", forward=forward, output="out", feedback=back)
    assert [table.feedback[name] for name in names[1:-1]] == list(
        range(2 * hidden + 2, hidden + 2, -1)
    )
    assert table.period == 2 * (hidden + 1)


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_a_second_pass_begins_when_the_first_has_reached_the_output(hidden: int) -> None:
    names, forward = chain(hidden)
    back = [("out", name, 1) for name in names[1:-1]]
    table = time_table(source="in", forward=forward, output="out", feedback=back, passes=2)
    length = hidden + 2
    (early,) = table.earlier
    assert [early.fire[name] for name in names] == list(range(1, length + 1))
    assert [table.fire[name] for name in names] == list(range(length + 1, 2 * length + 1))
    assert set(early.feedback.values()) == {length + 1}
    assert set(table.feedback.values()) == {2 * length + 1}
    assert table.period == 2 * length + 1


def test_paths_of_unequal_length_wait_for_the_longest() -> None:
    forward = [("in", "h", 1), ("h", "out", 1), ("in", "out", 1)]
    table = time_table(source="in", forward=forward, output="out", feedback=[])
    assert table.fire == {"in": 1, "h": 2, "out": 3}


def test_a_delay_moves_everything_behind_it() -> None:
    table = time_table(
        source="in", forward=[("in", "h", 4), ("h", "out", 1)], output="out", feedback=[]
    )
    assert table.fire == {"in": 1, "h": 5, "out": 6}
