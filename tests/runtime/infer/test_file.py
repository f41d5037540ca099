"""The file of a recording: round trip, the same bytes, damage noticed, nothing unpickled."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.hbt import save_compiled
from hebbite.rules.errors import HebbiteError, InputFileError
from hebbite.runtime.infer import file
from hebbite.runtime.infer.file import read_recording, write_recording
from hebbite.runtime.infer.recording import LearningRecording

Arrays = dict[str, NDArray[Any]]
Record = Callable[..., LearningRecording]


@pytest.fixture
def small(recorded: Record) -> LearningRecording:
    return recorded("classification", "dfa", 3, 2)


@pytest.fixture
def path(small: LearningRecording, tmp_path: Path) -> Path:
    write_recording(tmp_path / "r.npz", small)
    return tmp_path / "r.npz"


def arrays_of(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def test_what_is_written_is_read(small: LearningRecording, path: Path) -> None:
    found = read_recording(path)
    assert found.model.sha256 == small.model.sha256
    assert found.training == small.training
    assert np.array_equal(found.x, small.x)
    assert np.array_equal(found.y, small.y)
    assert found.weights.keys() == small.weights.keys()
    assert all(np.array_equal(found.weights[name], small.weights[name]) for name in found.weights)


def test_any_numpy_reads_the_weights(small: LearningRecording, path: Path) -> None:
    found = arrays_of(path)
    assert sorted(found) == sorted(
        ["format", "model", "x", "y", *(f"weight.{name}" for name in small.weights)]
    )
    assert found["weight.to_fc2"].shape == (4, 10, 33)
    assert found["x"].shape == (3, 2, 64)


def test_the_same_recording_gives_the_same_bytes(
    small: LearningRecording, path: Path, tmp_path: Path
) -> None:
    write_recording(tmp_path / "again.npz", read_recording(path))
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_real_targets_are_kept(small: LearningRecording, tmp_path: Path) -> None:
    y = np.linspace(-1, 1, 60).reshape(3, 2, 10)
    write_recording(tmp_path / "t.npz", replace(small, y=y))
    assert np.array_equal(read_recording(tmp_path / "t.npz").y, y)


def without(name: str) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {key: value for key, value in arrays.items() if key != name}


def changed(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[..., Arrays]:
    return lambda arrays: {**arrays, name: change(arrays[name])}


CODES = [f"HB023{number}" for number in range(8)]


def code_of(path: Path) -> str:
    """Return the code that a file is refused with; '' if it is read."""
    try:
        read_recording(path)
    except HebbiteError as error:
        return error.code
    return ""


DAMAGE: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "no model": (without("model"), "HB0231"),
    "no weights of a group": (without("weight.to_fc2"), "HB0231"),
    "weights of nothing": (lambda arrays: {**arrays, "weight.a": np.zeros(3)}, "HB0231"),
    "another version": (changed("format", lambda a: a + 1), "HB0237"),
    "a snapshot too few": (changed("weight.to_fc2", lambda a: a[1:]), "HB0232"),
    "weights that are real": (changed("weight.to_fc2", lambda a: a * 1.0), "HB0232"),
    "weights beyond the word": (changed("weight.to_fc2", lambda a: a + 512), "HB0234"),
    "fewer features": (changed("x", lambda a: a[..., 1:]), "HB0232"),
    "integers for samples": (changed("x", lambda a: a.astype(np.int64)), "HB0232"),
    "a flat x": (changed("x", lambda a: a.reshape(6, 64)), "HB0232"),
    "no step": (lambda a: {**a, "x": a["x"][:0], "y": a["y"][:0]}, "HB0232"),
    "labels of fewer samples": (changed("y", lambda a: a[:, 1:]), "HB0232"),
    "NaN": (changed("x", lambda a: a * np.nan), "HB0234"),
    "a class too many": (changed("y", lambda a: a + 10), "HB0234"),
    "a model cut off": (changed("model", lambda a: a[:-9]), "HB0233"),
    "a model of words": (changed("model", lambda a: a.astype(np.int16)), "HB0233"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_an_array_that_is_wrong_is_named(name: str, path: Path, tmp_path: Path) -> None:
    damage, code = DAMAGE[name]
    np.savez(tmp_path / "odd.npz", allow_pickle=False, **damage(arrays_of(path)))
    with pytest.raises(InputFileError, match=code) as found:
        read_recording(tmp_path / "odd.npz")
    assert found.value.problems[0].at == str(tmp_path / "odd.npz")
    assert "--record" in found.value.problems[0].hint


def test_a_model_that_does_not_say_how_it_learnt_is_refused(
    small: LearningRecording, path: Path, tmp_path: Path
) -> None:
    save_compiled(tmp_path / "m.hbt", small.model)
    model = np.frombuffer((tmp_path / "m.hbt").read_bytes(), np.uint8)
    arrays = {**arrays_of(path), "model": model}
    np.savez(tmp_path / "odd.npz", allow_pickle=False, **arrays)
    with pytest.raises(InputFileError, match="HB0233"):
        read_recording(tmp_path / "odd.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing else", b"a letter"])
def test_what_is_no_npz_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.npz").write_bytes(content)
    with pytest.raises(InputFileError, match="HB0230"):
        read_recording(tmp_path / "odd.npz")


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for odd in (tmp_path / "none.npz", tmp_path, Path("a\0b")):
        with pytest.raises(InputFileError, match="HB0230"):
            read_recording(odd)


def test_a_pickle_is_refused(path: Path, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {**arrays_of(path), "y": np.array([{}], object)}
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(InputFileError, match="HB0230"):
        read_recording(tmp_path / "odd.npz")


def test_damage_by_chance_is_an_error_of_ours_or_none(path: Path, tmp_path: Path) -> None:
    whole, odd = path.read_bytes(), tmp_path / "odd.npz"
    codes = []
    for number in range(150):
        chance, data = random.Random(number), bytearray(whole)
        for _ in range(chance.choice((1, 3, 30))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        odd.write_bytes(data[: chance.randrange(len(data))] if number % 5 == 0 else data)
        codes.append(code_of(odd))
    assert all(code in ("", *CODES) for code in codes), set(codes)
    assert len([code for code in codes if code]) > 120


def test_a_recording_too_large_is_neither_written_nor_read(
    small: LearningRecording, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "MAX_BYTES", 1000)
    with pytest.raises(InputFileError, match="HB0236"):
        write_recording(tmp_path / "large.npz", small)
    with pytest.raises(InputFileError, match="HB0236"):
        read_recording(path)
    assert not (tmp_path / "large.npz").exists()


def test_a_file_is_replaced_whole_or_not_at_all(
    small: LearningRecording, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    put = os.replace

    def full(source: Path, place: Path) -> None:
        if place.name == path.name:
            raise OSError(28, "No space left on device")
        put(source, place)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputFileError, match="HB0235"):
        write_recording(path, replace(small, y=small.y[::-1]))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.npz"]
