from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hebbite.compiler.frontends import load_model
from hebbite.compiler.frontends.onnx import Limits, check_onnx, import_onnx
from hebbite.compiler.graph_verify import verify
from hebbite.rules.errors import (
    CapacityError,
    HebbiteError,
    InputFileError,
    UnsupportedError,
    UsageError,
)

DATA = Path(__file__).parents[1] / "data" / "onnx"
SMALL = (DATA / "skl_logreg.onnx").read_bytes()
FLOAT = TensorProto.FLOAT


def tensor(name: str, array: np.ndarray[Any, Any]) -> TensorProto:
    return numpy_helper.from_array(array, name)


def mlp(
    weight: TensorProto | None = None,
    *,
    shape: Sequence[int | str | None] = ("batch", 4),
    type_: str = "Gemm",
    opset: int = 20,
) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node(type_, ["image", "fc1.weight"], ["z"], name="/fc1/Gemm"),
            helper.make_node("Relu", ["z"], ["y"], name="/act/Relu"),
        ],
        "g",
        [info("image", FLOAT, shape)],
        [info("y", FLOAT, None)],
        [weight or tensor("fc1.weight", np.ones((4, 3), dtype=np.float32))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def external(entries: dict[str, str], dims: Sequence[int] = (4, 3)) -> TensorProto:
    weight = TensorProto(name="fc1.weight", data_type=FLOAT, dims=dims)
    weight.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    return weight


def message(folder: Path, model: onnx.ModelProto | bytes) -> str:
    path = folder / "mlp.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(HebbiteError) as caught:
        load_model(path)
    assert check_onnx(path)[0] == caught.value.problems
    return f"{type(caught.value).__name__} {caught.value}"


def test_a_damaged_file_is_refused(tmp_path: Path, golden: Callable[[str], str]) -> None:
    whole = mlp().SerializeToString()
    texts = [message(tmp_path, data) for data in (whole[:-9], b"", b"PK\x03\x04 no model", b"\x00")]
    assert "\n\n".join(texts) == golden("onnx/damaged_files")


def test_a_model_that_cannot_be_read_says_why(tmp_path: Path, golden: Callable[[str], str]) -> None:
    nan = np.ones((4, 3), dtype=np.float32)
    nan[1, 2], nan[2, 0] = np.nan, np.inf
    short = TensorProto(name="fc1.weight", data_type=FLOAT, dims=(4, 3), raw_data=b"1234")
    huge = TensorProto(name="fc1.weight", data_type=FLOAT, dims=(2**40, 2**40))
    negative = TensorProto(name="fc1.weight", data_type=FLOAT, dims=(-4, -3))
    models = {
        "unknown op": mlp(type_="Gmem"),
        "op without a counterpart": mlp(type_="PRelu"),
        "NaN": mlp(tensor("fc1.weight", nan)),
        "shape": mlp(tensor("fc1.weight", np.ones((5, 3), dtype=np.float32))),
        "too few bytes": mlp(short),
        "too many elements": mlp(huge),
        "negative size": mlp(negative),
        "text as weights": mlp(helper.make_tensor("fc1.weight", TensorProto.STRING, [1], [b"a"])),
        "dynamic axis": mlp(shape=["batch", "features"]),
        "fixed batch": mlp(shape=[32, 4]),
        "no shape": mlp(shape=[]),
        "huge input": mlp(shape=[1, 2**20, 2**20]),
        "old opset": mlp(opset=6),
        "new opset": mlp(opset=9999),
    }
    texts = [f"# {name}\n{message(tmp_path, model)}" for name, model in models.items()]
    newest = f"7 to {onnx.defs.onnx_opset_version()} "
    text = "\n\n".join(texts).replace(newest, "7 to NEWEST ")
    assert text == golden("onnx/refused_models")


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ({"location": "../w.bin"}, "leaves the folder"),
        ({"location": "a/../../w.bin"}, "leaves the folder"),
        ({"location": "a\\..\\..\\w.bin"}, "leaves the folder"),
        ({"location": "/etc/passwd"}, "is absolute"),
        ({"location": "C:\\w.bin"}, "is absolute"),
        ({"location": "\\\\host\\w.bin"}, "is absolute"),
        ({"location": ""}, "is empty"),
        ({}, "is empty"),
        ({"location": "w\0.bin"}, "is empty or no path"),
        ({"location": "missing.bin"}, "missing or no plain"),
        ({"location": "folder"}, "no plain file"),
        ({"location": "link.bin"}, "symbolic link"),
        ({"location": "linked/w.bin"}, "symbolic link"),
        ({"location": "hard.bin"}, "hard link"),
        ({"location": "pipe"}, "no plain file"),
        ({"location": "w.bin", "offset": "-4"}, "is no count"),
        ({"location": "w.bin", "offset": "4"}, "bytes 4 to 52 of a file of 48"),
        ({"location": "w.bin", "offset": "9" * 18}, "of a file of 48"),
        ({"location": "w.bin", "offset": "9" * 5000}, "is no count"),
        ({"location": "w.bin", "length": "44"}, "length 44 where the shape needs 48"),
        ({"location": "w.bin", "length": str(10**15)}, "where the shape needs 48"),
        ({"location": "w.bin", "length": "many"}, "is no count"),
    ],
)
def test_dangerous_external_data_is_never_read(
    tmp_path: Path, entries: dict[str, str], what: str
) -> None:
    folder = tmp_path / "model"
    (folder / "folder").mkdir(parents=True)
    data = np.ones(12, dtype=np.float32).tobytes()
    for place in (tmp_path / "w.bin", folder / "w.bin", folder / "folder" / "w.bin"):
        place.write_bytes(data)
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "linked").symlink_to(folder / "folder")
    os.link(tmp_path / "w.bin", folder / "hard.bin")
    os.mkfifo(folder / "pipe")
    text = message(folder, mlp(external(entries)))
    assert text.startswith("InputFileError HB0204: the constant 'fc1.weight' is refused: external")
    assert what in text
    assert "from  mlp.onnx, node '/fc1/Gemm'" in text


