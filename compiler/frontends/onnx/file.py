"""Opens a model file and the files of external data beside it, and refuses what is dangerous.

A path comes in, an `onnx.ModelProto` goes out, not yet trusted in any part. External data is read
from plain files below the model's folder only: no absolute path, no ``..``, no link of any kind.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx
from google.protobuf.message import Error as ProtobufError  # type: ignore[import-untyped]

from hebbite.compiler.frontends.onnx.limits import Limits
from hebbite.rules.errors import CapacityError, InputFileError, Problem

_COUNT = re.compile(r"[0-9]{1,18}")


class ExternalDataError(Exception):
    """Why a file of external data is not read."""


def read_model(path: Path, limits: Limits) -> onnx.ModelProto:
    """Return the model of a file.

    Raises:
        InputFileError: HB0201 if there is no such file, HB0202 if it is no ONNX model.
        CapacityError: HB0203 if it is larger than ``limits`` allow.
    """
    data = _read_file(path, limits)
    try:
        model = onnx.ModelProto.FromString(data)
    except (ProtobufError, ValueError, RecursionError) as error:
        raise _damaged(path, "this is no ONNX model, or it is damaged") from error
    if not model.graph.node or not model.graph.output:
        raise _damaged(path, "this file holds no ONNX graph with nodes and outputs")
    if len(model.graph.node) > limits.listed:
        what = f"{len(model.graph.node)} nodes; the limit is {limits.listed}"
        raise CapacityError(Problem("HB0203", what, origin=path.name))
    return model


def read_external(folder: Path, entries: Mapping[str, str], size: int) -> bytes:
    """Return the ``size`` bytes that an entry of external data stands for.

    Raises:
        ExternalDataError: if the entry is dangerous or does not fit the file.
    """
    path = _inside(folder, entries.get("location", ""))
    offset = _number(entries, "offset", 0)
    if _number(entries, "length", size) != size:
        raise ExternalDataError(f"length {entries['length']} where the shape needs {size} bytes")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if not path.is_file():
            raise ExternalDataError("the file is missing or no plain file")
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                raise ExternalDataError("the file is a hard link: copy it")
            if offset + size > status.st_size:
                raise ExternalDataError(
                    f"bytes {offset} to {offset + size} of a file of {status.st_size} bytes"
                )
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise ExternalDataError(f"the file cannot be read: {error.strerror}") from error
    if len(data) != size:
        raise ExternalDataError("the file became shorter while it was read")
    return data


def _read_file(path: Path, limits: Limits) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputFileError(Problem("HB0201", "this is no plain file", origin=str(path)))
        if status.st_size > limits.file_bytes:
            what = f"a model file of {status.st_size} bytes; the limit is {limits.file_bytes}"
            raise CapacityError(Problem("HB0203", what, origin=path.name))
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if isinstance(error, InputFileError):
            raise
        problem = Problem("HB0201", f"the file cannot be read: {reason}", origin=str(path))
        raise InputFileError(problem) from error


def _inside(folder: Path, location: str) -> Path:
    """Return the path of a location below the folder, none of whose parts is a link."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    if not posix.parts or "\0" in location:
        raise ExternalDataError("the location is empty or no path")
    if posix.is_absolute() or windows.drive or windows.root:
        raise ExternalDataError(f"the location '{location}' is absolute")
    if ".." in windows.parts:
        raise ExternalDataError(f"the location '{location}' leaves the folder of the model")
    path = folder
    for part in posix.parts:
        path = path / part
        if path.is_symlink():
            raise ExternalDataError(f"the location '{location}' passes a symbolic link")
    return path


def _number(entries: Mapping[str, str], key: str, default: int) -> int:
    text = entries.get(key, str(default))
    if not _COUNT.fullmatch(text):
        raise ExternalDataError(f"{key} '{text}' is no count of bytes")
    return int(text)


def _damaged(path: Path, what: str) -> InputFileError:
    return InputFileError(Problem("HB0202", what, origin=path.name, hint="export it again"))
