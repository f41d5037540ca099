"""Chips as data: one JSON file a target, every number with its unit, source and kind.

In: the name of a chip. Out: a `Target` of `Number`. What a chip holds is nowhere else in the code,
so a number that is found wrong is mended in one place, and a new chip is one new file.
"""

from __future__ import annotations

from hebbite.compiler.targets.number import KINDS, Number, weakest
from hebbite.compiler.targets.target import Target, list_targets, load_target, parse_target

__all__ = [
    "KINDS",
    "Number",
    "Target",
    "list_targets",
    "load_target",
    "parse_target",
    "weakest",
]
