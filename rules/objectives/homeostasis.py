"""Homeostasis: every hidden unit sends ``rate`` in the mean; added to another objective.

Equation and what the chip does: `hebbite.rules.objectives.hidden`.

Source: G. G. Turrigiano, S. B. Nelson, "Homeostatic plasticity in the developing nervous system",
Nature Reviews Neuroscience 5, 97-107 (2004), doi 10.1038/nrn1327.
"""

from __future__ import annotations

from hebbite.rules.objectives.hidden import HiddenTerm
from hebbite.rules.objectives.objective import Objective


def homeostasis(*, rate: int = 40) -> Objective:
    """Return the term; ``rate`` is the wanted mean payload, 0..254."""
    loss = "squared distance of a hidden unit's mean payload from the wanted one"
    term = HiddenTerm("homeostasis", rate)
    return Objective("homeostasis", f"homeostasis(rate={rate})", loss, hidden=(term,))
