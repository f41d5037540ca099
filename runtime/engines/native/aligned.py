"""Arrays that begin with a line of the cache: a vector of 64 bytes is read from one, not from two.

In: sizes. Out: arrays of zeros; the system hands out their memory as it is written.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

LINE = 64
"""Bytes of a line of the cache; rows start at multiples of so many elements of any width."""
T = TypeVar("T", bound=np.integer)


def zeros(size: int, dtype: type[T]) -> NDArray[T]:
    """Return ``size`` zeros."""
    length = size * np.dtype(dtype).itemsize
    room = np.zeros(length + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + length].view(dtype)


def copied(values: NDArray[T]) -> NDArray[T]:
    """Return the same values, one dimension of them."""
    out = zeros(values.size, values.dtype.type)
    out[:] = values
    return out


def padded(size: int) -> int:
    """Return how many elements a row takes up, so that the next one begins with a line."""
    return -(-size // LINE) * LINE
