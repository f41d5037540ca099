"""Contrastive pairs: samples of one class have like outputs, others lie a margin apart.

    F = 1/2 |o_1 - o_2|^2                    for a pair of one class
        1/2 max(0, D - |o_1 - o_2|)^2        for any other pair
    e_1 = -dF/do_1 = o_2 - o_1               or (D - d) (o_1 - o_2) / d,  d = |o_1 - o_2| < D

o the outputs of the two samples, D the ``distance`` in payload units. The host shows a pair, makes
both errors, and shows each of the two again to learn.

Source: R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant
mapping", CVPR (2006), doi 10.1109/CVPR.2006.100.
"""

from __future__ import annotations

import numpy as np

from hebbite.rules.objectives.objective import Objective, Real


def contrastive(*, distance: int = 100) -> Objective:
    """Return the objective of an embedding; ``distance`` 1..127 payload units."""
    text = f"contrastive(distance={distance})"
    loss = "squared distance of a pair, or what it lacks of one; the host makes the errors"
    return Objective("contrastive", text, loss, distance, 0, teaches="pairs")


def pair_value(one: Real, other: Real, *, same: bool, distance: float) -> float:
    """Return F of a pair of outputs (outputs,)."""
    apart = float(np.sqrt(((one - other) ** 2).sum()))
    lack = apart if same else max(0.0, distance - apart)
    return lack**2 / 2


def pair_error(one: Real, other: Real, *, same: bool, distance: float) -> Real:
    """Return -dF / d ``one``, (outputs,); 0 where two outputs that should differ are the same."""
    if same:
        return np.asarray(other - one, np.float64)
    apart = float(np.sqrt(((one - other) ** 2).sum()))
    if apart == 0.0 or apart >= distance:
        return np.zeros_like(one)
    return np.asarray((distance - apart) / apart * (one - other), np.float64)
