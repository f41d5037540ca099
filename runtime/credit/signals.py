"""The update that a rule proposes, in real numbers: its learning signal at every neuron.

In: a rule as data, the twin, what a batch did. Out: for every layer the outer products d_n x_n^T
that the rule would add to the weights, before its rate, or None where it does not learn. The rule is
taken as its paper writes it; the chip's rounding, clipping and gains are left to `chip`.

    output          d_L = e f_L'(v_L), for every rule: there it is the gradient itself
    layered, direct d_l = (B_l d_(l+1)) f_l'(v_l),  d_l = (B_l d_L) f_l'(v_l)
    perturbation    d_l = -(F_n(v + sigma xi) - F_n(v)) xi_l / sigma, xi jointly at all hidden units

A new kind of learning signal is a function here and a line in `SIGNALS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from hebbite.compiler.arithmetic.philox import words
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.twin import Activity, Twin

NOISE_STREAM = 0x0015E
SMALL = 1e-4
"""Size of a perturbation, as a part of the smallest root mean square of v among hidden layers."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What a learning signal is made from.

    x (samples, in), target (samples, out): payloads. ``activity`` of the twin on x. ``feedback``:
    population -> B (its size, size of where the errors come from). ``draws`` and ``seed`` of rules
    that are random.
    """

    twin: Twin
    x: Real
    target: Real
    activity: Activity
    feedback: Mapping[str, Real] = field(default_factory=dict)
    draws: int = 32
    seed: int = 0


Signal = Callable[[LearningRule, Batch], list[Real]]
"""Gives d of every hidden layer, (samples, out) or (draws, samples, out)."""


def updates_of(rule: LearningRule, batch: Batch) -> tuple[Update | None, ...]:
    """Return what the rule proposes for every layer; None where it leaves the weights alone.

    Raises:
        UnsupportedError: HB0460 if no learning signal of this kind is known here.
    """
    layers = len(batch.twin.layers)
    output = Update(
        batch.twin.output_delta(batch.activity, batch.target), batch.activity.inputs[-1]
    )
    if rule.learns == "none" or layers == 0:
        return (None,) * layers
    if rule.learns == "readout" or layers == 1:
        return (*(None,) * (layers - 1), output)
    source = rule.feedback.source
    if source not in SIGNALS:
        what = f"'{rule.name}': no real-valued model of a learning signal from '{source}'"
        raise UnsupportedError(Problem("HB0460", what, f"feedback {rule.feedback}"))
    hidden = SIGNALS[source](rule, batch)
    pairs = zip(hidden, batch.activity.inputs[:-1], strict=True)
    return (*(Update(post, pre) for post, pre in pairs), output)


def sent_back(rule: LearningRule, batch: Batch) -> list[Real]:
    """Return d of the hidden layers for errors that come back through synapses."""
    twin, activity = batch.twin, batch.activity
    top = above = twin.output_delta(activity, batch.target)
    found: list[Real] = []
    for index in range(len(twin.layers) - 2, -1, -1):
        layer = twin.layers[index]
        sender = top if rule.feedback.delivery == "direct" else above
        arrived = sender @ batch.feedback[layer.name].T
        above = arrived * layer.activation.slope(activity.v[index])
        found.insert(0, above)
    return found


def perturbed(rule: LearningRule, batch: Batch) -> list[Real]:
    """Return d of the hidden layers for noise +-sigma at all of them at once, a draw a row."""
    hidden = batch.twin.layers[:-1]
    sizes = [len(layer.weight) for layer in hidden]
    sigma = SMALL * min(float(np.sqrt(np.mean(v**2))) or 1.0 for v in batch.activity.v[:-1])
    found = [np.empty((batch.draws, len(batch.x), size)) for size in sizes]
    for draw in range(batch.draws):
        noise = [
            signs((len(batch.x), size), seed=batch.seed, layer=index, draw=draw)
            for index, size in enumerate(sizes)
        ]
        for kept, post in zip(found, credit_of_noise(batch, noise, sigma), strict=True):
            kept[draw] = post
    return found


def credit_of_noise(batch: Batch, noise: list[Real], sigma: float) -> list[Real]:
    """Return d_l = -(F_n(v + sigma xi) - F_n(v)) xi_l / sigma for given noise xi of unit variance.

    ``noise``: (samples, out) for every perturbed layer, from the first.
    """
    twin = batch.twin
    noisy = twin.forward(batch.x, noise=[sigma * xi for xi in noise])
    before = twin.losses(batch.activity.output, batch.target)
    change = twin.losses(noisy.output, batch.target) - before
    return [-(change / sigma)[:, None] * xi for xi in noise]


def signs(shape: tuple[int, int], *, seed: int, layer: int, draw: int) -> Real:
    """Return +-1 with equal chance, fixed by seed, layer and draw."""
    size = shape[0] * shape[1]
    bits = words(size, seed=seed, stream=NOISE_STREAM + layer, time=draw) & np.int64(1)
    return (2.0 * bits - 1.0).reshape(shape)


SIGNALS: dict[str, Signal] = {
    "output-error": sent_back,
    "upper-error": sent_back,
    "perturbation": perturbed,
}
