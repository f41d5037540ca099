"""The ``native`` engine: kernels, compiled in the process, that run any program."""

from __future__ import annotations

from hebbite.runtime.engines.native.machine import NativeEngine

__all__ = ["NativeEngine"]
