"""A recording as an ``.npz`` file: arrays of numbers alone, nothing pickled or evaluated.

format          [1], the version of this layout
model           uint8: the bytes of a ``.hbt`` file, which holds model and training
x, y            as in `LearningRecording`, x float64, y int64 (classes) or float64 (targets)
weight.GROUP    (steps + 1, out, in) int16, int32 for chips of wider words

The same recording gives the same bytes. Files are written whole or not at all.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.container import replace_file
from hebbite.compiler.hbt import Saved, load_compiled, save_compiled
from hebbite.rules.errors import HebbiteError, InputFileError, Problem
from hebbite.runtime.datasets import read_npz
from hebbite.runtime.infer.recording import AGAIN, LearningRecording

Arrays = Mapping[str, NDArray[Any]]
VERSION: Final = 1
MAX_BYTES: Final = 2**30
"""Most bytes of arrays that a recording takes."""
_FIXED = ("format", "model", "x", "y")
_PREFIX = "weight."


def write_recording(path: str | os.PathLike[str], recording: LearningRecording) -> None:
    """Write a recording, whole or not at all.

    Raises:
        InputFileError: HB0235 if the file cannot be written, HB0236 if it would be too large.
    """
    arrays = _arrays_of(recording)
    check_size(sum(array.nbytes for array in arrays.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.save(part, array, allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same bytes every day
            archive.writestr(member, part.getvalue(), zipfile.ZIP_DEFLATED)
    try:
        replace_file(Path(os.path.realpath(path)), [buffer.getvalue()])
    except OSError as error:
        what = f"cannot write the recording: {error.strerror or error}"
        raise InputFileError(Problem("HB0235", what, at=os.fspath(path))) from error


def read_recording(path: str | os.PathLike[str]) -> LearningRecording:
    """Return the recording that a file holds.

    Raises:
        InputFileError: HB0230 for what is no npz of numbers, HB0231 for arrays missing or unknown,
            HB0232 and HB0234 as `LearningRecording`, HB0233 for a model that cannot be read, HB0236
            for too many bytes, HB0237 for another version.
    """
    at = Path(path)
    arrays = _read(at)
    if missing := [name for name in _FIXED if name not in arrays]:
        _refuse("HB0231", f"no array '{missing[0]}': this is no recording of learning", at)
    if arrays["format"].tolist() != [VERSION]:
        _refuse("HB0237", f"format {arrays['format'].tolist()}; known: [{VERSION}]", at)
    saved = _model_of(arrays["model"], at)
    groups = {_PREFIX + group.name for group in saved.compiled.program.synapses}
    if found := arrays.keys() ^ {*_FIXED, *groups}:
        _refuse("HB0231", f"array '{min(found)}' is missing, or of no synapses of the model", at)
    weights = {name.removeprefix(_PREFIX): arrays[name] for name in sorted(groups)}
    if saved.training is None:
        _refuse("HB0233", "the recorded model does not say how it learnt", at)
    try:
        return LearningRecording(saved.compiled, saved.training, arrays["x"], arrays["y"], weights)
    except InputFileError as error:
        raise InputFileError(*(replace(p, at=str(at)) for p in error.problems)) from error


def check_size(size: int) -> None:
    """Refuse arrays that take too many bytes together (HB0236)."""
    if size > MAX_BYTES:
        what = f"a recording of {size} bytes; the limit is {MAX_BYTES}"
        raise InputFileError(Problem("HB0236", what, hint="record fewer steps"))


def _arrays_of(recording: LearningRecording) -> dict[str, NDArray[Any]]:
    word = np.int16 if recording.model.program.widths.weight < 16 else np.int32
    classes = recording.y.dtype.kind in "iub"
    with tempfile.TemporaryDirectory(prefix="hebbite-") as folder:
        whole = Path(folder) / "model.hbt"
        save_compiled(whole, recording.model, training=recording.training)
        model = np.frombuffer(whole.read_bytes(), np.uint8)
    return {
        "format": np.array([VERSION], np.int64),
        "model": model,
        "x": np.ascontiguousarray(recording.x, "<f8"),
        "y": np.ascontiguousarray(recording.y, "<i8" if classes else "<f8"),
        **{
            _PREFIX + k: np.ascontiguousarray(v, word) for k, v in sorted(recording.weights.items())
        },
    }


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if path.exists() and not path.is_file():  # a pipe would wait, a device never end
        _refuse("HB0230", "cannot read the recording: a folder, a pipe or a device", path)
    try:
        arrays = read_npz(path, None)
    except InputFileError as error:
        _refuse("HB0230", f"cannot read the recording: {error.problems[0].what}", path)
    except ValueError as error:  # a name that no file can have
        _refuse("HB0230", f"cannot read the recording: {error}", path)
    check_size(sum(array.nbytes for array in arrays.values()))
    return arrays


def _model_of(data: NDArray[Any], path: Path) -> Saved:
    if data.dtype != np.uint8 or data.ndim != 1:
        _refuse("HB0233", f"the model is {data.dtype} {data.shape}; wanted uint8 (bytes,)", path)
    with tempfile.TemporaryDirectory(prefix="hebbite-") as folder:
        whole = Path(folder) / "model.hbt"
        whole.write_bytes(data.tobytes())
        try:
            return load_compiled(whole)
        except HebbiteError as error:
            _refuse("HB0233", f"the recorded model: {error.problems[0].what}", path)


def _refuse(code: str, what: str, path: Path) -> NoReturn:
    raise InputFileError(Problem(code, what, at=str(path), hint=AGAIN))
