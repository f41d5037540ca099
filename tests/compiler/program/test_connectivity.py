"""How synapses join lines to neurons: unrolled, printed, bound by a law, bounded, stored, saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from hebbite.compiler.arithmetic.synapse import accumulate, fan_of
from hebbite.compiler.capacity import core_uses
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.placement import hops
from hebbite.compiler.program.connectivity import Conv2d, Sparse, synapses_of
from hebbite.compiler.program.ranges import ranges_of
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import problems_of, verify_program
from hebbite.rules.errors import InputFileError
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

GEOMETRIES = {
    "one tap": Conv2d((1, 1, 1), (1, 1)),
    "plain": Conv2d((2, 5, 4), (3, 3)),
    "strides": Conv2d((2, 7, 8), (3, 2), stride=(2, 3)),
    "padding, each side its own": Conv2d((1, 4, 5), (3, 3), padding=(0, 1, 2, 3)),
    "padding beyond the kernel": Conv2d((1, 2, 2), (1, 2), padding=(3, 0, 0, 2)),
    "dilation": Conv2d((2, 6, 7), (2, 3), dilation=(3, 2)),
    "groups": Conv2d((4, 3, 3), (2, 2), groups=2),
    "depthwise": Conv2d((3, 4, 4), (3, 3), padding=(1, 1, 1, 1), groups=3),
    "everything": Conv2d((4, 9, 8), (3, 2), (2, 1), (1, 0, 2, 1), (2, 3), 2),
    "one dimension": Conv2d((3, 1, 9), (1, 4), (1, 2), (0, 1, 0, 2)),
}


def imaged(conv: Conv2d, *, biased: bool = True, outputs: int = 2, cores: int = 1) -> Program:
    """Return an image, a convolution with ``outputs`` channels a group, and its receiver."""
    channels = outputs * conv.groups
    size = channels * conv.places[0] * conv.places[1]
    rng = np.random.default_rng(1)
    relu = (("shift", 6), ("feedback_shift", 8), ("fire", 2), ("feedback", 4))
    return Program(
        name="imaged",
        target="loihi2",
        schedule=Schedule(4, 3),
        sources=(Source("image", conv.lines, (1,), ((1, 3),) if biased else ()),),
        populations=(Population("maps", size, NEURONS["relu"], relu, cores=tuple(range(cores))),),
        synapses=(Synapses("conv", "image", "maps", "w", connect=conv),),
        readout=Readout("maps", "v", 3),
        tensors={"w": rng.integers(-256, 256, (channels, conv.taps + biased)).astype(np.int16)},
    )


def listed(program: Program) -> Program:
    """Return the small program whose first group is a list: lines 0, 1 and the bias line, 5."""
    group = replace(program.synapses[0], connect=Sparse("starts", "targets"))
    tensors: dict[str, IntArray] = {
        **program.tensors,
        group.weight: np.array([7, 0, -9, 20, 1], np.int16),
        "starts": np.array([0, 2, 3, 3, 3, 3, 5]),
        "targets": np.array([1, 3, 0, 0, 3], np.int32),
    }
    return replace(program, synapses=(group, *program.synapses[1:]), tensors=tensors)


def with_tensor(program: Program, name: str, value: Any) -> Program:
    return replace(program, tensors={**program.tensors, name: value})


def with_group(program: Program, index: int, **changes: Any) -> Program:
    groups = list(program.synapses)
    groups[index] = replace(groups[index], **changes)
    return replace(program, synapses=tuple(groups))


def convolution_of_onnx(conv: Conv2d, image: IntArray, weight: IntArray) -> IntArray:
    """Return what the reference evaluator of ONNX makes of integers, channel, y, x."""
    names = {"strides": conv.stride, "dilations": conv.dilation, "group": conv.groups}
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=conv.padding, **names)
    values = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in "xwy"]
    graph = helper.make_graph([node], "conv", values[:2], values[2:])
    kernel = weight.reshape(len(weight), conv.shape[0] // conv.groups, *conv.kernel)
    feeds = {"x": image.reshape(1, *conv.shape).astype(float), "w": kernel.astype(float)}
    (found,) = ReferenceEvaluator(helper.make_model(graph)).run(None, feeds)
    return np.asarray(found).astype(np.int64)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_convolution_is_that_of_onnx(name: str, biased: bool) -> None:
    conv = GEOMETRIES[name]
    program = imaged(conv, biased=biased)
    verify_program(program)
    group, weight = program.synapses[0], program.tensors["w"].astype(np.int64)
    message = np.random.default_rng(0).integers(-255, 256, conv.lines + biased)
    due = accumulate(weight, message, graded=True, exponent=0, fan=fan_of(program, group))
    maps = convolution_of_onnx(conv, message[: conv.lines], weight[:, : conv.taps])
    if biased:
        maps = maps + (weight[:, -1] * message[-1])[None, :, None, None]
    assert due.tolist() == maps.ravel().tolist()


@pytest.mark.parametrize("name", GEOMETRIES)
def test_synapses_are_sorted_by_line_then_by_neuron_and_join_a_pair_once(name: str) -> None:
    program = imaged(GEOMETRIES[name])
    line, post, element = synapses_of(program, program.synapses[0])
    order = (line * program.post_size(program.synapses[0]) + post).tolist()
    assert order == sorted(set(order))
    assert {array.dtype for array in (line, post, element)} == {np.dtype(np.int64)}


def test_a_matrix_is_unrolled_line_by_line(program: Program) -> None:
    group = program.group("to_out")
    line, post, element = synapses_of(program, group)
    weight = program.tensors[group.weight]
    assert weight.ravel()[element].tolist() == weight.T.ravel().tolist()
    assert (line[:4].tolist(), post[:4].tolist()) == ([0, 0, 0, 1], [0, 1, 2, 0])


def test_a_list_is_unrolled_as_it_stands(program: Program) -> None:
    made = listed(program)
    line, post, element = synapses_of(made, made.synapses[0])
    assert line.tolist() == [0, 0, 1, 5, 5]
    assert post.tolist() == [1, 3, 0, 0, 3]
    assert element.tolist() == [0, 1, 2, 3, 4]


def test_connectivity_prints_as_a_person_expects(
    program: Program, golden: Callable[[str], str]
) -> None:
    texts = [print_program(made) for made in (listed(program), imaged(GEOMETRIES["everything"]))]
    assert "\n".join(texts) == golden("program/connectivity")


@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_convolution_survives_printing_and_parsing(name: str) -> None:
    made = imaged(GEOMETRIES[name])
    assert parse_program(print_program(made), made.tensors).synapses == made.synapses


def test_a_list_survives_printing_and_parsing(program: Program) -> None:
    made = listed(program)
    assert parse_program(print_program(made), made.tensors).synapses == made.synapses


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("stride=[2, 1]", "stride=[2]", "2 integers in 'stride'"),
        ("padding=[1, 0, 2, 1]", "padding=[1, 0]", "4 integers in 'padding'"),
        ("shape=[4, 9, 8]", "kernel=[4, 9, 8]", "'shape'"),
        ("groups=2", "groups=two", "an integer"),
        ("conv2d", "conv3d", "the end of the line"),
    ],
)
def test_a_convolution_that_cannot_be_read_is_refused(old: str, new: str, what: str) -> None:
    made = imaged(GEOMETRIES["everything"])
    with pytest.raises(InputFileError, match=what):
        parse_program(print_program(made).replace(old, new), made.tensors)


BROKEN_LISTS: list[tuple[str, Callable[[Program], Program]]] = [
    ("@starts must be int64", lambda p: with_tensor(p, "starts", p.tensors["starts"][1:])),
    ("@starts must be int64", lambda p: with_tensor(p, "starts", np.zeros(7, np.int32))),
    ("@gone must be int64", lambda p: with_group(p, 0, connect=Sparse("gone", "targets"))),
    ("@targets must be int32", lambda p: with_tensor(p, "targets", np.zeros(5, np.int64))),
    ("@targets must be int32", lambda p: with_tensor(p, "targets", np.zeros((5, 1), np.int32))),
    ("@gone must be int32", lambda p: with_group(p, 0, connect=Sparse("starts", "gone"))),
    ("must ascend from 0 to", lambda p: with_tensor(p, "starts", np.array([1, 2, 3, 3, 3, 3, 5]))),
    ("must ascend from 0 to", lambda p: with_tensor(p, "starts", np.array([0, 2, 3, 3, 3, 3, 4]))),
    ("must ascend from 0 to", lambda p: with_tensor(p, "starts", np.array([0, 4, 3, 3, 3, 3, 5]))),
    ("must ascend from 0 to", lambda p: with_tensor(p, "starts", np.array([0, 9, 9, 9, 9, 9, 5]))),
    ("holds 4, beyond", lambda p: with_tensor(p, "targets", np.array([1, 3, 0, 0, 4], np.int32))),
    ("holds -1, beyond", lambda p: with_tensor(p, "targets", np.array([-1, 3, 0, 0, 3], np.int32))),
    ("of line 0 must", lambda p: with_tensor(p, "targets", np.array([3, 1, 0, 0, 3], np.int32))),
    ("of line 5 must", lambda p: with_tensor(p, "targets", np.array([1, 3, 0, 3, 3], np.int32))),
    ("is a weight too", lambda p: with_group(p, 2, weight="starts")),
]


@pytest.mark.parametrize(("what", "break_"), BROKEN_LISTS)
def test_a_damaged_list_is_reported(
    program: Program, what: str, break_: Callable[[Program], Program]
) -> None:
    verify_program(listed(program))
    found = [p for p in problems_of(break_(listed(program))) if p.code == "HB0465"]
    assert any(what in problem.what for problem in found)


def test_a_list_has_as_many_weights_as_targets(program: Program) -> None:
    made = listed(program)
    short = with_tensor(made, made.synapses[0].weight, np.zeros(4, np.int16))
    assert [problem.code for problem in problems_of(short)] == ["HB0434"]


BROKEN_CONVOLUTIONS = [
    ("sizes are at least 1", {"stride": (0, 1)}),
    ("sizes are at least 1", {"kernel": (0, 2)}),
    ("sizes are at least 1", {"dilation": (1, -1)}),
    ("sizes are at least 1", {"padding": (0, -1, 0, 0)}),
    ("sizes are at least 1", {"groups": 0}),
    ("has 252 lines, %image 288", {"shape": (4, 9, 7)}),
    ("4 channels do not fall into 3", {"groups": 3}),
    ("does not fit an image", {"kernel": (99, 2)}),
    ("neurons are no 2 x n channels", {"stride": (1, 1)}),
    ("neurons are no 4 x n channels", {"groups": 4, "shape": (4, 9, 8)}),
]


@pytest.mark.parametrize(("what", "changes"), BROKEN_CONVOLUTIONS)
def test_a_convolution_that_does_not_fit_is_reported(what: str, changes: dict[str, Any]) -> None:
    made = imaged(GEOMETRIES["everything"], outputs=3)
    conv = replace(GEOMETRIES["everything"], **changes)
    (problem,) = problems_of(with_group(made, 0, connect=conv))
    assert problem.code == "HB0466"
    assert what in problem.what


def test_weights_of_a_convolution_have_a_column_for_the_bias_line_alone() -> None:
    biased, bare = imaged(GEOMETRIES["plain"]), imaged(GEOMETRIES["plain"], biased=False)
    for one, other in ((biased, bare), (bare, biased)):
        (problem,) = problems_of(replace(one, tensors=other.tensors))
        assert problem.code == "HB0434"


def learning(name: str) -> Plasticity:
    traces = (("x1", Trace(tau=65535, mode="overwrite")), ("y2", Trace(tau=65535)))
    return Plasticity(name, parse_sum("dw = 2^-6*x0*x1*y2"), 4, traces)


def test_shared_weights_that_learn_are_refused_by_name() -> None:
    made = replace(imaged(GEOMETRIES["plain"]), plasticity=(learning("conv"),))
    (problem,) = [p for p in problems_of(made) if p.code == "HB0467"]
    assert "shared synapses cannot learn" in problem.what
    assert problem.at.startswith("%conv")


def test_shared_weights_that_learn_in_another_group_are_refused_too() -> None:
    """A kernel of one tap is a matrix as well: 1 neuron, 1 line and its bias."""
    made = imaged(GEOMETRIES["one tap"], outputs=1)
    twin = Synapses("twin", "image", "maps", "w")
    both = replace(made, synapses=(*made.synapses, twin), plasticity=(learning("twin"),))
    assert [p.at[:5] for p in problems_of(both) if p.code == "HB0467"] == ["%conv"]


@pytest.mark.parametrize("mirrored", [0, 2])
def test_a_list_neither_mirrors_nor_is_mirrored(program: Program, mirrored: int) -> None:
    follows = with_group(program, 2, mirror="to_out")
    verify_program(follows)
    index = 1 if mirrored == 0 else 2
    post, lines = follows.tensors[follows.synapses[index].weight].shape
    every = {
        "starts": np.arange(lines + 1) * post,
        "targets": np.tile(np.arange(post, dtype=np.int32), lines),
        follows.synapses[index].weight: np.zeros(post * lines, np.int16),
    }
    made = with_group(follows, index, connect=Sparse("starts", "targets"))
    made = replace(made, tensors={**made.tensors, **every})
    assert [p.code for p in problems_of(made)] == ["HB0467"]


def test_a_list_that_learns_reaches_as_far_as_its_fullest_neuron(program: Program) -> None:
    """Neurons 0 and 3 have two synapses each; the largest weight of the host's lines is 255."""
    (low, high) = ranges_of(listed(program)).register["hidden", "a"]
    assert (low, high) == (-2 * 256 * 255, 2 * 256 * 255)
    still = replace(listed(program), plasticity=())
    assert ranges_of(still).register["hidden", "a"] == (-29 * 255, 29 * 255)


