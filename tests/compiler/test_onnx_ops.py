from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends import load_model
from hebbite.compiler.frontends.onnx import check_onnx, import_onnx
from hebbite.rules.errors import Problem

Arrays = Mapping[str, np.ndarray[Any, Any]]
RNG = np.random.default_rng(5)
ML = "ai.onnx.ml"


def save(
    folder: str | Path,
    nodes: Sequence[onnx.NodeProto],
    arrays: Arrays,
    shape: Sequence[int | str | None],
    *,
    opset: int = 20,
    output: str = "y",
) -> Path:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "g",
        [info("x", TensorProto.FLOAT, shape)],
        [info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, 3)]
    path = Path(folder) / "net.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    return path


def assert_equal_to_onnx(path: Path) -> None:
    model = ReferenceEvaluator(str(path))
    raw, clean = import_onnx(path), load_model(path)
    x = np.random.default_rng(3).uniform(-2, 2, (3, *raw.inputs[0].shape)).astype(np.float32)
    right = np.concatenate([model.run(None, {"x": row[None]})[0] for row in x])
    np.testing.assert_allclose(evaluate(raw, x)[raw.outputs[0]], right, rtol=1e-5, atol=1e-5)
    if not clean.head:
        ours = evaluate(clean, x)[clean.outputs[0]]
        np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def problems(
    tmp_path: Path,
    nodes: Sequence[onnx.NodeProto],
    arrays: Arrays | None = None,
    shape: Sequence[int | str | None] = ("n", 4),
    *,
    opset: int = 20,
) -> tuple[Problem, ...]:
    return check_onnx(save(tmp_path, nodes, arrays or {}, shape, opset=opset))[0]


def floats(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.uniform(-1, 1, shape).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    trans_b=st.booleans(),
    alpha=st.sampled_from([1.0, 0.5, -2.0]),
    beta=st.sampled_from([1.0, 0.25, 0.0]),
    bias=st.sampled_from([None, (), (1,), (3,), (1, 3), (1, 1)]),
    opset=st.sampled_from([7, 9, 11, 13, 20]),
    batch=st.sampled_from(["n", 1, 0, None]),
)
def test_every_gemm_is_a_linear_op(
    trans_b: bool,
    alpha: float,
    beta: float,
    bias: tuple[int, ...] | None,
    opset: int,
    batch: int | str | None,
) -> None:
    arrays = {"b": floats(3, 4) if trans_b else floats(4, 3)}
    if bias is not None:
        arrays["c"] = np.asarray(floats(*bias))
    if bias is None and opset < 11:
        arrays["c"] = floats(3)
    node = helper.make_node("Gemm", ["x", *arrays], ["y"], alpha=alpha, beta=beta, transB=trans_b)
    with TemporaryDirectory() as folder:
        path = save(folder, [node], arrays, [batch, 4], opset=opset)
        assert [n.op for n in load_model(path).nodes] == ["input", "linear"]
        assert_equal_to_onnx(path)


def test_gemm_may_add_computed_data(tmp_path: Path) -> None:
    node = helper.make_node("Gemm", ["x", "b", "x"], ["y"])
    path = save(tmp_path, [node], {"b": floats(4, 4)}, ["n", 4])
    assert_equal_to_onnx(path)
    assert [n.op for n in load_model(path).nodes] == ["input", "linear", "add"]


@pytest.mark.parametrize("operands", [["m", "c"], ["c", "m"]])
@pytest.mark.parametrize("shape", [(3,), (1, 3), (1,), ()])
def test_matmul_and_add_are_one_linear_op(
    tmp_path: Path, operands: list[str], shape: tuple[int, ...]
) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", operands, ["y"]),
    ]
    path = save(tmp_path, nodes, {"w": floats(4, 3), "c": np.asarray(floats(*shape))}, ["n", 4])
    assert_equal_to_onnx(path)
    assert [n.op for n in load_model(path).nodes] == ["input", "linear"]


def test_matmul_with_the_constant_on_the_left(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["w", "x"], ["y"])
    assert_equal_to_onnx(save(tmp_path, [node], {"w": floats(3, 4)}, ["n", 4, 1]))


