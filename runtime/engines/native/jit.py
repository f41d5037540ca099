"""The one door to Numba: a typed decorator for helpers and one for the kernel that Python calls.

Numba keeps machine code beside the package, or in the user's cache folder where the package cannot
be written. It looks at the file of the kernel alone to see whether that code is stale, not at the
files of the helpers; so the digest of this package's sources enters the kernel as a constant.

The kernels set no memory aside, so Numba's reference counting is off (``_nrt``): counting views of
arrays would take half of the run time. Nothing in a kernel may make an array.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def helper(function: F) -> F:
    """Compile a function that only kernels call."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", _nrt=False)(function))


def part(function: F) -> F:
    """Compile a function into the one kernel that calls it: no call, no copy of a `Plan`."""
    return cast(
        F, numba.njit(nogil=True, error_model="numpy", _nrt=False, inline="always")(function)
    )


def kernel(function: F) -> F:
    """Compile a function that Python calls, once for a machine: the code is kept on disk."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))


def source_digest() -> int:
    """Return 60 bits of a digest of every source file of this package."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    text = b"\0".join(path.read_bytes() for path in files)
    return int(hashlib.sha256(text).hexdigest()[:15], 16)
