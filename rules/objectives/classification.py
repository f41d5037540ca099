"""Classification: the right class at ``target_rate``, every other at 0, both within a margin.

    squared        half the squared error with a dead zone
    hinge          the same for outputs on the wrong side of their target only (squared hinge)
    cross-entropy  of softmax(o / temperature): the outputs must be known to each other, so the host
                   makes the errors between two passes of a sample

Source of the squared hinge as a classifier's loss: K. Crammer, Y. Singer, "On the algorithmic
implementation of multiclass kernel-based vector machines", Journal of Machine Learning Research 2,
265-292 (2001), doi 10.5555/944790.944813.
"""

from __future__ import annotations

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.objectives.objective import Objective

LOSSES = {
    "squared": "squared error with a dead zone",
    "hinge": "squared hinge with a margin",
    "cross-entropy": "cross-entropy of a softmax; the host makes the errors",
}


def classification(
    *, target_rate: int = 100, margin: int = 12, loss: str = "squared", temperature: int = 16
) -> Objective:
    """Return the objective of a classifier with one output a class.

    Args:
        target_rate: output of the right class, 1..127.
        margin: dead zone of the error, 0..127; a cross-entropy has none.
        loss: squared, hinge or cross-entropy (HB0411).
        temperature: of the cross-entropy, 1..127.
    """
    if loss not in LOSSES:
        raise UsageError(Problem("HB0411", f"unknown loss '{loss}'", hint=near(loss, LOSSES)))
    text = f"classification(target_rate={target_rate}, margin={margin}"
    if loss == "cross-entropy":
        if not 1 <= temperature <= 127:
            raise UsageError(Problem("HB0411", f"temperature {temperature} is not in 1..127"))
        text = f"classification(target_rate={target_rate}, loss={loss}, temperature={temperature})"
        return Objective(
            "classification", text, LOSSES[loss], target_rate, 0, temperature=temperature
        )
    one_sided = loss == "hinge"
    text += f", loss={loss})" if one_sided else ")"
    return Objective("classification", text, LOSSES[loss], target_rate, margin, one_sided)
