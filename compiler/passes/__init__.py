"""Passes: each takes a graph and returns a graph, one a file."""

from __future__ import annotations

from hebbite.compiler.passes.base import Pass, run_passes
from hebbite.compiler.passes.drop_identity import DropIdentity
from hebbite.compiler.passes.merge_conv import MergeConv
from hebbite.compiler.passes.merge_scale import MergeScale
from hebbite.compiler.passes.separate_head import SeparateHead

__all__ = [
    "CLEAN_UP",
    "DropIdentity",
    "MergeConv",
    "MergeScale",
    "Pass",
    "SeparateHead",
    "run_passes",
]

CLEAN_UP: tuple[Pass, ...] = (DropIdentity(), MergeScale(), MergeConv(), SeparateHead())
"""What every imported graph goes through."""
