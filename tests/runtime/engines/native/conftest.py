"""Kernels run twice: compiled, and by Python on arrays whose elements are Python's numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import Kernel, fetch, kind_of, marked


class Numbers:
    """An array as the language has it: elements are whole numbers, cut when they are written."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __getitem__(self, index: Any) -> Any:
        found = self.array[index]
        return Numbers(found) if isinstance(found, np.ndarray) else int(found)

    def __setitem__(self, index: Any, value: int) -> None:
        self.array[index] = np.array(int(value) & (2**64 - 1), np.uint64).astype(self.array.dtype)


def elements_marked(values: Numbers, number: int) -> int:
    bits = sum(1 << k for k in range(64) if values[64 * number + k])
    return bits - 2**64 if bits >= 2**63 else bits


def by_python(kernel: Kernel) -> Callable[..., object]:
    """Return the function as Python runs it, with all kernels that it can name."""
    assert isinstance(kernel.function, FunctionType)
    known = dict(kernel.function.__globals__)
    for name, each in kernel.function.__globals__.items():
        if isinstance(each, Kernel):
            assert isinstance(each.function, FunctionType)
            known[name] = FunctionType(each.function.__code__, known)
        elif each is marked:
            known[name] = elements_marked
        elif each is fetch:
            known[name] = lambda *_: None
    return FunctionType(kernel.function.__code__, known)


def both_ways(kernel: Any, *arguments: Any) -> int | None:
    """Run a kernel compiled and by Python; results and arrays must be the same."""
    mine = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    theirs = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    kinds = [
        kind_of(each.dtype, each.ndim) if isinstance(each, np.ndarray) else None
        for each in arguments
    ]
    found = compiled(kernel, *kinds)(*mine)
    wrapped = [Numbers(each) if isinstance(each, np.ndarray) else each for each in theirs]
    wanted = by_python(kernel)(*wrapped)
    assert found == (wanted if wanted is None else int(wanted))  # type: ignore[call-overload]
    for one, other in zip(mine, theirs, strict=True):
        assert np.array_equal(one, other)
    return found


@pytest.fixture
def both() -> Callable[..., int | None]:
    """Give what runs a kernel both ways and compares."""
    return both_ways
