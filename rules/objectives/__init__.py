"""Objectives: what learning improves. One a file; a new one needs a line here."""

from __future__ import annotations

from collections.abc import Callable

from hebbite.rules.objectives.classification import classification
from hebbite.rules.objectives.contrastive import contrastive
from hebbite.rules.objectives.homeostasis import homeostasis
from hebbite.rules.objectives.objective import Objective
from hebbite.rules.objectives.prediction import prediction
from hebbite.rules.objectives.reconstruction import reconstruction
from hebbite.rules.objectives.regression import regression
from hebbite.rules.objectives.reward import reward
from hebbite.rules.objectives.sparsity import sparsity
from hebbite.rules.objectives.sum import added, terms_of
from hebbite.rules.options import call_by_text

__all__ = ["OBJECTIVES", "Objective", "classification", "parse_objective", "regression"]

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "classification": classification,
    "regression": regression,
    "reward": reward,
    "reconstruction": reconstruction,
    "prediction": prediction,
    "contrastive": contrastive,
    "homeostasis": homeostasis,
    "sparsity": sparsity,
}


def parse_objective(text: str) -> Objective:
    """Return an objective from ``name(option=value, ...)``, or from a sum of them with weights.

    ``classification + 2^-2*homeostasis(rate=40)``: one of the terms is an objective of the outputs,
    whose weight is 1; the others act on hidden units, with weights that are powers of 2.

    Raises:
        UsageError: HB0410 for an unknown name or option, with the nearest name, HB0412 for a sum
            that no chip program has.
    """
    terms = [
        (weight, call_by_text(part, OBJECTIVES, kind="objective", code="HB0410"))
        for weight, part in terms_of(text)
    ]
    return added(terms)