def test_sound_external_data_is_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(b"1234" + np.arange(12, dtype="<f4").tobytes())
    model = mlp(external({"location": "sub/w.bin", "offset": "4", "length": "48"}))
    path = tmp_path / "mlp.onnx"
    path.write_bytes(model.SerializeToString())
    weight = load_model(path).tensors["fc1.weight"]
    np.testing.assert_array_equal(weight, np.arange(12, dtype=np.float32).reshape(4, 3).T)


def test_a_huge_claim_about_external_data_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"1234")
    text = message(tmp_path, mlp(external({"location": "w.bin"}, dims=(2**14, 2**13))))
    assert "bytes 0 to 536870912 of a file of 4" in text


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(file_bytes=10), "a model file of"),
        (Limits(elements=11), "11 elements"),
        (Limits(nodes=1), "2 nodes; the limit is 1"),
        (Limits(listed=1), "2 nodes; the limit is 1"),
    ],
)
def test_more_than_a_limit_is_refused(tmp_path: Path, limits: Limits, what: str) -> None:
    path = tmp_path / "mlp.onnx"
    path.write_bytes(mlp().SerializeToString())
    with pytest.raises(CapacityError, match=what):
        import_onnx(path, limits=limits)


def test_a_constant_that_would_explode_is_not_computed(tmp_path: Path) -> None:
    model = mlp(tensor("a", np.ones((2**13, 1), dtype=np.float32)))
    model.graph.initializer.append(tensor("b", np.ones((1, 2**13), dtype=np.float32)))
    model.graph.node.insert(0, helper.make_node("Add", ["a", "b"], ["fc1.weight"], name="sum"))
    assert "a constant of up to 67108864 elements" in message(tmp_path, model)


def test_a_circle_of_nodes_is_refused(tmp_path: Path) -> None:
    model = mlp()
    model.graph.node[0].input[0] = "y"
    assert "'y' is read, but nothing before this node gives it" in message(tmp_path, model)
    model.graph.node[1].op_type = "Identity"
    assert "nothing before this node gives it" in message(tmp_path, model)


def test_a_value_computed_twice_is_refused(tmp_path: Path) -> None:
    model = mlp()
    model.graph.node.append(helper.make_node("Tanh", ["z"], ["y"]))
    assert "HB0207: 'y' is computed more than once" in message(tmp_path, model)


def test_an_output_without_data_and_two_outputs_are_refused(tmp_path: Path) -> None:
    model = mlp()
    model.graph.output.append(helper.make_tensor_value_info("z", FLOAT, None))
    assert "the model computes 2 outputs: y, z" in message(tmp_path, model)
    model = mlp()
    model.graph.output[0].name = "fc1.weight"
    assert "does not depend on any input" in message(tmp_path, model)


def test_files_that_are_no_models_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    for name in ("missing.onnx", "folder.onnx", "missing.graph", "nul\0.onnx"):
        with pytest.raises(InputFileError, match="HB0201"):
            load_model(tmp_path / name)
    for name in ("net.nir", "net.net"):
        with pytest.raises(UnsupportedError, match="HB0325"):
            load_model(tmp_path / name)
    with pytest.raises(UsageError, match="HB0103"):
        load_model(tmp_path / "net.h5")


def test_a_damaged_graph_text_or_its_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.graph"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match="HB0201"):
        load_model(path)
    path.write_text("graph @g {\n return %x\n}")
    (tmp_path / "net.npz").write_bytes(b"PK")
    with pytest.raises(InputFileError, match="HB0205"):
        load_model(path)
    path.write_text("#" * 2**21)
    with pytest.raises(CapacityError, match="HB0203"):
        load_model(path)


@settings(max_examples=300, deadline=None)
@given(
    place=st.integers(0, len(SMALL) - 1),
    damage=st.binary(min_size=1, max_size=6),
    cut=st.booleans(),
)
def test_damage_gives_a_sound_graph_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes, cut: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    tail = b"" if cut else SMALL[place + len(damage) :]
    path.write_bytes(SMALL[:place] + damage + tail)
    with contextlib.suppress(HebbiteError):
        verify(load_model(path))
