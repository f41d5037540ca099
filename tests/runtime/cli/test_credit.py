"""``hebbite credit`` as typed: tables, JSON, plots, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hebbite.runtime.cli import app
from hebbite.runtime.demo import MODEL

SHORT = ["credit", str(MODEL), "--epochs", "1", "--samples", "32", "--train-samples", "100"]


def typed(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*SHORT, *words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


def test_tables_name_every_rule_layer_and_moment() -> None:
    text = typed("--rules", "backprop,frozen")
    for word in ("backprop", "frozen", "relu1", "fc2", "angle (deg)", "misassigned", "small step"):
        assert word in text
    assert "nothing was run on a chip" in text
    assert "squared payload units a sample" in text


def test_json_is_one_object_with_rows_and_where_they_come_from() -> None:
    found = json.loads(typed("--rules", "dfa(rate=-6)", "--at", "1", "--seeds", "0..1", "--json"))
    assert [(row["rule_text"][:13], row["seed"], row["epoch"]) for row in found["rows"]] == [
        ("dfa(rate=-6, ", seed, 1) for seed in (0, 0, 1, 1)
    ]
    assert found["provenance"]["objective_unit"] == "squared payload units a sample"


def test_plots_are_written_into_a_folder_and_are_the_same_twice(tmp_path: Path) -> None:
    names = ("bias-variance.svg", "angles.svg", "shares.svg", "delta-f.svg")
    text = typed("--rules", "dfa,frozen", "--plots", str(tmp_path))
    first = {name: (tmp_path / name).read_bytes() for name in names}
    assert all(f"wrote {tmp_path / name}" in text for name in names)
    assert all(b"<svg" in svg and b"dfa" in svg for svg in first.values())
    typed("--rules", "dfa,frozen", "--plots", str(tmp_path))
    assert first == {name: (tmp_path / name).read_bytes() for name in names}


def test_a_spiking_model_is_measured_with_its_surrogate_named() -> None:
    spiking = ["--neuron", "lif", "--encode", "rate", "--target", "loihi1", "--set", "window=8"]
    text = typed("--rules", "stdp", "--samples", "4", "--draws", "2", *spiking)
    assert "triangle derivative of the spike" in text
    assert "ran 2 times" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--rules", "dfx"], "HB0401"),
        (["--at", "5"], "HB0119"),
        (["--rules", "bptt"], "HB0402"),
        (["--plots", "no/such/folder"], "HB0163"),
        (["--rules", "stdp"], "HB0403"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(words: list[str], code: str) -> None:
    exit_code = 1 if code in ("HB0402", "HB0403") else 2
    assert code in typed(*words, code=exit_code)
