"""Odd and damaged inputs by chance: every verb answers with an exit code of its own, 0 to 4."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbite.compiler.container import (
    bytes_to_tensors,
    read_container,
    tensors_to_bytes,
    write_container,
)
from hebbite.runtime.cli import app
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL

ENGINE = ("--engine", "reference")


def hebbite(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sound file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    whole = load_dataset("digits", seed=0)
    x, y = whole.x_train[:60], np.arange(60) % 10
    np.savez(folder / "d.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    np.savez(folder / "x.npz", x=x[:3])
    (folder / "m.onnx").write_bytes(MODEL.read_bytes())
    assert hebbite("compile", MODEL, "-o", folder / "m.hbt").exit_code == 0
    words = ("--data", folder / "d.npz", "--epochs", "1", "--train-samples", "5", *ENGINE)
    kept = ("--checkpoint-dir", folder / "kept")
    found = hebbite("train", folder / "m.hbt", "-o", folder / "t.hbt", *words, *kept)
    assert found.exit_code == 0
    return folder


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data))]
    for _ in range(chance.choice((1, 1, 3, 30))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def repacked(path: Path, chance: random.Random, out: Path) -> None:
    """Damage one member and give it the right checksum, so that it is read."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    hit = chance.randrange(len(members))
    with zipfile.ZipFile(out, "w") as archive:
        for index, (name, data) in enumerate(members):
            whole = zipfile.ZipInfo(name)
            archive.writestr(whole, damaged(data, chance) if index == hit else data)


def odd_file(files: Path, suffix: str, chance: random.Random, folder: Path) -> Path:
    sound = files / {".onnx": "m.onnx", ".hbt": "t.hbt", ".npz": "d.npz"}[suffix]
    path = folder / f"odd{len(list(folder.iterdir()))}{suffix}"
    kind = chance.randrange(10)
    if kind < 3:
        path.write_bytes(damaged(sound.read_bytes(), chance))
    elif kind < 6 and suffix != ".onnx":
        repacked(sound, chance, path)
    elif kind == 6:
        path.write_bytes((files / chance.choice(("m.onnx", "m.hbt", "x.npz"))).read_bytes())
    elif kind == 7:
        path.symlink_to(path.name)
    elif kind == 8:
        path.mkdir()
    return path


ODD = ("", "-1", "9" * 20, "nan", "é", "\udcff", "dfa(", "../x", "x" * 5000)


def request(files: Path, chance: random.Random, folder: Path) -> list[str | Path]:
    def given(sound: str | Path) -> str | Path:
        return sound if chance.random() < 0.9 else chance.choice(ODD)

    def file(suffix: str) -> str | Path:
        sound = files / {".onnx": "m.onnx", ".hbt": "t.hbt", ".npz": "d.npz"}[suffix]
        return given(sound if chance.random() < 0.4 else odd_file(files, suffix, chance, folder))

    out, data = ("-o", given(folder / "out")), ("--data", file(".npz"))
    learn = (*ENGINE, "--epochs", "1", "--train-samples", given("5"))
    verbs: list[tuple[str | Path, ...]] = [
        ("check", file(".onnx"), "--rule", given("dfa"), "--target", given("loihi2")),
        ("compile", file(".onnx"), *out, "--set", given("window=3"), "--seed", given("1")),
        ("run", file(".hbt"), *ENGINE, "--steps", given("8"), *out),
        ("run", file(".hbt"), *ENGINE, "--input", given(files / "x.npz"), "--probe", given("a")),
        ("train", file(".hbt"), *learn, *data, *out, "--resume", file(".hbt")),
        ("train", file(".hbt"), *learn, *data, *out),
        ("evaluate", file(".hbt"), *ENGINE, *data, "--rounding", given("lava-exact")),
        ("verify", file(".hbt"), "--engines", given("reference"), "--steps", given("8")),
        ("inspect", file(chance.choice((".onnx", ".hbt")))),
    ]
    return list(chance.choice(verbs))


