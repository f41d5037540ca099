"""Large arrays part by part, so that nobody needs a second copy of a whole one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ELEMENTS = 1 << 20
"""About so many elements at once."""


def parts(count: int, width: int = 1) -> Iterator[slice]:
    """Yield slices that cover 0..count-1 in order, for rows of ``width`` elements each."""
    step = max(1, ELEMENTS // max(width, 1))
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def flat_blocks(values: NDArray[np.integer]) -> Iterator[NDArray[np.integer]]:
    """Yield the elements in C order."""
    flat = np.ascontiguousarray(values).reshape(-1)
    for part in parts(flat.size):
        yield flat[part]


def row_blocks(values: NDArray[np.integer]) -> Iterator[NDArray[np.integer]]:
    """Yield whole rows of a matrix, in order."""
    for part in parts(*values.shape):
        yield values[part]
