"""The learning signal of predictive coding: errors of prediction that have settled.

In: a batch. Out: d_l x_(l-1)^T of every hidden layer. The rule's own predictions are fixed; what
becomes of them where they move is here for comparison.

fixed     d_l <- (1 - a) d_l + a (W_(l+1)^T d_(l+1)) f_l'(v_l) from 0, v the feed-forward
          potentials, a = 1, one step a hidden layer: the gradient, exactly
moving    all potentials settle where, with d_l = v_l - W_l x_(l-1) in units of payloads,

              -beta e x_L + 1/2 sum_(l<L) |k_l d_l|^2

          is least; k_l payloads a unit of potential, e = -dF/dx_L as it was before anything moved:
          F has a dead zone, at whose edge its slope jumps, and where errors that follow would
          never settle. To first order in beta that is the same. The update is k_l^2 d_l x_(l-1)^T /
          beta there. Until no payload moves by more than 1 % of its first movement that takes, in
          a 6-9-8-4 network at beta = 1, 107 steps of 0.1, 53 of 0.2 or 27 of 0.4, and does not
          settle with 0.8; rectified units, whose slope jumps, may never settle.
"""

from __future__ import annotations

import numpy as np

from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.batch import Batch
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.twin import Twin

SMALL = 1e-9
"""Settled where no potential moves more, as a part of the largest movement."""
STEP = 0.1
MOST = 5_000


def predicted(rule: LearningRule, batch: Batch) -> list[Update]:
    """Return the updates of the hidden layers."""
    errors = errors_at_fixed_predictions(batch, steps=len(batch.twin.layers) - 1)
    return [Update(d, x) for d, x in zip(errors, batch.activity.inputs, strict=False)]


def errors_at_fixed_predictions(batch: Batch, *, steps: int, size: float = 1.0) -> list[Real]:
    """Return the errors of the hidden layers after ``steps`` of ``size`` a, (samples, out) each."""
    twin, v = batch.twin, batch.activity.v
    top = twin.output_delta(batch.activity, batch.target)
    errors = [np.zeros_like(part) for part in v[:-1]]
    for _ in range(steps):
        above = [*errors[1:], top]
        errors = [
            (1.0 - size) * error
            + size * (higher @ layer_above.weight[:, :-1]) * layer.activation.slope(potential)
            for error, higher, layer, layer_above, potential in zip(
                errors, above, twin.layers, twin.layers[1:], v, strict=False
            )
        ]
    return errors


def settled(
    batch: Batch, *, beta: float, small: float = SMALL, step: float = STEP
) -> tuple[list[Update], int]:
    """Return the updates of the hidden layers where predictions move, and the steps it took.

    Raises:
        UnsupportedError: HB0474 after MOST steps.
    """
    twin = batch.twin
    k = units(twin)
    v = [part.copy() for part in batch.activity.v[:-1]]
    largest = 0.0
    for count in range(1, MOST + 1):
        lines, errors = _state(twin, batch, v, beta, k)
        moved = 0.0
        for index, layer in enumerate(twin.layers[:-1]):
            above = twin.layers[index + 1].weight[:, :-1]
            back = (errors[index + 1] @ above) * layer.activation.slope(v[index])
            change = step * (back / k[index] ** 2 - errors[index] / k[index] ** 2)
            v[index] += change
            moved = max(moved, float(np.abs(k[index] * change).max()))
        largest = max(largest, moved)
        if moved <= small * largest:
            lines, errors = _state(twin, batch, v, beta, k)
            return [Update(e / beta, x) for e, x in zip(errors[:-1], lines, strict=False)], count
    what = f"predictive coding does not settle within {MOST} steps of {step:g}"
    raise UnsupportedError(Problem("HB0474", what, hint="a smaller beta or step"))


def units(twin: Twin) -> list[float]:
    """Return k of every layer: payloads a unit of potential, the slope just above 0."""
    return [float(layer.activation.slope(np.ones(1))[0]) for layer in twin.layers]


def _state(
    twin: Twin, batch: Batch, v: list[Real], beta: float, k: list[float]
) -> tuple[list[Real], list[Real]]:
    """Return the lines below every layer, and its error as a force, k_l^2 (v_l - W_l x_(l-1))."""
    lines, errors = [batch.activity.inputs[0]], []
    for index, layer in enumerate(twin.layers[:-1]):
        errors.append(k[index] ** 2 * (v[index] - lines[index] @ layer.weight.T))
        lines.append(twin.layers[index + 1].lines(layer.activation.value(v[index])))
    top = twin.layers[-1]
    potential = lines[-1] @ top.weight.T
    error = twin.objective.error(batch.activity.output, batch.target)
    errors.append(beta * error * top.activation.slope(potential))
    return lines, errors
