"""A kernel as a function that Python calls."""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.engines.native.language import Kernel, Kind, Types, kind_of
from hebbite.runtime.engines.native.llvm import Code, load
from hebbite.runtime.engines.native.translate import results_of, translate

Argument = int | NDArray[np.generic]


class Compiled:
    """A kernel for arguments of fixed types; it frees Python's lock while it runs."""

    def __init__(self, kernel: object, types: Types) -> None:
        assert isinstance(kernel, Kernel)
        results = results_of(kernel)
        assert results <= 1, "Python takes one number back"
        name = f"{digest()} {kernel.function.__module__} {kernel.name} {types}"
        self._code: Code = load(name, lambda: translate(kernel, types))
        self._types = types
        kinds = [ctypes.c_int64 for kind in types for _ in range(1 if kind is None else 3)]
        result = ctypes.c_int64 if results else None
        self._call = ctypes.CFUNCTYPE(result, *kinds)(self._code.address("entry"))

    def __call__(self, *arguments: Argument) -> int | None:
        """Call it with numbers, and C-contiguous arrays of the types it was compiled for."""
        given: list[int] = []
        for argument, kind in zip(arguments, self._types, strict=True):
            if isinstance(argument, np.ndarray):
                assert kind == kind_of(argument.dtype, argument.ndim)
                assert argument.flags.c_contiguous
                given += [argument.ctypes.data, argument.shape[-1], argument.shape[0]]
            else:
                assert kind is None
                given.append(int(argument))
        found = self._call(*given)
        return None if found is None else int(found)


@lru_cache(maxsize=64)
def compiled(kernel: Callable[..., object], *types: Kind | None) -> Compiled:
    """Return the compiled function of a kernel for arguments of these types; None is a number."""
    return Compiled(kernel, types)


@lru_cache(maxsize=1)
def digest() -> str:
    """Return a digest of every source file of this package, and of the numbers that its modules
    take from others: kernels hold both.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    modules = [sys.modules.get(f"{__package__}.{path.stem}") for path in files]
    numbers = [
        f"{module.__name__} {name} {value}"
        for module in modules
        if module is not None
        for name, value in sorted(vars(module).items())
        if isinstance(value, int)
    ]
    parts = [*(path.read_bytes() for path in files), *(text.encode() for text in numbers)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