def test_a_convolution_reaches_as_far_as_its_largest_kernel() -> None:
    made = with_tensor(imaged(GEOMETRIES["plain"]), "w", np.array([[1] * 19, [-2] * 19], np.int16))
    assert ranges_of(made).register["maps", "a"] == (-38 * 255, 38 * 255)


def test_a_group_with_weights_that_another_group_learns_has_no_fixed_reach(
    program: Program,
) -> None:
    """Ranges follow the tensor, not the group that learns it."""
    twin = replace(program.synapses[0], name="twin", port="third", role="feedback")
    made = replace(program, synapses=(*program.synapses, twin))
    assert ranges_of(made).register["hidden", "third"][1] >= 6 * 256 * 255


def test_a_convolution_is_stored_unrolled_and_a_list_synapse_by_synapse(program: Program) -> None:
    conv = Conv2d((1, 4, 1), (3, 1), padding=(1, 0, 1, 0))
    made = with_tensor(imaged(conv, biased=False, outputs=2), "w", np.full((2, 3), 5, np.int16))
    (use,) = core_uses(made)
    assert use.weights == 2 * (2 + 3 + 3 + 2) * (9 + 3)  # as a matrix: 8 * 4 * 9
    first, _ = core_uses(listed(program))
    back = 3 * 4 * 9
    assert first.weights == 5 * (9 + 2) + back  # it learns: its weight of 0 is stored too
    still = replace(listed(program), plasticity=())
    first, _ = core_uses(still)
    assert first.weights == 4 * (9 + 2) + back