@pytest.mark.parametrize(
    ("type_", "inputs", "attributes"),
    [
        ("Relu", [], {}),
        ("Tanh", [], {}),
        ("Sigmoid", [], {}),
        ("Identity", [], {}),
        ("Dropout", [], {}),
        ("Cast", [], {"to": TensorProto.FLOAT}),
        ("Softmax", [], {"axis": -1}),
        ("Softmax", [], {"axis": 2}),
        ("LogSoftmax", [], {}),
        ("Flatten", [], {}),
        ("Flatten", [], {"axis": -2}),
        ("Flatten", [], {"axis": 0}),
        ("Reshape", ["to_-1_4"], {}),
        ("Reshape", ["to_0_-1"], {}),
        ("Reshape", ["to_1_4_1"], {}),
        ("Squeeze", ["axes_1"], {}),
        ("Unsqueeze", ["axes_1"], {}),
        ("Add", ["c"], {}),
        ("Sub", ["c"], {}),
        ("Mul", ["c"], {}),
        ("Div", ["c"], {}),
    ],
)
def test_an_op_computes_what_onnx_computes(
    tmp_path: Path, type_: str, inputs: list[str], attributes: dict[str, Any]
) -> None:
    arrays = {name: constant(name) for name in inputs}
    node = helper.make_node(type_, ["x", *inputs], ["y"], **attributes)
    assert_equal_to_onnx(save(tmp_path, [node], arrays, ["n", 1, 4]))


def constant(name: str) -> np.ndarray[Any, Any]:
    if name == "c":
        return floats(4) + np.float32(2)
    return np.array([int(part) for part in name.split("_")[1:]], dtype=np.int64)


@pytest.mark.parametrize("type_", ["Add", "Sub", "Mul"])
def test_a_constant_may_stand_first(tmp_path: Path, type_: str) -> None:
    node = helper.make_node(type_, ["c", "x"], ["y"])
    assert_equal_to_onnx(save(tmp_path, [node], {"c": floats(4)}, ["n", 4]))


def test_scaling_of_an_image_is_folded_into_the_first_linear_op(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["a"]),
        helper.make_node("Div", ["a", "std"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "w", "bias"], ["d"], name="fc1"),
        helper.make_node("BatchNormalization", ["d", "bias", "bias", "bias", "var"], ["y"]),
    ]
    arrays = {
        "mean": np.full((), 0.5, np.float32), "std": np.full((), 0.25, np.float32),
        "w": floats(4, 3), "bias": floats(3),
        "var": floats(3) + np.float32(1.5),
    }  # fmt: skip
    path = save(tmp_path, nodes, arrays, ["n", 2, 2], opset=15)
    graph = load_model(path)
    assert [n.op for n in graph.nodes] == ["input", "flatten", "linear"]
    assert_equal_to_onnx(path)


def test_an_arm_that_somebody_else_reads_is_not_merged(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["x", "c"], ["a"]),
        helper.make_node("MatMul", ["a", "w"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    path = save(tmp_path, nodes, {"c": floats(4), "w": floats(4, 4)}, ["n", 4])
    assert_equal_to_onnx(path)
    assert [n.op for n in load_model(path).nodes] == ["input", "scale", "linear", "add"]


def test_a_constant_node_gives_weights(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(floats(4, 3))),
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Mul", ["w", "two"], ["v"]),
        helper.make_node("MatMul", ["x", "v"], ["y"]),
    ]
    assert_equal_to_onnx(save(tmp_path, nodes, {}, ["n", 4]))


def test_names_come_from_weights_nodes_or_ops_in_that_order(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "net.fc1.weight"], ["a"], transB=1, name="node_linear"),
        helper.make_node("Relu", ["a"], ["b"], name="/net/act/Relu"),
        helper.make_node("Gemm", ["b", "onnx::Gemm_7"], ["c"], name="Gemm_3"),
        helper.make_node("Tanh", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "net.2.weight"], ["y"], transB=1),
    ]
    arrays = {
        "net.fc1.weight": floats(3, 4), "onnx::Gemm_7": floats(3, 3), "net.2.weight": floats(2, 3),
    }  # fmt: skip
    graph = load_model(save(tmp_path, nodes, arrays, ["n", 4]))
    assert list(graph.values) == ["x", "fc1", "act", "linear", "tanh", "net_2"]
    assert graph.nodes[1].origin == "net.onnx, node 'node_linear'"
    assert graph.nodes[4].origin == "net.onnx, node 3 (Tanh)"


