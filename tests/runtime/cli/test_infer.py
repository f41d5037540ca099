"""``hebbite train --record`` and ``hebbite infer``: what they write, print and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbite.runtime.cli import app
from hebbite.runtime.demo import MODEL
from hebbite.runtime.infer.file import read_recording

SHORT = ("--engine", "reference", "--train-samples", "60", "--epochs", "1")


def hebbite(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a compiled model, and a recording of its training."""
    made = tmp_path_factory.mktemp("infer")
    words = ("--objective", "regression", "--rule", "dfa")
    assert hebbite("compile", MODEL, "-o", made / "d.hbt", *words).exit_code == 0
    asked = ("--record", made / "r.npz", "--record-steps", "20", "--record-every", "3")
    found = hebbite("train", made / "d.hbt", "-o", made / "t.hbt", *SHORT, *asked)
    assert found.exit_code == 0, found.output
    assert "recorded 20 steps of 3 samples" in found.stdout
    return made


def test_recording_does_not_change_what_is_learnt(folder: Path) -> None:
    assert hebbite("train", folder / "d.hbt", "-o", folder / "p.hbt", *SHORT).exit_code == 0
    assert (folder / "p.hbt").read_bytes() == (folder / "t.hbt").read_bytes()


def test_the_recording_is_that_of_the_training(folder: Path) -> None:
    recording = read_recording(folder / "r.npz")
    assert (recording.steps, recording.every, recording.training.data) == (20, 3, "digits")
    saved = hebbite("train", folder / "d.hbt", "-o", folder / "p.hbt", *SHORT, "--json")
    document = json.loads(saved.stdout)
    assert document["recording"] is None
    groups = recording.model.program.synapses
    last = {group.weight: recording.weights[group.name][-1] for group in groups}
    assert recording.model.with_tensors(last).sha256 == document["saved_program_sha256"]
    assert recording.model.sha256 == document["program_sha256"]


def test_a_resumed_training_is_recorded_from_its_checkpoint(folder: Path) -> None:
    kept = folder / "kept"
    whole = ("--engine", "reference", "--train-samples", "60")
    words = (*whole, "--epochs", "1", "--checkpoint-dir", kept)
    assert hebbite("train", folder / "d.hbt", "-o", folder / "o.hbt", *words).exit_code == 0
    asked = ("--record", folder / "s.npz", "--record-steps", "12", "--record-every", "5")
    resumed = (*whole, "--epochs", "2", "--resume", kept, *asked, "--json")
    found = hebbite("train", folder / "d.hbt", "-o", folder / "o.hbt", *resumed)
    document = json.loads(found.stdout)
    assert document["recording"]["steps"] == 12
    recording = read_recording(folder / "s.npz")
    groups = recording.model.program.synapses
    last = {group.weight: recording.weights[group.name][-1] for group in groups}
    assert recording.model.with_tensors(last).sha256 == document["saved_program_sha256"]


def test_infer_prints_one_object(folder: Path) -> None:
    words = ("--objectives", "regression,regression(target_rate=30)", "--rules", "dfa,frozen")
    found = hebbite("infer", folder / "r.npz", *words, "--json")
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    verdict = document["verdict"]
    assert verdict["separable"]
    assert (verdict["objective"], verdict["rule"]) == (
        "regression(target_rate=100, margin=0)",
        "dfa",
    )
    assert len(document["ranking"]) == 4
    assert len(document["gradient"]) == 2
    assert document["provenance"]["data"] == "digits"


def test_infer_prints_a_table_and_one_sentence(folder: Path) -> None:
    found = hebbite("infer", folder / "r.npz", "--rules", "dfa,frozen")
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert "nats/step" in lines[1]
    assert sum("gradient" in line for line in lines) == 2
    assert lines[-1].endswith("(fitted to 10 steps, tested on 10 after)")


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("--rules", "dfaa"), "HB0401", 2),
        (("--objectives", ""), "HB0482", 2),
        (("--rules", "stdp"), "HB0483", 1),
        (("--fit-steps", "19"), "HB0485", 2),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    folder: Path, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    found = hebbite("infer", folder / "r.npz", *words)
    assert (found.exit_code, code in found.stderr) == (exit_code, True), found.output


def test_a_file_that_is_no_recording_is_refused(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    for odd, code in ((tmp_path / "x.npz", "HB0231"), (folder / "d.hbt", "HB0230")):
        found = hebbite("infer", odd)
        assert (found.exit_code, code in found.stderr) == (3, True), found.output


def test_a_recording_that_cannot_be_is_refused_before_any_work(folder: Path) -> None:
    train, out = ("train", folder / "d.hbt", "-o", folder / "n.hbt", *SHORT), folder / "n.npz"
    cases: list[tuple[tuple[str | Path, ...], str]] = [
        (("--record", out, "--record-steps", "31", "--record-every", "2"), "HB0480"),
        (("--record", out, "--record-steps", "-1"), "HB0480"),
        (("--record", folder / "d.hbt"), "HB0156"),
        (("--record", folder / "n.hbt"), "HB0484"),
        (("--record", folder / "no" / "n.npz"), "HB0156"),
        (("--record-steps", "5"), "HB0484"),
        (("--record", out, "--engine", "lava"), "HB0481"),
    ]
    for words, code in cases:
        found = hebbite(*train, *words)
        assert code in found.stderr, (words, found.output)
        assert not (folder / "n.hbt").exists()
        assert not out.exists()
