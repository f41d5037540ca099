"""The ``lava`` engine: a program on Lava's fixed-point simulator, in a watched child process.

Nothing here imports Lava at the top: the caller's process never does, see `watch` and `child`. The
engine itself is imported when it is asked for, since the child passes here before it forks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hebbite.runtime.engines.lava.engine import LavaEngine

__all__ = ["LavaEngine"]


def __getattr__(name: str) -> object:
    """Import `LavaEngine` on first use."""
    if name != "LavaEngine":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from hebbite.runtime.engines.lava.engine import LavaEngine

    return LavaEngine
