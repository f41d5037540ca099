"""Classification: the right class at ``target_rate``, every other at 0, both within a margin."""

from __future__ import annotations

from hebbite.rules.objectives.objective import Objective


def classification(*, target_rate: int = 100, margin: int = 12) -> Objective:
    """Return the objective of a classifier with one output a class."""
    text = f"classification(target_rate={target_rate}, margin={margin})"
    return Objective("classification", text, "squared error with a dead zone", target_rate, margin)
