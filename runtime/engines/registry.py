"""The engines by name. A new one needs its module and a line here; nothing is imported early."""

from __future__ import annotations

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.runtime.engines.base import Engine

ENGINES = ("native", "reference", "lava", "lava-fused")
ON_LAVA = ("lava", "lava-fused")
"""Engines that need Lava, and seconds to start."""


def load_engine(name: str) -> Engine:
    """Return the engine called ``name`` (HB0101 if there is none)."""
    if name == "reference":
        from hebbite.runtime.engines.reference import ReferenceEngine

        return ReferenceEngine()
    if name == "native":
        from hebbite.runtime.engines.native import NativeEngine

        return NativeEngine()
    if name == "lava":
        from hebbite.runtime.engines.lava import LavaEngine

        return LavaEngine()
    if name == "lava-fused":
        from hebbite.runtime.engines.lava.fused.engine import FusedEngine

        return FusedEngine()
    raise UsageError(Problem("HB0101", f"unknown engine '{name}'", hint=near(name, ENGINES)))
