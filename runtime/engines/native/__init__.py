"""The ``native`` engine: one set of Numba kernels that runs any program."""

from __future__ import annotations

from hebbite.runtime.engines.native.machine import NativeEngine

__all__ = ["NativeEngine"]
