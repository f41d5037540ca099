"""Objectives: what learning improves. One a file; a new one needs a line here."""

from __future__ import annotations

from collections.abc import Callable

from hebbite.rules.objectives.classification import classification
from hebbite.rules.objectives.objective import Objective
from hebbite.rules.objectives.regression import regression
from hebbite.rules.options import call_by_text

__all__ = ["OBJECTIVES", "Objective", "classification", "parse_objective", "regression"]

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "classification": classification,
    "regression": regression,
}


def parse_objective(text: str) -> Objective:
    """Return an objective from ``name`` or ``name(option=value, ...)``.

    Raises:
        UsageError: HB0410 for an unknown name or option, with the nearest name.
    """
    return call_by_text(text, OBJECTIVES, kind="objective", code="HB0410")