def test_a_line_goes_only_to_the_cores_where_it_has_synapses() -> None:
    """Line y reaches neurons y - 1, y and y + 1, of which 0..3 stand on the first core."""
    conv = Conv2d((1, 8, 1), (3, 1), padding=(1, 0, 1, 0))
    made = imaged(conv, biased=True, outputs=1, cores=2)
    found = hops(made, made.synapses[0])
    assert found["spikes_in"].tolist() == [1, 1, 1, 2, 2, 1, 1, 1, 2]
    first, second = core_uses(made)
    assert (first.in_axons, second.in_axons) == (6, 6)


def test_axons_and_ways_of_a_sender_count_the_cores_it_reaches() -> None:
    conv = Conv2d((1, 8, 1), (3, 1), padding=(1, 0, 1, 0))
    made = imaged(conv, biased=True, outputs=1, cores=2)
    unit = made.populations[0]
    late = (("shift", 6), ("feedback_shift", 8), ("fire", 3), ("feedback", 4))
    more = replace(unit, name="more", constants=late, cores=(8, 16), bias=())
    sender = replace(unit, bias=((2, 3),))
    made = replace(
        made,
        populations=(sender, more),
        synapses=(*made.synapses, replace(made.synapses[0], name="next", pre="maps", post="more")),
    )
    verify_program(made)
    found = hops(made, made.group("next"))
    assert found["axon_out"].tolist() == [1, 1, 1, 2, 2, 1, 1, 1, 2]
    # cores 0 and 1 share a tile; 8 is two tiles from it, 16 one column further and two rows back
    assert found["hops_ns"].tolist() == [2, 2, 2, 2, 2, 0, 0, 0, 2]
    assert found["hops_ew"].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    first, second, *_ = core_uses(made)
    assert (first.out_axons, second.out_axons) == (5, 5 + 2)
