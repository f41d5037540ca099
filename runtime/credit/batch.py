"""What a learning signal is made from, and what it is: the types of `signals`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.twin import Activity, Twin


@dataclass(frozen=True, eq=False)
class Batch:
    """What a learning signal is made from.

    x (samples, in), target (samples, out): payloads. ``activity`` of the twin on x. ``feedback``:
    population -> B (its size, size of where the errors come from).
    """

    twin: Twin
    x: Real
    target: Real
    activity: Activity
    feedback: Mapping[str, Real] = field(default_factory=dict)


Signal = Callable[[LearningRule, Batch], list[Update]]
"""Gives the update of every hidden layer, or of every layer where the output's is its own too."""
