"""The update that a rule proposes, in real numbers: its learning signal at every neuron.

In: a rule as data, the twin, what a batch did. Out: for every layer the outer products d_n x_n^T
that the rule would add to the weights, before its rate, or None where it does not learn. The rule
is taken as its paper writes it; the chip's rounding, clipping and gains are left to `chip`.

    output          d_L = e f_L'(v_L), the gradient itself; by `nudged` where the output settles too
    layered, direct d_l = (B_l d_(l+1)) f_l'(v_l),  d_l = (B_l d_L) f_l'(v_l)
    target          d_l = (B_l t) f_l'(v_l), t the target
    perturbation    d_l = -(F_n(v + sigma xi) - F_n(v)) xi_l / sigma, xi = +-1 jointly at all N
                    hidden units; averaged over the rows of a Hadamard matrix, whose columns are
                    orthogonal, so that mean and second moment are those over all 2^N noises
    settling        see `predicted` and `nudged`

A new kind of learning signal is a function here and a line in `SIGNALS`.
"""

from __future__ import annotations

import numpy as np

from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import SumOfProducts, effective_scale
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.batch import Batch, Signal
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.nudged import nudged
from hebbite.runtime.credit.predicted import predicted

__all__ = ["SIGNALS", "Batch", "credit_of_noise", "hadamard", "updates_of"]

SMALL = 1e-6
"""Size of a perturbation, as a part of the smallest root mean square of v among hidden layers."""


def updates_of(rule: LearningRule, batch: Batch) -> tuple[Update | None, ...]:
    """Return what the rule proposes for every layer; None where it leaves the weights alone.

    Raises:
        UnsupportedError: HB0470 if no learning signal of this kind is known here, or if a rule
            of one's own has an update that is not a rate times activity times signal.
    """
    if rule.is_own and not multiplies_signal(rule.dw):
        what = f"'{rule.name}': no real-valued model of the update {rule.dw}"
        raise UnsupportedError(Problem("HB0470", what, hint="dw = c*x0*x1*y2 - c*x0*x1*y3"))
    layers = len(batch.twin.layers)
    output = Update(
        batch.twin.output_delta(batch.activity, batch.target), batch.activity.inputs[-1]
    )
    if rule.learns == "none":
        return (None,) * layers
    if rule.learns == "readout" or layers == 1:
        return (*(None,) * (layers - 1), output)
    source = rule.feedback.source
    if source not in SIGNALS:
        what = f"'{rule.name}': no real-valued model of a learning signal from '{source}'"
        raise UnsupportedError(Problem("HB0470", what, f"feedback {rule.feedback}"))
    found = SIGNALS[source](rule, batch)
    return tuple(found) if len(found) == layers else (*found, output)


def multiplies_signal(dw: SumOfProducts) -> bool:
    """Whether dw is eta x1 (y2 - y3), decays of the weight aside: what real rows stand for."""
    products = [p for p in dw.products if "w" not in [f.variable for f in p.factors]]
    if len(products) != 2:
        return False
    up, down = products
    factors = [{str(f) for f in each.factors} - {"y0"} for each in products]
    opposite = effective_scale(up) == -effective_scale(down) > 0
    return (
        opposite
        and up.dependency == down.dependency == "x0"
        and factors == [{"x1", "y2"}, {"x1", "y3"}]
    )


def sent_back(rule: LearningRule, batch: Batch) -> list[Update]:
    """Return the updates of the hidden layers for errors that come back through synapses."""
    twin, activity = batch.twin, batch.activity
    top = above = twin.output_delta(activity, batch.target)
    found: list[Update] = []
    for index in range(len(twin.layers) - 2, -1, -1):
        layer = twin.layers[index]
        sender = top if rule.feedback.delivery == "direct" else above
        arrived = sender @ batch.feedback[layer.name].T
        above = arrived * layer.activation.slope(activity.v[index])
        found.insert(0, Update(above, activity.inputs[index]))
    return found


def told(rule: LearningRule, batch: Batch) -> list[Update]:
    """Return the updates of the hidden layers that hear the target itself, through B."""
    twin, activity = batch.twin, batch.activity
    return [
        Update(
            (batch.target @ batch.feedback[layer.name].T)
            * layer.activation.slope(activity.v[index]),
            activity.inputs[index],
        )
        for index, layer in enumerate(twin.layers[:-1])
    ]


def perturbed(rule: LearningRule, batch: Batch) -> list[Update]:
    """Return the updates of the hidden layers for noise +-sigma at all of their units at once."""
    sizes = [len(layer.weight) for layer in batch.twin.layers[:-1]]
    sigma = SMALL * min(float(np.sqrt(np.mean(v**2))) or 1.0 for v in batch.activity.v[:-1])
    rows = hadamard(sum(sizes))
    places = np.cumsum(sizes)[:-1]
    slopes = np.array(
        [slope_along(batch, [part[None] for part in np.split(row, places)], sigma) for row in rows]
    )
    square = np.mean(slopes**2, axis=0)
    return [
        Update(-slopes.T @ part / len(rows), pre, size * square)
        for part, pre, size in zip(
            np.split(rows, places, axis=1), batch.activity.inputs, sizes, strict=False
        )
    ]


def hadamard(columns: int) -> Real:
    """Return rows of +-1 whose ``columns`` columns are orthogonal: Sylvester's matrix, cut.

    The number of rows is the power of two above ``columns``; the first column, all 1, is left out.
    """
    matrix: Real = np.ones((1, 1), np.float64)
    while len(matrix) <= columns:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[:, 1 : columns + 1]


def credit_of_noise(batch: Batch, noise: list[Real], sigma: float) -> list[Real]:
    """Return d_l = -(F_n(v + sigma xi) - F_n(v)) xi_l / sigma for given noise xi of unit variance.

    ``noise``: (samples, out) for every perturbed layer, from the first.
    """
    slope = slope_along(batch, noise, sigma)
    return [-slope[:, None] * xi for xi in noise]


def slope_along(batch: Batch, noise: list[Real], sigma: float) -> Real:
    """Return (F_n(v + sigma xi) - F_n(v)) / sigma of every sample, (samples,)."""
    twin = batch.twin
    noisy = twin.disturbed(batch.activity, [sigma * xi for xi in noise])
    before = twin.losses(batch.activity.output, batch.target)
    return (twin.losses(noisy, batch.target) - before) / sigma


SIGNALS: dict[str, Signal] = {
    "output-error": sent_back,
    "upper-error": sent_back,
    "perturbation": perturbed,
    "prediction-error": predicted,
    "nudge": nudged,
    "target": told,
}
