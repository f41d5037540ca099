"""Turns tensors of an ONNX file into arrays, once every claim about them has been checked.

The number of bytes or items must be exactly what shape and type demand, and is compared with the
caps before anything is allocated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from hebbite.compiler.frontends.onnx.file import ExternalDataError, read_external
from hebbite.compiler.frontends.onnx.limits import Limits
from hebbite.compiler.graph import Array
from hebbite.rules.errors import Problem

_T = onnx.TensorProto
TYPES: dict[int, tuple[str, str]] = {
    _T.FLOAT: ("<f4", "float_data"),
    _T.DOUBLE: ("<f8", "double_data"),
    _T.FLOAT16: ("<f2", "int32_data"),
    _T.INT64: ("<i8", "int64_data"),
    _T.INT32: ("<i4", "int32_data"),
    _T.INT16: ("<i2", "int32_data"),
    _T.INT8: ("|i1", "int32_data"),
    _T.UINT16: ("<u2", "int32_data"),
    _T.UINT8: ("|u1", "int32_data"),
    _T.BOOL: ("|b1", "int32_data"),
}
"""Element types that are read: their bytes, and the field that holds them when not raw."""


class TensorError(Exception):
    """Why a tensor is not read, with the code of the problem."""

    def __init__(self, what: str, *, code: str = "HB0205", hint: str = "") -> None:
        """Keep the problem; its place is added by whoever knows the node."""
        super().__init__(what)
        self.problem = Problem(code, what, hint=hint)


class TensorReader:
    """Reads tensors and keeps count of their elements."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Read for a model that stands in ``folder``."""
        self._folder = folder
        self._limits = limits
        self._elements = 0

    def read(self, tensor: onnx.TensorProto) -> Array:
        """Return the array of a tensor.

        Raises:
            TensorError: HB0203 too large, HB0204 dangerous external data, HB0205 damaged.
        """
        try:
            return self._read(tensor)
        except TensorError as error:
            problem = error.problem
            what = f"the constant '{tensor.name}' is refused: {problem.what}"
            raise TensorError(what, code=problem.code, hint=problem.hint) from error

    def _read(self, tensor: onnx.TensorProto) -> Array:
        if tensor.data_type not in TYPES:
            raise TensorError(f"element type {_type_name(tensor.data_type)} is not read")
        if tensor.HasField("segment"):
            raise TensorError("a tensor in segments is not read")
        shape = tuple(tensor.dims)
        if len(shape) > 8 or any(length < 0 for length in shape):
            raise TensorError(f"a tensor cannot have the shape {list(shape)}")
        count = self.count(shape)
        dtype = np.dtype(TYPES[tensor.data_type][0])
        return self._items(tensor, count, dtype).reshape(shape)

    def count(self, shape: tuple[int, ...]) -> int:
        """Return the number of elements of one more array.

        Raises:
            TensorError: HB0203 if all arrays together would exceed the cap.
        """
        count = 1
        for length in shape:
            count *= length
        self._elements += count
        if self._elements > self._limits.elements:
            what = f"more than {self._limits.elements} elements in all arrays together"
            raise TensorError(what, code="HB0203")
        return count

    def _items(self, tensor: onnx.TensorProto, count: int, dtype: np.dtype[np.generic]) -> Array:
        raw = self._raw(tensor, count * dtype.itemsize)
        if raw is not None:
            if len(raw) != count * dtype.itemsize:
                needs = count * dtype.itemsize
                raise TensorError(f"{len(raw)} bytes where shape and type need {needs}")
            if dtype.kind == "b" and raw.strip(b"\0\1"):
                raise TensorError("a truth value that is neither 0 nor 1")
            return np.frombuffer(raw, dtype=dtype).astype(dtype.newbyteorder("="))
        field = getattr(tensor, TYPES[tensor.data_type][1])
        if len(field) != count:
            raise TensorError(f"{len(field)} items where the shape needs {count}")
        if dtype.kind == "f" and dtype.itemsize > 2:
            return np.array(field, dtype=dtype.newbyteorder("="))
        stored = np.dtype(np.uint16) if dtype.kind == "f" else dtype.newbyteorder("=")
        wide = np.array(field, dtype=np.int64)
        if not np.array_equal(wide, wide.astype(stored)):
            raise TensorError("an item does not fit the element type")
        return wide.astype(stored).view(dtype.newbyteorder("="))

    def _raw(self, tensor: onnx.TensorProto, size: int) -> bytes | None:
        if tensor.data_location == _T.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            try:
                return read_external(self._folder, entries, size)
            except ExternalDataError as error:
                hint = "save the model with its weights inside"
                raise TensorError(f"external data: {error}", code="HB0204", hint=hint) from error
        return bytes(tensor.raw_data) if tensor.HasField("raw_data") else None


def _type_name(data_type: int) -> str:
    known = {number: name for name, number in _T.DataType.items()}
    return str(known.get(data_type, data_type))
