"""The language of kernels: how a function is marked as one, and what it may call.

`translate` says what the language is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])
Narrow = int
"""An argument of 32 bits. A loop that computes with it and with elements of 32 bits or fewer stays
in lanes as narrow as what it writes. Known to the translator by name."""
Half = int
"""A local number of 16 bits: what is assigned is cut. Elements of 16 bits or fewer are summed in
lanes that are no wider. Known to the translator by name."""


@dataclass(frozen=True)
class Kind:
    """Type of an array: bits of an element, whether it has a sign, and the dimensions."""

    bits: int
    signed: bool = True
    dimensions: int = 1


Types = tuple[Kind | None, ...]
"""Types of arguments; None is a number."""


@dataclass(frozen=True)
class Kernel:
    """A function that is compiled; calling it from Python is a mistake.

    ``inlined``: it becomes a part of whatever calls it. ``apart``: of the arrays that it is given
    none changes what another holds, and it reaches them in no other way.
    """

    function: Callable[..., object]
    inlined: bool = False
    apart: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.function.__name__

    def __call__(self, *arguments: object) -> NoReturn:
        """Refuse to run in Python."""
        raise TypeError(f"{self.name} is a kernel: compiled code alone calls it")


def kernel(function: F) -> F:
    """Mark a function that is compiled; to the type checker it stays the function that it is."""
    return cast(F, Kernel(function))


def part(function: F) -> F:
    """Mark a function that becomes a part of the kernels that call it."""
    return cast(F, Kernel(function, inlined=True))


def apart(function: F) -> F:
    """Mark a kernel whose arrays share no memory: LLVM needs no test of that before a loop."""
    return cast(F, Kernel(function, apart=True))


def logical(value: int, shift: int) -> int:
    """Return ``value`` shifted down as if it had no sign. Known to the translator by name."""
    return (value & (1 << 64) - 1) >> shift


def marked(values: NDArray[np.integer], number: int) -> int:
    """Return which of the elements 64 ``number`` .. 64 ``number`` + 63 are not 0, the first one as
    the lowest bit. Known by name."""
    raise TypeError("marked is for kernels")


def matching(values: NDArray[np.integer], first: int, wanted: int) -> int:
    """Return which of the elements ``first`` .. ``first`` + 63 are ``wanted``, the first one as the
    lowest bit. Known by name."""
    raise TypeError("matching is for kernels")


def lowest(value: int) -> int:
    """Return the number of the lowest bit that is set, 64 if none is. Known by name."""
    return (value & -value).bit_length() - 1 if value else 64


def ones(value: int) -> int:
    """Return how many bits of a number are set. Known by name."""
    return (value & (1 << 64) - 1).bit_count()


def fetch(values: NDArray[np.generic], index: int) -> None:
    """Ask for the memory around an element that will be read soon. Known by name."""


def turn(goal: NDArray[np.integer], across: int, source: NDArray[np.integer], along: int) -> None:
    """Write 4 x 4 elements the other way round: goal[i across + j] = source[j along + i]. Known by
    name."""
    for i in range(4):
        for j in range(4):
            goal[i * across + j] = source[j * along + i]


def address(values: NDArray[np.generic]) -> int:
    """Return where an array starts, for the table of a printed kernel. Known by name."""
    raise TypeError("address is for kernels")


def call_printed(address: int, table: int, size: int) -> None:
    """Call the printed kernel at an address. Known to the translator by name."""
    raise TypeError("call_printed is for kernels")


def kind_of(dtype: np.dtype[Any], dimensions: int = 1) -> Kind:
    """Return the type of arrays of a whole number."""
    if dtype.kind not in "iu" or dtype == np.uint64:
        raise TypeError(
            f"{dtype} elements are no numbers of a kernel: signed 64 bits hold them all"
        )
    return Kind(8 * dtype.itemsize, dtype.kind == "i", dimensions)
