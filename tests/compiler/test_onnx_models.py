from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends import load_model
from hebbite.compiler.frontends.onnx import check_onnx, import_onnx
from hebbite.compiler.graph_text import parse
from hebbite.compiler.graph_verify import verify
from hebbite.rules.errors import HebbiteError

Numbers = NDArray[np.float64]
DATA = Path(__file__).parents[1] / "data" / "onnx"
HEADS = {
    "mlp.dynamo": "",
    "mlp.ts": "",
    "mlp_view_logsoftmax.dynamo": "log_softmax",
    "mlp_view_logsoftmax.ts": "log_softmax",
    "skl_mlp": "softmax",
    "skl_mlp_zipmap": "softmax",
    "skl_pipeline": "softmax",
    "skl_logreg": "softmax",
}


def reference(path: Path, x: Numbers) -> Numbers:
    """What the onnx package computes, one sample at a time; of several outputs the last."""
    proto = onnx.load(path)
    last = proto.graph.node[-1]
    for node in proto.graph.node:
        last = node if node.op_type == "ZipMap" else last
    if last.op_type == "ZipMap":  # the evaluator has none: return what it reads
        proto.graph.output[-1].name = last.input[0]
        proto.graph.node.remove(last)
    model = ReferenceEvaluator(proto)
    name = model.input_names[0]
    return np.array([model.run(None, {name: row[None]})[-1][0] for row in x.astype(np.float32)])


@pytest.mark.parametrize("name", HEADS)
def test_an_imported_graph_computes_what_onnx_computes(name: str) -> None:
    path = DATA / f"{name}.onnx"
    graph = import_onnx(path)
    x = np.random.default_rng(7).uniform(0, 1, (4, *graph.inputs[0].shape))
    ours = evaluate(graph, x)[graph.outputs[0]]
    np.testing.assert_allclose(ours, reference(path, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_a_loaded_graph_is_a_chain_with_its_head_noted(name: str) -> None:
    raw, graph = import_onnx(DATA / f"{name}.onnx"), load_model(DATA / f"{name}.onnx")
    assert graph.head == HEADS[name]
    assert {node.op for node in graph.nodes} <= {
        "input", "flatten", "linear", "relu", "tanh", "sigmoid",
    }  # fmt: skip
    x = np.random.default_rng(8).uniform(0, 1, (3, *graph.inputs[0].shape))
    logits = evaluate(graph, x)[graph.outputs[0]]
    before = evaluate(raw, x)[raw.outputs[0]]
    np.testing.assert_array_equal(logits.argmax(axis=1), before.argmax(axis=1))
    assert parse(str(graph), graph.tensors) == graph


@pytest.mark.parametrize("name", ["mlp.dynamo", "mlp.ts", "skl_pipeline"])
def test_the_text_of_a_model_reads_well(name: str, golden: Callable[[str], str]) -> None:
    assert str(load_model(DATA / f"{name}.onnx")) == golden(f"onnx/{name}")


def test_every_problem_of_a_model_is_listed_at_once(golden: Callable[[str], str]) -> None:
    problems, ops = check_onnx(DATA / "mobilenet_block.ts.onnx")
    assert "\n".join(map(str, problems)) == golden("onnx/mobilenet_block")
    assert (ops["Conv"], ops["Clip"], ops["Gemm"]) == (4, 2, 1)
    with pytest.raises(HebbiteError) as caught:
        import_onnx(DATA / "mobilenet_block.ts.onnx")
    assert caught.value.problems == problems


def test_a_sound_model_has_no_problems() -> None:
    problems, ops = check_onnx(DATA / "skl_pipeline.onnx")
    assert not problems
    assert ops["ai.onnx.ml.Scaler"] == 1


def test_a_view_made_from_the_shape_of_the_data_is_folded(tmp_path: Path) -> None:
    def array(name: str, values: list[int]) -> TensorProto:
        return numpy_helper.from_array(np.array(values, dtype=np.int64), name)

    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
        helper.make_node("Concat", ["batch", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["flat"]),
        helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        helper.make_node("MatMul", ["flat", "wt"], ["y"]),
    ]
    weight = np.arange(12, dtype=np.float32).reshape(3, 4)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "view",
        [info("x", TensorProto.FLOAT, ["batch", 2, 2])],
        [info("y", TensorProto.FLOAT, None)],
        [array("zero", [0]), array("rest", [-1]), numpy_helper.from_array(weight, "w")],
    )
    path = tmp_path / "view.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    loaded = load_model(path)
    assert [node.op for node in loaded.nodes] == ["input", "flatten", "linear"]
    x = np.ones((2, 2, 2))
    np.testing.assert_allclose(evaluate(loaded, x)[loaded.outputs[0]], reference(path, x))


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    model = onnx.load(DATA / "mlp.dynamo.onnx")
    path = tmp_path / "mlp.dynamo.onnx"
    onnx.save(model, path, save_as_external_data=True, location="mlp.onnx.data", size_threshold=0)
    assert path.stat().st_size < 10_000
    assert load_model(path) == load_model(DATA / "mlp.dynamo.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mlp.dynamo.onnx", "mlp.onnx.data"]


def test_a_graph_text_is_loaded_with_the_arrays_beside_it(tmp_path: Path) -> None:
    graph = load_model(DATA / "skl_mlp.onnx")
    (tmp_path / "net.graph").write_text(str(graph))
    arrays: dict[str, Any] = dict(graph.tensors)
    np.savez(tmp_path / "net.npz", **arrays)
    assert load_model(tmp_path / "net.graph") == graph
    verify(graph)