@pytest.mark.parametrize(
    ("node", "arrays", "what"),
    [
        (("Gemm", ["x", "w"], {"transA": 1}), {"w": (4, 3)}, "exchanges the batch axis"),
        (("Gemm", ["x", "x"], {}), {}, "computed B"),
        (("Gemm", ["x", "w"], {}), {"w": (5, 3)}, "cannot read"),
        (("Gemm", ["x", "w", "c"], {}), {"w": (4, 3), "c": (2,)}, "does not fit 3 outputs"),
        (("Gemm", ["x", "w", "c"], {}), {"w": (4, 3), "c": (2, 3)}, "differs within the batch"),
        (("MatMul", ["x", "x"], {}), {}, "two computed values"),
        (("MatMul", ["w", "x"], {}), {"w": (3, 4)}, "constant on the left"),
        (("MatMul", ["x", "w"], {}), {"w": (4,)}, "not a matrix"),
        (("Add", ["x", "c"], {}), {"c": (5, 4)}, "would widen"),
        (("Add", ["x", "c"], {}), {"c": (5,)}, "cannot be spread"),
        (("Mul", ["x", "x"], {}), {}, "two computed values"),
        (("Div", ["c", "x"], {}), {"c": (4,)}, "by data or by 0"),
        (("Reshape", ["x", "s"], {}), {"s": (2,)}, "must be a list of integers"),
        (("Softmax", ["x"], {"axis": 0}), {}, "not the last"),
        (("Softmax", ["x"], {"axis": 7}), {}, "axis 7"),
        (("Cast", ["x"], {"to": TensorProto.INT64}), {}, "a type that rounds"),
        (("Dropout", ["x", "", "t"], {}), {"t": (1,)}, "drops at random"),
        (("Transpose", ["x"], {}), {}, "of computed data"),
        (("Relu", ["c"], {}), {"c": (4,)}, "needs data"),
        (("Relu", ["z"], {}), {}, "nothing before this node gives it"),
        (("Flatten", ["x"], {"axis": 2}), {}, "mixes data into the batch"),
        (("Flatten", ["x"], {"axis": 9}), {}, "axis 9"),
        (("Relu", ["x"], {"domain": "com.acme"}), {}, "unsupported op 'com.acme.Relu'"),
        (("Rleu", ["x"], {}), {}, "unsupported op 'Rleu'"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_its_reason(
    tmp_path: Path,
    node: tuple[str, list[str], dict[str, Any]],
    arrays: dict[str, tuple[int, ...]],
    what: str,
) -> None:
    type_, inputs, attributes = node
    proto = helper.make_node(type_, inputs, ["y"], name="it", **attributes)
    found = problems(tmp_path, [proto], {name: floats(*shape) for name, shape in arrays.items()})
    assert len(found) == 1
    assert what in found[0].what
    assert found[0].origin == "net.onnx, node 'it'"


def test_problems_after_a_problem_are_found_but_no_echoes(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="one"),
        helper.make_node("Relu", ["a"], ["b"], name="two"),
        helper.make_node("Hardmax", ["b"], ["y"], name="three"),
    ]
    found = problems(tmp_path, nodes, {"w": floats(4, 3)})
    assert [problem.origin for problem in found] == [
        "net.onnx, node 'one'",
        "net.onnx, node 'three'",
    ]


@pytest.mark.parametrize(
    ("type_", "attributes"),
    [("Scaler", {"scale": [2.0], "offset": [0.5, 1.0, 2.0, 3.0]})],
)
def test_sklearns_scaler_is_read(tmp_path: Path, type_: str, attributes: dict[str, Any]) -> None:
    node = helper.make_node(type_, ["x"], ["y"], domain=ML, **attributes)
    path = save(tmp_path, [node], {}, ["n", 4])
    x = np.ones((1, 4))
    graph = import_onnx(path)
    np.testing.assert_allclose(evaluate(graph, x)["scale"], [[1, 0, -2, -4]])
