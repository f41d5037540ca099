"""Bad inputs: a clear coded text, the right exit code, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from hebbite.runtime.cli import app
from hebbite.runtime.demo import MODEL

FLOAT = TensorProto.FLOAT
Make = Callable[[Path], tuple[str, ...]]


def model(
    path: Path,
    *,
    op: str = "Relu",
    weight: tuple[int, int] = (4, 3),
    fill: float = 1.0,
    inputs: tuple[int | str, ...] = ("batch", 4),
) -> None:
    info = helper.make_tensor_value_info
    first = np.full(weight, fill, np.float32)
    second = np.ones((weight[1], 2), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["image", "w1"], ["z"], name="/fc1/Gemm"),
            helper.make_node(op, ["z"], ["h"], name="/act"),
            helper.make_node("Gemm", ["h", "w2"], ["y"], name="/fc2/Gemm"),
        ],
        "g",
        [info("image", FLOAT, inputs)],
        [info("y", FLOAT, None)],
        [numpy_helper.from_array(first, "w1"), numpy_helper.from_array(second, "w2")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    path.write_bytes(made.SerializeToString())


def truncated(path: Path) -> tuple[str, ...]:
    path.write_bytes(MODEL.read_bytes()[:5000])
    return ()


def unknown_op(path: Path) -> tuple[str, ...]:
    model(path, op="Softsign")
    return ()


def wrong_shapes(path: Path) -> tuple[str, ...]:
    model(path, weight=(5, 3))
    return ()


def nan_weights(path: Path) -> tuple[str, ...]:
    model(path, fill=float("nan"))
    return ()


def dynamic_dims(path: Path) -> tuple[str, ...]:
    model(path, inputs=("batch", "features"))
    return ()


def too_large_unsplit(path: Path) -> tuple[str, ...]:
    model(path, weight=(4, 9000))
    return ("--no-split",)


def sound(*words: str) -> Make:
    def make(path: Path) -> tuple[str, ...]:
        path.write_bytes(MODEL.read_bytes())
        return words

    return make


CASES: dict[str, tuple[Make, int]] = {
    "truncated": (truncated, 3),
    "unknown_op": (unknown_op, 1),
    "wrong_shapes": (wrong_shapes, 1),
    "nan_weights": (nan_weights, 3),
    "dynamic_dims": (dynamic_dims, 1),
    "too_large": (too_large_unsplit, 4),
    "no_such_file": (lambda path: (), 3),
    "unknown_rule": (sound("--rule", "dfaa"), 2),
    "unknown_target": (sound("--target", "loihi3"), 2),
    "misread_by_lava": (sound("--rule", "dw = u10*w"), 2),
    "rule_out_of_range": (sound("--rule", "dfa(rate=-20)"), 2),
    "graded_rule_for_loihi1": (sound("--target", "loihi1"), 1),
    "host_rule": (sound("--rule", "bptt"), 1),
    "stdp_on_graded_units": (sound("--rule", "stdp"), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_explained_and_nothing_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, code = CASES[name]
    words = make(Path("model.onnx"))
    there = sorted(tmp_path.rglob("*"))
    found = CliRunner().invoke(app, ["compile", "model.onnx", "-o", "out.hbt", *words])
    assert sorted(tmp_path.rglob("*")) == there
    assert found.stdout == ""
    remarks = ("calibrated on",)
    text = "\n".join(x for x in found.stderr.splitlines() if not x.startswith(remarks))
    assert f"exit {found.exit_code}\n{text}" == golden(f"cli/{name}")
    assert found.exit_code == code
    listed = CliRunner().invoke(app, ["check", "model.onnx", *words, "--json"])
    assert listed.exit_code == 1
    assert not json.loads(listed.stdout)["ok"]


@pytest.mark.parametrize("verb", ["train", "evaluate", "run", "verify", "inspect"])
def test_a_damaged_file_is_refused_by_every_verb(verb: str, tmp_path: Path) -> None:
    path, out = tmp_path / "m.hbt", tmp_path / "out"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    words = ("-o", str(out)) if verb in ("train", "run") else ()
    found = CliRunner().invoke(app, [verb, str(path), *words, "--json"])
    assert found.exit_code == 3
    assert json.loads(found.stdout)["error"]["code"].startswith("HB07")
    assert not out.exists()


def test_a_model_where_a_compiled_file_belongs_names_the_command_that_helps() -> None:
    found = CliRunner().invoke(app, ["evaluate", str(MODEL)])
    assert (found.exit_code, "hebbite compile" in found.stderr) == (2, True)


def test_a_fault_of_ours_is_one_line_and_exit_5(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("hebbite.runtime.cli.requests.read_graph", fail)
    found = CliRunner().invoke(app, ["inspect", "model.onnx", "--json"])
    assert found.exit_code == 5
    assert "Traceback" not in found.stderr
    assert json.loads(found.stdout)["error"]["code"] == "HB0001"
    found = CliRunner().invoke(app, ["inspect", "model.onnx", "--debug"])
    assert (found.exit_code, "Traceback" in found.stderr) == (5, True)
