from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.compiler.capacity import core_uses
from hebbite.compiler.compile import compile
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.layout import placement_report
from hebbite.compiler.neurons.relu import RELU
from hebbite.compiler.passes.place import Place
from hebbite.compiler.program.types import (
    IntArray,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.rules.errors import CapacityError, UsageError


def ones(rows: int, columns: int) -> IntArray:
    return np.broadcast_to(np.ones((), np.int8), (rows, columns))


def chain(*sizes: int, target: str = "loihi1", back: bool = False) -> Program:
    """Sizes of the input and of the populations p1, p2, ... in a row."""
    names = [f"p{n}" for n in range(len(sizes))]
    steps = list(enumerate(pairwise(sizes), start=1))
    groups = [Synapses(f"s{n}", names[n - 1], names[n], f"w{n}") for n, _ in steps]
    tensors = {f"w{n}": ones(post, pre) for n, (pre, post) in steps}
    if back:
        groups.append(Synapses("b", names[-1], "p1", "wb", port="third", role="feedback"))
        tensors["wb"] = ones(sizes[1], sizes[-1])
    return Program(
        "p",
        target,
        Schedule(4, 3),
        sources=(Source("p0", sizes[0], (1,)),),
        populations=tuple(
            Population(name, size, RELU) for name, size in zip(names[1:], sizes[1:], strict=True)
        ),
        synapses=tuple(groups),
        readout=Readout(names[-1], "v", 3),
        tensors=tensors,
    )


def cores(program: Program) -> dict[str, tuple[int, ...]]:
    return {population.name: population.cores for population in program.populations}


def test_small_populations_get_one_core_each_in_order() -> None:
    assert cores(Place().apply(chain(64, 32, 10))) == {"p1": (0,), "p2": (1,)}


def test_a_population_is_split_evenly_by_compartments() -> None:
    assert cores(Place().apply(chain(8, 1200, 10))) == {"p1": (0, 1), "p2": (2,)}


def test_a_population_is_split_by_synaptic_memory() -> None:
    # 1000 x 1000 x 9 bits = 1,125,000 bytes: more than 8 x 131,072, so 9 cores
    assert len(cores(Place().apply(chain(1000, 1000)))["p1"]) == 9


def test_a_receiver_on_many_cores_costs_its_sender_out_axons() -> None:
    # p2 takes 9 cores, so a core of p1 sends at most 455 of its 1000 lines
    found = cores(Place().apply(chain(1, 1000, 1000)))
    assert len(found["p2"]) == 9
    assert len(found["p1"]) == 3


def test_senders_stand_before_receivers_whatever_the_order_of_the_text() -> None:
    program = chain(4, 3, 2, 1)
    turned = replace(program, populations=program.populations[::-1])
    assert cores(Place().apply(turned)) == {"p3": (2,), "p2": (1,), "p1": (0,)}


def test_feedback_does_not_disturb_the_order() -> None:
    assert cores(Place().apply(chain(4, 3, 2, 1, back=True)))["p1"] == (0,)


def test_a_forward_cycle_is_cut_in_the_order_of_the_program() -> None:
    program = chain(4, 3, 3)
    loop = Synapses("loop", "p2", "p1", "w2")
    placed = Place().apply(replace(program, synapses=(*program.synapses, loop)))
    assert cores(placed) == {"p1": (0,), "p2": (1,)}


def test_the_ideal_chip_holds_anything_on_a_core() -> None:
    assert cores(Place().apply(chain(9000, 9000, target="ideal"))) == {"p1": (0,)}


def test_without_splitting_a_large_population_is_refused() -> None:
    with pytest.raises(CapacityError, match="remove --no-split") as caught:
        Place(split=False).apply(chain(8, 1200))
    assert caught.value.code == "HB0520"


def test_a_program_of_two_chips_needs_two_chips() -> None:
    program = chain(1, *[1024] * 3)  # two groups of 1024 x 1024 x 9 bits: 9 cores each, and p1
    many = chain(1, *[1024] * 14)
    assert len({core for held in cores(Place().apply(program)).values() for core in held}) < 128
    with pytest.raises(CapacityError, match=r"hint: add --chips 2"):
        Place().apply(many)
    assert max(cores(Place(chips=2).apply(many))["p14"]) >= 128


def test_no_chip_is_a_mistake_of_usage() -> None:
    with pytest.raises(UsageError, match="add --chips 1"):
        Place(chips=0).apply(chain(2, 2))


def test_an_unknown_order_is_met_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="unknown order of cores 'hop'") as caught:
        Place(order="hop").apply(chain(2, 2))
    assert caught.value.code == "HB0504"
    assert "hops" in caught.value.problems[0].hint


def test_order_hops_takes_fewer_hops_than_linear_on_as_many_cores_a_population() -> None:
    program = chain(1, 900, 900, 900, 10)
    linear, made = (Place(order=order).apply(program) for order in ("linear", "hops"))
    assert {n: len(held) for n, held in cores(made).items()} == {
        n: len(held) for n, held in cores(linear).items()
    }
    found = placement_report(made)
    assert placement_report(linear).chosen == found.linear
    assert found.chosen.hops < 0.9 * found.linear.hops


def test_order_hops_weighs_measured_messages() -> None:
    program = chain(1, 900, 900, 900, 10)
    seen = {"s3": np.full(900, 3)}  # only p2 was heard
    made, blind = Place().apply(program, messages=seen), Place().apply(program)
    found, other = (placement_report(some, messages=seen) for some in (made, blind))
    assert found.chosen.hops < other.chosen.hops


def test_a_model_is_compiled_in_order_hops_unless_it_is_told_otherwise() -> None:
    build, rng = GraphBuilder("deep"), np.random.default_rng(0)
    last = build.add("input", name="image", attributes={"shape": (4,)})
    for inputs, outputs in ((4, 8), (8, 8), (8, 8), (8, 8), (8, 3)):
        weight = rng.normal(size=(outputs, inputs))
        last = build.add("linear", (last,), attributes={"weight": weight})
        last = build.add("relu", (last,)) if outputs == 8 else last
    deep = build.graph(outputs=(last,))
    made, linear = compile(deep, rule="dfa"), compile(deep, rule="dfa", order="linear")
    held = [core for some in cores(linear.program).values() for core in some]
    assert sorted(held) == list(range(len(held)))
    assert cores(made.program) == cores(Place().apply(linear.program)) != cores(linear.program)
    found = placement_report(made.program)
    assert found.chosen.hops < found.linear.hops
    with pytest.raises(UsageError, match="unknown order of cores 'nearest'"):
        compile(deep, rule="dfa", order="nearest")


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 1500), min_size=2, max_size=4),
    order=st.sampled_from(["hops", "linear"]),
)
def test_every_placed_program_fits_and_placing_twice_is_placing_once(
    sizes: list[int], order: str
) -> None:
    place = Place(chips=8, order=order)
    placed = place.apply(chain(*sizes))
    held = [core for some in cores(placed).values() for core in some]
    if order == "linear":
        assert sorted(held) == list(range(len(held)))
    assert len(set(held)) == len(held)
    for use in core_uses(placed):
        assert 0 < use.compartments <= 1024
        assert use.synapse_bytes <= 131072
        assert use.out_axons <= 4096
    assert sum(use.compartments for use in core_uses(placed)) == sum(sizes[1:])
    assert cores(place.apply(placed)) == cores(placed)
