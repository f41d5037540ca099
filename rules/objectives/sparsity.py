"""Sparsity: hidden units send little (an l1 penalty); added to another objective.

Equation and what the chip does: `hebbite.rules.objectives.hidden`.

Source: B. A. Olshausen, D. J. Field, "Emergence of simple-cell receptive field properties by
learning a sparse code for natural images", Nature 381, 607-609 (1996), doi 10.1038/381607a0.
"""

from __future__ import annotations

from hebbite.rules.objectives.hidden import HiddenTerm
from hebbite.rules.objectives.objective import Objective


def sparsity() -> Objective:
    """Return the term: 1 a unit of payload, before its weight."""
    loss = "sum of the payloads of hidden units"
    return Objective("sparsity", "sparsity", loss, hidden=(HiddenTerm("sparsity"),))
