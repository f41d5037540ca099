"""Samples as columns: hand-made graphs without a batch axis mean here what they mean to ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends.onnx import check_onnx, import_onnx

RNG = np.random.default_rng(8)
IN, OUT = 4, 3
Arrays = Mapping[str, np.ndarray[Any, Any]]


def save(
    folder: Path,
    nodes: Sequence[onnx.NodeProto],
    arrays: Arrays,
    shape: tuple[int | str, ...],
    *,
    opset: int = 20,
) -> Path:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "g",
        [info("x", TensorProto.FLOAT, shape)],
        [info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    path = folder / "net.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    path.write_bytes(made.SerializeToString())
    return path


def assert_equal_to_onnx(path: Path, shape: tuple[int, ...]) -> None:
    """Compare three samples; each is given to ONNX in the shape that the model has it."""
    graph, model = import_onnx(path), ReferenceEvaluator(str(path))
    x = RNG.uniform(-2, 2, (3, IN)).astype(np.float32)
    right = [np.ravel(model.run(None, {"x": row.reshape(shape)})[0]) for row in x]
    ours = evaluate(graph, x)[graph.outputs[0]]
    np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-5)


def real(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.normal(size=shape).astype(np.float32)


COLUMN, ROW = (IN, 1), (1, IN)
SCALES = [(1.0, 1.0), (0.5, 1.0), (1.0, -2.0), (0.25, 3.0)]
MADE = {
    "none": None,
    "scalar": (),
    "one": (1,),
    "one by one": (1, 1),
    "flat": (OUT,),
    "row": (1, OUT),
    "column": (OUT, 1),
}
SOUND = [
    # data first: (transA, shape of x) gives a row
    *product([("data", 0, ROW), ("data", 1, COLUMN)], [0, 1], SCALES,
             ["none", "scalar", "one", "one by one", "flat", "row"]),
    # weights first: (transB, shape of x) gives a column
    *product([("weights", 0, COLUMN), ("weights", 1, ROW)], [0, 1], SCALES,
             ["none", "scalar", "one", "one by one", "column"]),
]  # fmt: skip


@pytest.mark.parametrize(("form", "weight_turned", "scale", "bias"), SOUND)
def test_gemm_means_what_it_means_to_onnx(
    tmp_path: Path,
    form: tuple[str, int, tuple[int, int]],
    weight_turned: int,
    scale: tuple[float, float],
    bias: str,
) -> None:
    first, data_turned, shape = form
    if first == "data":
        weight = real(OUT, IN) if weight_turned else real(IN, OUT)
        operands, turns = ["x", "w"], (data_turned, weight_turned)
    else:
        weight = real(IN, OUT) if weight_turned else real(OUT, IN)
        operands, turns = ["w", "x"], (weight_turned, data_turned)
    arrays = {"w": weight}
    if MADE[bias] is not None:
        arrays["c"] = real(*(MADE[bias] or ()))
        operands.append("c")
    alpha, beta = scale
    options = {"alpha": alpha, "beta": beta, "transA": turns[0], "transB": turns[1]}
    node = helper.make_node("Gemm", operands, ["y"], name="/fc", **options)
    assert_equal_to_onnx(save(tmp_path, [node], arrays, shape), shape)


def network(*, matmul: bool) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray[Any, Any]]]:
    arrays = {"w1": real(5, IN), "b1": real(5, 1), "w2": real(5, OUT), "b2": real(OUT, 1)}
    if matmul:
        first = [
            helper.make_node("MatMul", ["w1", "x"], ["p"]),
            helper.make_node("Add", ["b1", "p"], ["z"]),
        ]
    else:
        first = [helper.make_node("Gemm", ["w1", "x", "b1"], ["z"])]
    rest = [
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["w2", "h", "b2"], ["u"], transA=1),
        helper.make_node("Softmax", ["u"], ["y"], axis=0),
    ]
    return [*first, *rest], arrays


@pytest.mark.parametrize("matmul", [False, True])
@pytest.mark.parametrize("opset", [7, 9, 11, 13, 20])
def test_a_network_of_columns_is_read_from_end_to_end(
    tmp_path: Path, matmul: bool, opset: int
) -> None:
    nodes, arrays = network(matmul=matmul)
    assert_equal_to_onnx(save(tmp_path, nodes, arrays, COLUMN, opset=opset), COLUMN)


def test_a_column_turned_by_the_last_layer_is_a_row(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["w1", "x"], ["z"]),
        helper.make_node("Tanh", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "w2", "b"], ["y"], transA=1),
    ]
    arrays = {"w1": real(5, IN), "w2": real(5, OUT), "b": real(OUT)}
    assert_equal_to_onnx(save(tmp_path, nodes, arrays, COLUMN), COLUMN)


def test_a_row_may_become_a_column_on_the_way(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["w1", "x", "b1"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Flatten", ["h"], ["y"], axis=0),
    ]
    arrays = {"w1": real(5, IN), "b1": real(5, 1)}
    assert_equal_to_onnx(save(tmp_path, nodes, arrays, ROW), ROW)


REFUSED: dict[str, tuple[list[onnx.NodeProto], Arrays, tuple[int | str, ...], str]] = {
    "rows, transA": (
        [helper.make_node("Gemm", ["x", "w"], ["y"], transA=1)],
        {"w": real(1, OUT)}, ("n", IN), "exchanges the batch axis",
    ),
    "outer product": (
        [helper.make_node("Gemm", ["w1", "x"], ["z"]), helper.make_node("Gemm", ["z", "w"], ["y"])],
        {"w1": real(5, IN), "w": real(1, OUT)}, COLUMN, "mix samples",
    ),
    "column, transB": (
        [helper.make_node("Gemm", ["w1", "x"], ["z"]),
         helper.make_node("Gemm", ["w", "z"], ["y"], transB=1)],
        {"w1": real(5, IN), "w": real(OUT, 1)}, COLUMN, "mix samples",
    ),
    "flat bias": (
        [helper.make_node("Gemm", ["w", "x"], ["z"]), helper.make_node("Add", ["z", "b"], ["y"])],
        {"w": real(OUT, IN), "b": real(OUT)}, COLUMN, "no constant (size, 1)",
    ),
    "row bias": (
        [helper.make_node("Gemm", ["w", "x", "b"], ["y"])],
        {"w": real(OUT, IN), "b": real(1, OUT)}, COLUMN, "no constant (size, 1)",
    ),
    "softmax over samples": (
        [helper.make_node("Gemm", ["w", "x"], ["z"]), helper.make_node("Softmax", ["z"], ["y"])],
        {"w": real(OUT, IN)}, COLUMN, "axis of samples",
    ),
    "two columns": (
        [helper.make_node("Gemm", ["w", "x"], ["z"]),
         helper.make_node("Gemm", ["z", "z"], ["y"], transA=1)],
        {"w": real(OUT, IN)}, COLUMN, "mix samples",
    ),
    "a batch of one feature": (
        [helper.make_node("Gemm", ["x", "w"], ["y"])], {"w": real(1, OUT)}, COLUMN, "fixed at 4",
    ),
    "several columns": (
        [helper.make_node("Gemm", ["w", "x"], ["y"])], {"w": real(OUT, IN)}, (IN, 2), "fixed at 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_mixes_samples_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    nodes, arrays, shape, why = REFUSED[name]
    problems, _ = check_onnx(save(tmp_path, nodes, arrays, shape))
    assert len(problems) == 1
    assert why in str(problems[0])
    assert problems[0].code in ("HB0321", "HB0322")
