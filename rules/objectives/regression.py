"""Regression: outputs follow real targets in [-1, 1] times ``target_rate``, within a margin."""

from __future__ import annotations

from hebbite.rules.objectives.objective import Objective


def regression(*, target_rate: int = 100, margin: int = 0) -> Objective:
    """Return the objective of a regression with one output a target."""
    text = f"regression(target_rate={target_rate}, margin={margin})"
    return Objective("regression", text, "squared error with a dead zone", target_rate, margin)
