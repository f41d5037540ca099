"""The one door to Numba: a typed decorator for a kernel that Python calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function that Python calls, once for a machine: the code is kept on disk.

    Numba looks at the file of the function alone to see whether that code is stale. Nothing in it
    may make an array, for reference counting is off.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
    return cast(F, compiled)
