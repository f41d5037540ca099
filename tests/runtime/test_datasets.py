"""A data set is split the same way everywhere, and a file that is not one is refused."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import hebbite.runtime.datasets as datasets
from hebbite.rules.errors import InputFileError, UsageError
from hebbite.runtime.datasets import Dataset, load_dataset

SHA256 = {
    ("digits", 0): "7de80369e66dc2083fed0564f0c661f38aa1fb4ca2ed7e40098f1e3e2368cde9",
    ("digits", 1): "8d2eba849c8d24b57ba6aaeea9a45ab1518b7476b6b0f0d0eb5677b08488d898",
    ("digits-parity", 0): "39414cfc34012850a356f2d13712e158b65d5176ffec90667a631f922e632367",
    ("events.npz", 0): "57d4b634e293b29c27470f508c6947a5905b696f3c8c4257335e4d172c2f31fd",
}


def parts(data: Dataset) -> list[tuple[Any, Any]]:
    return [
        (data.x_train, data.y_train),
        (data.x_validation, data.y_validation),
        (data.x_test, data.y_test),
    ]


def digest(data: Dataset) -> str:
    total = hashlib.sha256()
    for x, y in parts(data):
        total.update(x.astype("<f4").tobytes())
        total.update(y.astype("<i8").tobytes())
    return total.hexdigest()


def small() -> dict[str, Any]:
    """Return 40 + 6 samples of 3 steps and 2 lines, all different, of 4 classes."""
    x = np.arange(46 * 3 * 2, dtype=np.int16).reshape(46, 3, 2)
    y = np.arange(46, dtype=np.uint8) % 4
    return {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.npz"
    np.savez_compressed(path, **small())
    return path


def test_digits_are_1797_images_with_pixels_from_0_to_1() -> None:
    data = load_dataset("digits", seed=0)
    assert data.split == "stratified, seed 0: 1293 train, 145 validation, 359 test"
    assert (data.name, data.classes) == ("digits", 10)
    for x, y in parts(data):
        assert (x.dtype, y.dtype, x.shape) == (np.float32, np.int64, (len(y), 64))
        assert not x.flags.writeable
        assert not y.flags.writeable
    x = np.concatenate([x for x, _ in parts(data)])
    assert (x.min(), x.max()) == (0, 1)
    assert np.array_equal(x * 16, np.rint(x * 16))


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_each_part_holds_its_share_of_each_class(seed: int) -> None:
    data = load_dataset("digits", seed=seed)
    train, validation, test = (np.bincount(y, minlength=10) for _, y in parts(data))
    total = train + validation + test
    assert (np.abs(test - total / 5) <= 0.5).all()
    assert (np.abs(validation - (train + validation) / 10) <= 0.5).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_parts_share_no_sample_and_lose_none(events: Path, seed: int) -> None:
    data = load_dataset(events, seed=seed)
    first = [x[:, 0, 0] for x, _ in parts(data)]
    assert sorted(np.concatenate(first)) == list(range(0, 46 * 6, 6))
    for x, y in parts(data):
        assert np.array_equal(x[:, 0, 0] / 6 % 4, y)


def test_digits_lose_no_sample() -> None:
    with np.load(datasets._DIGITS, allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    data = load_dataset("digits", seed=5)
    rows = np.concatenate(
        [np.column_stack([x_part * 16, y_part]) for x_part, y_part in parts(data)]
    )
    assert sorted(map(tuple, rows)) == sorted(map(tuple, np.column_stack([x, y])))


@pytest.mark.parametrize(("name", "seed"), SHA256)
def test_the_same_seed_gives_the_same_split_on_every_machine(
    events: Path, name: str, seed: int
) -> None:
    data = load_dataset(events if name == events.name else name, seed=seed)
    assert digest(data) == SHA256[name, seed]


def test_a_split_is_shuffled_and_another_seed_gives_another() -> None:
    one, two = (load_dataset("digits", seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.y_train, two.y_train)
    assert (np.diff(one.y_train) < 0).sum() > 400


def test_parity_keeps_the_split_of_digits() -> None:
    digits, parity = load_dataset("digits", seed=3), load_dataset("digits-parity", seed=3)
    assert parity.classes == 2
    for (x, y), (x_parity, y_parity) in zip(parts(digits), parts(parity), strict=True):
        assert np.array_equal(x, x_parity)
        assert np.array_equal(y % 2, y_parity)


def test_a_file_keeps_its_values_and_its_test_part(events: Path) -> None:
    data = load_dataset(str(events), seed=0)
    assert data.name == "events.npz"
    assert data.x_train.shape == (36, 3, 2)
    assert np.array_equal(np.bincount(data.y_validation), [1, 1, 1, 1])
    assert np.array_equal(data.x_test, small()["x_test"])


@pytest.mark.parametrize(
    ("dtype", "order"), [("?", "C"), (">f8", "F"), ("<f2", "C"), (">u4", "F"), ("i1", "C")]
)
def test_any_number_of_any_byte_order_and_layout_is_read(
    tmp_path: Path, dtype: str, order: Any
) -> None:
    arrays = small()
    for name in ("x_train", "x_test"):
        arrays[name] = np.asarray(arrays[name] % 2, dtype=dtype, order=order)
    np.savez(tmp_path / "x.npz", **arrays)
    data = load_dataset(tmp_path / "x.npz", seed=0)
    assert np.array_equal(data.x_test, arrays["x_test"])


def test_mnist_is_read_from_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "mnist.npz", **small())
    monkeypatch.setenv("HEBBITE_DATA", str(tmp_path))
    assert load_dataset("mnist", seed=0).name == "mnist"


@pytest.mark.parametrize("folder", ["", "/nowhere"])
def test_an_absent_mnist_names_the_script_that_makes_it(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("HEBBITE_DATA", folder)
    with pytest.raises(InputFileError, match=r"HB0228(.|\n)*examples/get_mnist\.py"):
        load_dataset("mnist", seed=0)


def test_an_unknown_name_and_a_negative_seed_are_misuse() -> None:
    with pytest.raises(UsageError, match=r"HB0140(.|\n)*did you mean 'digits'"):
        load_dataset("digit", seed=0)
    with pytest.raises(UsageError, match="HB0141"):
        load_dataset("digits", seed=-1)


def put(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: arrays | {name: value}


Change = Callable[[dict[str, Any]], dict[str, Any]]
BAD: dict[str, tuple[Change, str]] = {
    "an array is absent": (lambda arrays: {"x_train": arrays["x_train"]}, "HB0222"),
    "an array is unknown": (put("x_more", np.zeros(1)), "HB0222"),
    "objects": (put("x_train", np.array([None] * 40)), "HB0223"),
    "text": (put("y_train", np.array(["a"] * 40)), "HB0223"),
    "complex": (put("x_train", np.zeros((40, 2), complex)), "HB0223"),
    "a record": (put("x_train", np.zeros((40, 2), "i4,i4")), "HB0223"),
    "no features": (put("x_train", np.zeros(40)), "HB0224"),
    "a scalar": (put("x_train", np.array(1.0)), "HB0224"),
    "no samples": (put("x_test", np.zeros((0, 3, 2))), "HB0224"),
    "other test features": (put("x_test", np.zeros((6, 2, 3))), "HB0224"),
    "too few labels": (put("y_train", np.zeros(39, np.int8)), "HB0224"),
    "labels as columns": (put("y_train", np.zeros((40, 1), np.int8)), "HB0224"),
    "NaN": (put("x_train", np.full((40, 3, 2), np.nan)), "HB0225"),
    "infinite": (put("x_test", np.full((6, 3, 2), -np.inf)), "HB0225"),
    "beyond float32": (put("x_test", np.full((6, 3, 2), 1e300)), "HB0225"),
    "labels as floats": (put("y_train", np.zeros(40)), "HB0226"),
    "a label below 0": (put("y_test", np.full(6, -1)), "HB0226"),
    "a label of 2^63": (put("y_test", np.full(6, 2**63, np.uint64)), "HB0226"),
    "a test label that train lacks": (put("y_test", np.full(6, 4)), "HB0226"),
    "a class that is left out": (put("y_train", np.arange(40) % 4 * 2), "HB0226"),
    "a class with one sample": (put("y_train", np.arange(40) // 39), "HB0226"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_data_set_is_refused(tmp_path: Path, case: str) -> None:
    change, code = BAD[case]
    np.savez(tmp_path / "x.npz", **change(small()))
    with pytest.raises(InputFileError) as caught:
        load_dataset(tmp_path / "x.npz", seed=0)
    assert caught.value.code == code
    assert str(tmp_path / "x.npz") in str(caught.value)


def test_files_that_are_absent_large_or_no_npz_are_refused(
    tmp_path: Path, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.npz").write_text("no")
    (tmp_path / "folder.npz").mkdir()
    monkeypatch.setattr(datasets, "MAX_BYTES", 100)
    for name, code in {
        "absent.npz": "HB0220",
        "folder.npz": "HB0220",
        "text.npz": "HB0221",
        "events.npz": "HB0227",
    }.items():
        with pytest.raises(InputFileError, match=code):
            load_dataset(tmp_path / name, seed=0)


@pytest.mark.parametrize("shape", ["(10000000000, 10000000000)", "(40,)", "(-40, 3, 2)", "()"])
def test_a_shape_that_does_not_fill_its_bytes_is_refused(tmp_path: Path, shape: str) -> None:
    file = io.BytesIO()
    np.savez(file, **small())
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "x_train.npy":
                text = f"{{'descr': '<i2', 'fortran_order': False, 'shape': {shape}, }}"
                data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
            new.writestr(name, data)
    with pytest.raises(InputFileError, match=r"HB022[34]"):
        load_dataset(path, seed=0)


def test_a_packing_that_numpy_does_not_write_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("x_train.npy", b"")
    with pytest.raises(InputFileError, match="HB0221"):
        load_dataset(tmp_path / "x.npz", seed=0)


def test_a_thousand_damages_are_refused_or_change_nothing(events: Path) -> None:
    whole, expected = events.read_bytes(), digest(load_dataset(events, seed=0))
    chance = random.Random(0)
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= chance.randrange(1, 256)
        events.write_bytes(damaged[: chance.choice([len(whole), chance.randrange(len(whole))])])
        try:
            data = load_dataset(events, seed=0)
        except InputFileError:
            continue
        assert digest(data) == expected


def test_the_shipped_model_is_whole_and_tells_nothing_of_its_maker() -> None:
    path = datasets._DIGITS.with_name("digits.onnx")
    assert not any(trace in path.read_bytes() for trace in (b"/tmp", b"/home", b"site-packages"))
    graph = onnx.load(path, load_external_data=False).graph
    assert [node.op_type for node in graph.node] == ["Gemm", "Relu", "Gemm"]
    assert [graph.input[0].name, graph.output[0].name] == ["image", "logits"]
    sizes = graph.input[0].type.tensor_type.shape.dim
    assert (sizes[0].dim_param, sizes[1].dim_value) == ("batch", 64)
    assert not any(tensor.external_data for tensor in graph.initializer)


def test_series_of_speakers_are_frames_that_end_with_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEBBITE_DATA", str(Path(__file__).parents[1] / "data"))
    data = load_dataset("japanese-vowels", seed=0)
    assert data.x_train.shape[1:] == data.x_test.shape[1:] == (25, 12)
    assert (len(data.x_train) + len(data.x_validation), len(data.x_test)) == (270, 370)
    assert data.classes == 9
    assert np.abs(data.x_train).max() == 2.0
    assert data.x_test[:, -1].any(axis=1).all()
    assert not data.x_test[:, 0].any(axis=1).all()


def test_absent_series_name_the_script_that_makes_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEBBITE_DATA", str(tmp_path))
    with pytest.raises(InputFileError, match=r"HB0228(.|\n)*examples/get_japanese_vowels\.py"):
        load_dataset("japanese-vowels", seed=0)
