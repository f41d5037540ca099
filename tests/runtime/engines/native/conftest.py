"""Kernels run twice: compiled, and by Python on arrays whose elements are Python's numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import Kernel, fetch, kind_of, marked, matching


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


def word_of(bits: list[bool]) -> int:
    word = sum(1 << k for k, bit in enumerate(bits) if bit)
    return word - 2**64 if word >= 2**63 else word


def elements_marked(values: Numbers, number: int) -> int:
    return word_of([values[64 * number + k] != 0 for k in range(64)])


def elements_matching(values: Numbers, first: int, wanted: int) -> int:
    return word_of([values[first + k] == wanted for k in range(64)])


IN_PYTHON = {
    id(marked): elements_marked,
    id(matching): elements_matching,
    id(fetch): lambda *_: None,
}


def by_python(kernel: Kernel, made: dict[Kernel, FunctionType] | None = None) -> FunctionType:
    """Return the function as Python runs it, with all kernels that it can name."""
    made = {} if made is None else made
    if kernel not in made:
        assert isinstance(kernel.function, FunctionType)
        known = dict(kernel.function.__globals__)
        made[kernel] = FunctionType(kernel.function.__code__, known)
        for name, each in kernel.function.__globals__.items():
            if isinstance(each, Kernel):
                known[name] = by_python(each, made)
            elif id(each) in IN_PYTHON:
                known[name] = IN_PYTHON[id(each)]
    return made[kernel]


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
    assert found == (wanted if wanted is None else int(wanted))
    for one, other in zip(mine, theirs, strict=True):
        assert np.array_equal(one, other)
    return found


@pytest.fixture
def both() -> Callable[..., int | None]:
    """Give what runs a kernel both ways and compares."""
    return both_ways