@pytest.mark.parametrize("block", range(6))
def test_whatever_comes_in_the_exit_code_is_known_and_a_failure_writes_nothing(
    files: Path, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50 * block, 50 * (block + 1)):
        chance, folder = random.Random(number), tmp_path / f"{number}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        words = request(files, chance, folder)
        there = sorted(os.walk(folder))
        found = hebbite(*words)
        assert found.exit_code in range(5), (words, found.output)
        assert "Traceback" not in found.output
        if found.exit_code:
            assert sorted(os.walk(folder)) == there, words


MANIFESTS: dict[str, tuple[str, str, object]] = {
    "text for epochs": ("training", "epochs", "native"),
    "epochs below 0": ("training", "epochs", -1),
    "seed below 0": ("training", "split_seed", -5),
    "truth for a number": ("training", "samples", True),
    "no such source": ("coding", "source", "x"),
    "no such teacher": ("coding", "teacher", "x"),
    "no such code": ("coding", "kind", "x"),
    "scale 0": ("coding", "scale", 0.0),
    "other outputs": ("coding", "outputs", 3),
    "huge window": ("coding", "window", 2**40),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_of_nonsense_is_refused(files: Path, tmp_path: Path, name: str) -> None:
    section, key, value = MANIFESTS[name]
    whole = read_container(files / "kept" / "epoch-00001.hbt")
    manifest = dict(whole.manifest)
    part = manifest[section]
    assert isinstance(part, dict)
    manifest[section] = {**part, key: value}  # type: ignore[dict-item]
    write_container(tmp_path / "m.hbt", manifest=manifest, members=whole.members)
    for words in (("evaluate", tmp_path / "m.hbt"), ("inspect", tmp_path / "m.hbt")):
        found = hebbite(*words)
        assert (found.exit_code, "HB0711" in found.stderr) == (3, True), found.output


def test_a_checkpoint_with_the_state_of_another_program_is_refused(
    files: Path, tmp_path: Path
) -> None:
    whole = read_container(files / "kept" / "epoch-00001.hbt")
    state = bytes_to_tensors(whole.members["state.safetensors"], at="state")
    for name in ("clock", "neuron.relu1.v"):
        less = {key: value for key, value in state.items() if key != name}
        members = {**whole.members, "state.safetensors": tensors_to_bytes(less)}
        write_container(tmp_path / "c.hbt", manifest=dict(whole.manifest), members=members)
        words = ("--data", files / "d.npz", "--train-samples", "5", "--epochs", "2", *ENGINE)
        resume = ("--resume", tmp_path / "c.hbt", "-o", tmp_path / "o.hbt")
        found = hebbite("train", files / "m.hbt", *words, *resume)
        assert (found.exit_code, "HB0717" in found.stderr) == (3, True), found.output
        assert not (tmp_path / "o.hbt").exists()


def test_an_output_that_is_a_folder_is_refused_before_any_work(files: Path, tmp_path: Path) -> None:
    for verb in ("run", "train"):
        found = hebbite(verb, files / "m.hbt", *ENGINE, "-o", tmp_path)
        assert (found.exit_code, "HB0156" in found.stderr) == (2, True)


def test_compare_says_what_was_finished_and_refuses_a_foreign_store(
    files: Path, tmp_path: Path
) -> None:
    words = ("compare", MODEL, "--rules", "dfa,frozen", "--seeds", "0", "--epochs", "1", *ENGINE,
             "--data", files / "d.npz", "--train-samples", "5", "--json")  # fmt: skip
    first, again = hebbite(*words), hebbite(*words)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "finished before" not in first.stderr
    assert "2 of 2 jobs were finished before" in again.stderr
    assert "finished before" not in hebbite(*words, "--fresh").stderr
    own = ("--store", tmp_path / "own.sqlite")
    assert "finished before" not in hebbite(*words, *own).stderr
    assert "2 of 2" in hebbite(*words, *own).stderr
    (tmp_path / "letter").write_text("a letter")
    found = hebbite(*words, "--store", tmp_path / "letter")
    assert (found.exit_code, "HB0716" in found.stderr) == (3, True)
    assert (tmp_path / "letter").read_text() == "a letter"
