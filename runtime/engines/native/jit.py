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
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}
F = TypeVar("F", bound=Callable[..., object])


def helper(function: F) -> F:
    """Compile a function that only kernels call."""
    return cast(F, numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)(function))


def part(function: F) -> F:
    """Compile a short function into its callers."""
    return cast(F, numba.njit(inline="always", **_OPTIONS)(function))


def kernel(function: F) -> F:
    """Compile a function that Python calls, once for a machine: the code is kept on disk."""
    return cast(F, numba.njit(cache=True, **_OPTIONS)(function))


@intrinsic  # type: ignore[untyped-decorator]
def call_printed(typing_context: Any, address: Any, table: Any, size: Any) -> Any:
    """Call the printed kernel at ``address`` with the address of its table and a size."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        long = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [long, long]).as_pointer()
        builder.call(builder.inttoptr(arguments[0], kind), list(arguments[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def source_digest() -> int:
    """Return 60 bits of a digest of every source file of this package."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    text = b"\0".join(path.read_bytes() for path in files)
    return int(hashlib.sha256(text).hexdigest()[:15], 16)
