from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from hebbite.compiler.layout.linear import moved, parts_of
from hebbite.compiler.layout.traffic import traffic_of
from hebbite.compiler.placement import hops
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.types import Program
from hebbite.rules.errors import UsageError

Make = Callable[..., Program]


def test_every_line_of_a_part_sends_one_message_to_each_part_it_reaches(make: Make) -> None:
    found = traffic_of(make([(7, 2), (5,)], [(0, 1), (1, 0)], each=3))
    assert found.cores == (7, 2, 5)
    assert found.messages.tolist() == [[0, 0, 3], [0, 0, 3], [3, 3, 0]]


def test_the_bias_line_stands_with_the_last_neuron_and_the_host_sends_nothing(make: Make) -> None:
    made = make([(0, 1), (2,)], [(0, 1)], each=2)
    first = replace(made.populations[0], bias=((1, 1),))
    tensors = {**made.tensors, "g0.1": np.ones((2, 5), np.int8)}
    found = traffic_of(replace(made, populations=(first, made.populations[1]), tensors=tensors))
    assert found.messages.tolist() == [[0, 0, 2], [0, 0, 3], [0, 0, 0]]


def test_a_line_of_a_list_sends_only_to_parts_where_it_has_synapses(make: Make) -> None:
    made = make([(0,), (1, 2)], [(0, 1)], each=2)
    listed = replace(made.group("g0.1"), connect=Sparse("starts", "targets"))
    tensors = {
        **made.tensors,
        "g0.1": np.ones(3, np.int8),
        "starts": np.array([0, 1, 3], np.int64),
        "targets": np.array([0, 1, 3], np.int32),
    }
    found = traffic_of(replace(made, synapses=(made.synapses[0], listed), tensors=tensors))
    assert found.messages.tolist() == [[0, 2, 1], [0, 0, 0], [0, 0, 0]]


def test_measured_messages_weigh_every_line_and_a_group_that_is_not_named_sends_none(
    make: Make,
) -> None:
    made = make([(0, 1), (2,)], [(0, 1), (1, 0)], each=2)
    found = traffic_of(made, {"g0.1": [5, 0, 1, 2], "in": [9, 9]})
    assert found.messages.tolist() == [[0, 0, 5], [0, 0, 3], [0, 0, 0]]


def test_messages_x_hops_are_those_that_a_run_counts(make: Make) -> None:
    made = make([(3, 40, 127), (9, 260)], [(0, 1), (1, 0), (1, 1)], each=2)
    from hebbite.compiler.layout.cost import cost_of
    from hebbite.compiler.targets import load_target

    found = traffic_of(made)
    cost = cost_of(load_target("loihi2"), found.messages, np.asarray(found.cores, np.int64))
    counted = [hops(made, group) for group in made.synapses if group.name != "in"]
    for name in ("hops_ew", "hops_ns", "interchip"):
        assert getattr(cost, name) == sum(int(count[name].sum()) for count in counted) > 0


@pytest.mark.parametrize(
    ("messages", "what"),
    [
        ({"g0.2": [1, 1]}, "no group 'g0.2' sends messages"),
        ({"g0.1": [1, 1, 1]}, r"messages of 'g0.1' are 2 integers of 0 or more, not int64 \(3,\)"),
        ({"g0.1": [1, -1]}, "2 integers of 0 or more"),
        ({"g0.1": [0.5, 1.0]}, "2 integers of 0 or more, not float64"),
        ({"g0.1": [2**51, 2**52]}, r"more than 2\^52 messages"),
    ],
)
def test_messages_that_do_not_fit_are_refused(
    make: Make, messages: dict[str, ArrayLike], what: str
) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        traffic_of(make([(0,), (1,)], [(0, 1)], each=2), messages)
    assert caught.value.code == "HB0505"


def test_an_unknown_group_is_met_with_the_nearest_name(make: Make) -> None:
    with pytest.raises(UsageError, match=r"g0\.1"):
        traffic_of(make([(0,), (1,)], [(0, 1)]), {"g0.2": [1]})


def test_moved_parts_keep_their_neurons_and_their_order(make: Make) -> None:
    made = make([(0, 1), (2,)], [(1, 0)])
    assert parts_of(made) == (2, 0, 1)
    assert [p.cores for p in moved(made, {0: 9, 1: 4, 2: 0}).populations] == [(9, 4), (0,)]
