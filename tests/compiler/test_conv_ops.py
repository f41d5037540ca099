"""Convolutions and pools of ONNX mean here what they mean there."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends import load_model
from hebbite.compiler.frontends.onnx import check_onnx, import_onnx
from hebbite.compiler.graph_text import parse
from hebbite.compiler.graph_verify import verify
from hebbite.compiler.ops import conv2d
from hebbite.compiler.ops.window import Window
from hebbite.compiler.passes import CLEAN_UP, run_passes
from hebbite.compiler.passes.base import Pass
from hebbite.rules.errors import CapacityError, Problem, VerifyError

Numbers = NDArray[np.float32]
PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADS = st.one_of(
    st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]),
    st.tuples(*[st.integers(0, 2)] * 4),
)


def numbers(*shape: int, seed: int = 0) -> Numbers:
    return np.random.default_rng([seed, *shape]).uniform(-2, 2, shape).astype(np.float32)


def save(
    folder: str | Path,
    nodes: list[onnx.NodeProto],
    arrays: Mapping[str, NDArray[Any]],
    shape: tuple[int, ...],
    *,
    opset: int = 20,
) -> Path:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [info("x", TensorProto.FLOAT, ["n", *shape])],
        [info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    path = Path(folder) / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    path.write_bytes(model.SerializeToString())
    return path


def assert_equal_to_onnx(path: Path, *, samples: int = 2) -> None:
    raw, clean = import_onnx(path), load_model(path)
    x = numbers(samples, *raw.inputs[0].shape)
    (right,) = ReferenceEvaluator(str(path)).run(None, {"x": x})
    for graph in (raw, clean, parse(str(clean), clean.tensors)):
        ours = evaluate(graph, x)[graph.outputs[0]]
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def padded(pads: str | tuple[int, ...], axes: int) -> dict[str, Any]:
    """Return pads as an attribute of a node; one axis takes the last of each pair."""
    if isinstance(pads, str):
        return {"auto_pad": pads}
    return {"pads": pads if axes == 2 else pads[1::2]}


def inside(pads: tuple[int, ...], reach: Sequence[int]) -> tuple[int, ...]:
    """Return pads that are smaller than what a kernel reaches."""
    return tuple(p % r for p, r in zip(pads, (*reach, *reach), strict=True))


@settings(max_examples=150, deadline=None)
@given(
    axes=st.integers(1, 2),
    kernel=PAIR,
    strides=PAIR,
    dilations=PAIR,
    pads=PADS,
    groups=st.integers(1, 3),
    per_group=PAIR,
    image=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    bias=st.booleans(),
)
def test_every_conv_is_a_conv2d(
    axes: int,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: str | tuple[int, ...],
    groups: int,
    per_group: tuple[int, int],
    image: tuple[int, int],
    bias: bool,
) -> None:
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    if not isinstance(pads, str):
        pads = inside(pads, reach)
        image = (image[0] + reach[0], image[1] + reach[1])
    image = (max(image[0], reach[0]), max(image[1], reach[1]))
    made, read = groups * per_group[0], groups * per_group[1]
    arrays = {"w": numbers(made, per_group[1], *kernel[-axes:])}
    if bias:
        arrays["b"] = numbers(made)
    node = helper.make_node(
        "Conv",
        ["x", *arrays],
        ["y"],
        strides=strides[-axes:],
        dilations=dilations[-axes:],
        group=groups,
        kernel_shape=kernel[-axes:],
        **padded(pads, axes),
    )
    with TemporaryDirectory() as folder:
        path = save(folder, [node], arrays, (read, *image[-axes:]))
        assert "conv2d" in [n.op for n in load_model(path).nodes]
        assert_equal_to_onnx(path)


@settings(max_examples=100, deadline=None)
@given(
    axes=st.integers(1, 2),
    kernel=PAIR,
    strides=PAIR,
    dilations=st.sampled_from([(1, 1), (2, 1), (2, 2)]),
    pads=PADS,
    image=st.tuples(st.integers(5, 8), st.integers(5, 8)),
    counted=st.booleans(),
)
def test_every_average_pool_is_an_avg_pool2d(
    axes: int,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: str | tuple[int, ...],
    image: tuple[int, int],
    counted: bool,
) -> None:
    # with auto_pad the reference evaluator of onnx knows no dilations of a pool, which the
    # specification does, and where a stride skips pixels it pads by less than nothing
    if isinstance(pads, str):
        dilations, strides = (1, 1), (min(strides[0], kernel[0]), min(strides[1], kernel[1]))
    else:
        pads = inside(pads, kernel)
    node = helper.make_node(
        "AveragePool",
        ["x"],
        ["y"],
        kernel_shape=kernel[-axes:],
        strides=strides[-axes:],
        dilations=dilations[-axes:],
        count_include_pad=int(counted),
        **padded(pads, axes),
    )
    with TemporaryDirectory() as folder:
        path = save(folder, [node], {}, (2, *image[-axes:]), opset=19)
        assert "avg_pool2d" in [n.op for n in import_onnx(path).nodes]
        assert_equal_to_onnx(path)


@pytest.mark.parametrize(
    ("mode", "right"),
    [("VALID", [2, 3, 4]), ("SAME_UPPER", [2, 2, 3, 4, 4]), ("SAME_LOWER", [2, 2, 3, 4, 4])],
)
def test_a_pool_that_pads_by_itself_knows_its_dilation(
    tmp_path: Path, mode: str, right: list[float]
) -> None:
    node = helper.make_node(
        "AveragePool", ["x"], ["y"], kernel_shape=(2,), dilations=(2,), auto_pad=mode
    )
    graph = load_model(save(tmp_path, [node], {}, (1, 5), opset=19))
    found = evaluate(graph, np.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]]))[graph.outputs[0]]
    assert found[0, 0].tolist() == right


@pytest.mark.parametrize("shape", [(3, 5, 4), (3, 7)])
def test_a_global_average_pool_sees_the_whole_image(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert_equal_to_onnx(
        save(tmp_path, [helper.make_node("GlobalAveragePool", ["x"], ["y"])], {}, shape)
    )


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize(
    ("shape", "axes"), [((3, 5, 4), (2, 3)), ((3, 5, 4), (-1, -2)), ((3, 7), (2,))]
)
def test_a_mean_over_the_image_is_a_global_average_pool(
    tmp_path: Path, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: int, opset: int
) -> None:
    arrays, attributes = {}, {"axes": axes} if opset < 18 else {}
    if opset >= 18:
        arrays["axes"] = np.array(axes, np.int64)
    node = helper.make_node("ReduceMean", ["x", *arrays], ["y"], keepdims=keepdims, **attributes)
    path = save(tmp_path, [node], arrays, shape, opset=opset)
    assert "avg_pool2d" in [n.op for n in import_onnx(path).nodes]
    assert_equal_to_onnx(path)


@pytest.mark.parametrize("axes", [(1,), (2,), (6, 7), (0, 2, 3), ()])
def test_a_mean_over_anything_else_is_refused(tmp_path: Path, axes: tuple[int, ...]) -> None:
    arrays = {"axes": np.array(axes, np.int64)} if axes else {}
    node = helper.make_node("ReduceMean", ["x", *arrays], ["y"], "n")
    (problem,), _ = check_onnx(save(tmp_path, [node], arrays, (3, 5, 4)))
    assert (problem.code, problem.what.startswith("ReduceMean over the axes")) == ("HB0321", True)


def test_convolving_many_samples_takes_them_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = numbers(7, 2, 5, 5).astype(np.float64), numbers(4, 1, 3, 3).astype(np.float64)
    patches = Window((3, 3)).patches(x)
    whole = conv2d.correlate(patches, weight, groups=2)
    monkeypatch.setattr(conv2d, "AT_ONCE", 1000)
    np.testing.assert_array_equal(conv2d.correlate(patches, weight, groups=2), whole)


def cases_of_onnx(module: str, op: str) -> dict[str, dict[str, Any]]:
    """Return the cases that the onnx package tests backends with: name -> node, data, results."""
    place = importlib.import_module(f"onnx.backend.test.case.node.{module}")
    found: dict[str, dict[str, Any]] = {}

    def expect(node: onnx.NodeProto, **case: Any) -> None:
        found[case["name"]] = {"node": node, **case}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "expect", expect)
        for name, make in vars(getattr(place, op)).items():
            if name.startswith("export"):
                make.__func__()
    return found


def test_the_backend_cases_of_onnx_pass_or_are_refused_by_name(tmp_path: Path) -> None:
    cases = {
        **cases_of_onnx("conv", "Conv"),
        **cases_of_onnx("averagepool", "AveragePool"),
        **cases_of_onnx("globalaveragepool", "GlobalAveragePool"),
        **cases_of_onnx("batch_normalization", "BatchNormalization"),
    }
    refused = set()
    for name, case in cases.items():
        x, *constants = case["inputs"]
        arrays = dict(zip(list(case["node"].input)[1:], constants, strict=True))
        case["node"].input[0], case["node"].output[0] = "x", "y"
        path = save(tmp_path, [case["node"]], arrays, x.shape[1:], opset=22)
        found, _ = check_onnx(path)
        if found:
            assert {problem.code for problem in found} == {"HB0321"}
            refused.add(name)
            continue
        graph = load_model(path)
        ours = evaluate(graph, x)[graph.outputs[0]]
        np.testing.assert_allclose(ours, case["outputs"][0], rtol=1e-4, atol=1e-4, err_msg=name)
    assert len(cases) - len(refused) >= 20
    assert refused == {
        *(name for name in cases if "averagepool_3d" in name),
        *(name for name in cases if name.startswith("test_averagepool") and "ceil" in name),
        *(name for name in cases if name.endswith("training_mode")),
    }


def conv(name: str, read: str, made: str, weight: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node("Conv", [read, weight], [made], name=name, **attributes)


@pytest.mark.parametrize("shape", [(2, 6, 5), (2, 8)])
def test_batch_normalisation_is_folded_into_the_convolution_before_it(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    kernel = (3,) * (len(shape) - 1)
    nodes = [
        conv("c1", "x", "a", "w", pads=(1,) * 2 * len(kernel)),
        helper.make_node("BatchNormalization", ["a", "s", "b", "m", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["y"]),
    ]
    arrays = {"w": numbers(4, 2, *kernel), "s": numbers(4), "b": numbers(4, seed=1)}
    arrays |= {"m": numbers(4, seed=2), "v": np.abs(numbers(4, seed=3)) + np.float32(0.5)}
    path = save(tmp_path, nodes, arrays, shape, opset=15)
    assert_equal_to_onnx(path)
    ops = [node.op for node in load_model(path).nodes if node.op != "reshape"]
    assert ops == ["input", "conv2d", "relu"]
    (folded,) = (node for node in load_model(path).nodes if node.op == "conv2d")
    assert folded.origin == "net.onnx, node 'c1'"


@pytest.mark.parametrize(("pads", "folds"), [((0, 0, 0, 0), True), ((1, 1, 1, 1), False)])
def test_an_input_brought_to_size_is_folded_where_no_zeros_stand_around_it(
    tmp_path: Path, pads: tuple[int, ...], folds: bool
) -> None:
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["a"]),
        helper.make_node("Div", ["a", "std"], ["b"]),
        conv("c1", "b", "y", "w", pads=pads, group=2),
    ]
    arrays = {"w": numbers(4, 1, 3, 3), "mean": numbers(1, 2, 1, 1)}
    arrays["std"] = np.abs(numbers(1, 2, 1, 1, seed=1)) + np.float32(0.5)
    path = save(tmp_path, nodes, arrays, (2, 5, 5))
    assert_equal_to_onnx(path)
    assert [n.op for n in load_model(path).nodes if n.op == "scale"] == ["scale"] * (not folds)


def test_a_scale_that_differs_within_a_channel_is_not_folded(tmp_path: Path) -> None:
    nodes = [conv("c1", "x", "a", "w"), helper.make_node("Mul", ["a", "s"], ["y"])]
    path = save(tmp_path, nodes, {"w": numbers(2, 1, 3, 3), "s": numbers(1, 2, 3, 3)}, (1, 5, 5))
    assert_equal_to_onnx(path)
    assert [n.op for n in load_model(path).nodes] == ["input", "conv2d", "scale"]


NORMALISED = """graph @g {
  %x = input {shape=[1, 4, 4]} : real[1, 4, 4]
  %c = conv2d(%x) {weight=@w} : real[2, 2, 2]
  %r = reshape(%c) {shape=[2, 4]} : real[2, 4]
  %s = scale(%r) {scale=@s} : real[2, 4]
  %t = relu(%s) : real[2, 4]
  %q = reshape(%t) {shape=[2, 2, 2]} : real[2, 2, 2]
  %d = conv2d(%q) {weight=@w2} : real[2, 1, 1]
  return %d
}"""
ARRAYS = {"w": numbers(2, 1, 3, 3), "w2": numbers(2, 2, 2, 2)}
ARRAYS["s"] = np.repeat(numbers(2, 1), 4, axis=1)


@pytest.mark.parametrize("one", CLEAN_UP, ids=lambda one: one.name)
def test_a_pass_over_a_convolution_twice_is_the_pass_once(one: Pass) -> None:
    once = run_passes(parse(NORMALISED, ARRAYS), [one])
    assert run_passes(once, [one]) == once
    assert ("scale" in [node.op for node in once.nodes]) is (one.name != "merge_conv")
    x = numbers(3, 1, 4, 4)
    right = evaluate(parse(NORMALISED, ARRAYS), x)["d"]
    np.testing.assert_allclose(evaluate(once, x)[once.outputs[0]], right, rtol=1e-5, atol=1e-5)


def test_a_convolution_that_somebody_else_reads_keeps_its_weights() -> None:
    text = NORMALISED.replace("return %d", "return %d, %c")
    graph = run_passes(parse(text, ARRAYS), CLEAN_UP)
    np.testing.assert_array_equal(graph.tensors["w"], ARRAYS["w"])


def test_an_image_is_flattened_channel_by_channel(tmp_path: Path) -> None:
    nodes = [
        conv("c1", "x", "a", "w"),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["p"], kernel_shape=(2, 2), strides=(2, 2)),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["y"], transB=1),
    ]
    arrays = {"w": numbers(3, 1, 3, 3), "v": numbers(4, 12)}
    assert_equal_to_onnx(save(tmp_path, nodes, arrays, (1, 6, 6)))


def test_a_convolutional_network_reads_well_as_text(
    tmp_path: Path, golden: Callable[[str], str]
) -> None:
    nodes = [
        conv("c1", "x", "a", "conv1.weight", strides=(2, 1), pads=(1, 0, 1, 0)),
        helper.make_node("Relu", ["a"], ["r"], name="/act/Relu"),
        helper.make_node("AveragePool", ["r"], ["p"], kernel_shape=(2, 2), strides=(2, 2)),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "fc.weight"], ["y"], transB=1),
    ]
    arrays = {"conv1.weight": numbers(3, 1, 3, 3), "fc.weight": numbers(4, 12)}
    graph = load_model(save(tmp_path, nodes, arrays, (1, 7, 6)))
    assert str(graph) == golden("onnx/convolution")
    assert parse(str(graph), graph.tensors) == graph


def refusal(tmp_path: Path, node: onnx.NodeProto, *, weight: tuple[int, ...] = ()) -> Problem:
    arrays = {"w": numbers(*weight)} if weight else {}
    (problem,), _ = check_onnx(save(tmp_path, [node], arrays, (2, 5, 5)))
    assert problem.origin == "net.onnx, node 'n'"
    return problem


@pytest.mark.parametrize(
    ("attributes", "weight", "what"),
    [
        ({"pads": (-1, 0, 0, 0)}, (1, 2, 3, 3), "'pads' of Conv must be a list of 4 integers"),
        ({"pads": (3, 0, 0, 0)}, (1, 2, 3, 3), "padding [3, 0, 0, 0] beyond what a kernel spans"),
        ({"dilations": (3, 1)}, (1, 2, 3, 3), "spans 7x3 does not fit an image 5x5"),
        ({"group": 2}, (3, 1, 3, 3), "a weight [3, 1, 3, 3] in 2 groups cannot read 2 channels"),
        ({"kernel_shape": (2, 2)}, (1, 2, 3, 3), "kernel_shape differs from that of the weight"),
        ({"auto_pad": "SAME"}, (1, 2, 3, 3), "auto_pad SAME is unknown"),
        ({}, (1, 2, 3), "Conv with 1 axes over data [2, 5, 5]"),
        ({}, (1, 2, 3, 3, 3), "Conv with a weight of 5 axes"),
    ],
)
def test_a_conv_that_cannot_be_is_refused_at_its_node(
    tmp_path: Path, attributes: dict[str, Any], weight: tuple[int, ...], what: str
) -> None:
    node = conv("n", "x", "y", "w", **attributes)
    problem = refusal(tmp_path, node, weight=weight)
    assert (problem.code, what in problem.what) == ("HB0321", True), str(problem)


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"kernel_shape": (2, 2), "strides": (2, 2), "ceil_mode": 1}, "with ceil_mode=1 adds"),
        ({"kernel_shape": (2, 2, 2)}, "AveragePool with 3 axes over data [2, 5, 5]"),
        ({"kernel_shape": (0, 2)}, "AveragePool needs a kernel_shape"),
    ],
)
def test_an_average_pool_that_cannot_be_is_refused_at_its_node(
    tmp_path: Path, attributes: dict[str, Any], what: str
) -> None:
    problem = refusal(tmp_path, helper.make_node("AveragePool", ["x"], ["y"], "n", **attributes))
    assert (problem.code, what in problem.what) == ("HB0321", True), str(problem)


def test_ceil_mode_is_read_where_it_changes_nothing(tmp_path: Path) -> None:
    node = helper.make_node(
        "AveragePool", ["x"], ["y"], kernel_shape=(3, 3), strides=(2, 2), ceil_mode=1
    )
    assert_equal_to_onnx(save(tmp_path, [node], {}, (1, 5, 7)))


def test_a_maximum_is_refused_with_what_to_take_instead(tmp_path: Path) -> None:
    node = helper.make_node("MaxPool", ["x"], ["y"], "n", kernel_shape=(2, 2))
    problem = refusal(tmp_path, node)
    assert problem.code == "HB0320"
    assert problem.what == "unsupported op 'MaxPool'"
    assert problem.hint.startswith("AveragePool, or a Conv with strides")


def pool(attributes: str, shape: str = "[2, 5, 5]", out: str = "[2, 2, 2]") -> str:
    return f"""graph @g {{
      %x = input {{shape={shape}}} : real{shape}
      %y = sum_pool2d(%x) {{{attributes}}} : real{out}
      return %y
    }}"""


def test_a_value_that_no_memory_holds_is_refused_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.graph"
    path.write_text(pool("kernel=[2, 2]", "[1, 99999, 99999]", "[1, 99998, 99998]"))
    with pytest.raises(CapacityError, match="HB0203: a value of 9999800001 elements"):
        load_model(path)


def test_a_sum_pool_is_an_average_pool_times_its_window() -> None:
    text = pool("kernel=[2, 3], stride=[2, 2], padding=[1, 0, 0, 0]", out="[2, 3, 2]")
    summed = parse(text)
    averaged = parse(text.replace("sum_pool2d", "avg_pool2d").replace("],", "],", 1).replace(
        "padding=[1, 0, 0, 0]", "padding=[1, 0, 0, 0], count_padding=1"
    ))  # fmt: skip
    x = numbers(3, 2, 5, 5)
    np.testing.assert_allclose(evaluate(summed, x)["y"], 6 * evaluate(averaged, x)["y"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (pool("kernel=[2]"), "'kernel' must be a list of 2 integers of at least 1"),
        (pool("kernel=[2, 2], stride=[0, 1]"), "'stride' must be a list of 2 integers"),
        (pool("kernel=[2, 2]", "[50]"), "an image has 3 axes"),
        (pool("kernel=[6, 1]"), "a pool that spans 6x1 does not fit an image 5x5"),
        (pool("kernel=[99999, 1], padding=[50000, 0, 50000, 0]"), "a pool that spans 99999x1"),
        (pool("kernel=[2, 2], padding=[2, 0, 0, 0]"), "a padding [2, 0, 0, 0] beyond what"),
        (pool("kernel=[2, 2]"), "sum_pool2d gives real[2, 4, 4]"),
        (pool("kernel=[2, 2], count_padding=1"), "has no attribute 'count_padding'"),
    ],
)
def test_a_pool_that_cannot_be_does_not_verify(text: str, what: str) -> None:
    with pytest.raises(VerifyError, match=what.replace("[", r"\[")):
        verify(parse(text))
