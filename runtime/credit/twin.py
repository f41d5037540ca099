"""The differentiable twin: the network as it runs, in real numbers, with its exact gradient.

    v_l = W_l [x_(l-1), b_l],   x_l = f_l(v_l),   o = x_L,   F = mean_n sum_j phi(o_nj, t_nj)

W_l the stored weights in their own steps, last column the bias line with payload b_l; x_0 the input
payloads; f_l an activation; phi the objective's loss, margin and saturation included. Everything is
in the chip's units, so that nothing has to be scaled back. With e = -dF/do (the objective's error)

    d_L = e f_L'(v_L),   d_l = (W_(l+1)^T d_(l+1)) f_l'(v_l)
    -dF/dW_l = mean_n d_l [x_(l-1), b_l]^T

The activity (x, v) may be the twin's own (`Twin.forward`), or what an engine recorded: then the
gradient is the one at the network's real working point, rounding taken straight through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hebbite.rules.objectives import Objective
from hebbite.runtime.credit.activations import Activation, Real

SURROGATE = "rounding taken straight through; clips and dead zones with their own derivative"


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: weight (out, in + 1), payload of its bias line, activation; ``name`` is the
    population's."""

    name: str
    weight: Real
    bias: float
    activation: Activation

    def lines(self, payload: Real) -> Real:
        """Return payloads (samples, in) with the bias line as the last column."""
        return np.column_stack([payload, np.full(len(payload), self.bias)])


@dataclass(frozen=True, eq=False)
class Activity:
    """What a batch of samples did: ``inputs[l]`` (samples, in + 1) and ``v[l]`` (samples, out) of
    every layer, ``output`` (samples, out of the last)."""

    inputs: tuple[Real, ...]
    v: tuple[Real, ...]
    output: Real


@dataclass(frozen=True, eq=False)
class Twin:
    """Layers in order, the last one the output, and the objective."""

    layers: tuple[Layer, ...]
    objective: Objective

    def forward(self, x: Real) -> Activity:
        """Return the activity on input payloads x (samples, in)."""
        lines = self.layers[0].lines(x)
        return self.onward(lines, lines @ self.layers[0].weight.T)

    def onward(self, lines: Real, v: Real) -> Activity:
        """Return the activity from the lines and the sums of the first layer on."""
        inputs, sums = [lines], [v]
        payload = self.layers[0].activation.value(v)
        for layer in self.layers[1:]:
            inputs.append(layer.lines(payload))
            sums.append(inputs[-1] @ layer.weight.T)
            payload = layer.activation.value(sums[-1])
        return Activity(tuple(inputs), tuple(sums), payload)

    def disturbed(self, activity: Activity, noise: Sequence[Real]) -> Real:
        """Return the outputs, (samples, out), where ``noise`` is added to v of the first layers.

        ``noise``: (samples, out) a layer, from the first on; ``activity`` that without noise.
        """
        payload = self.layers[0].activation.value(activity.v[0] + noise[0])
        for index, layer in enumerate(self.layers[1:], start=1):
            v = layer.lines(payload) @ layer.weight.T
            payload = layer.activation.value(v + noise[index] if index < len(noise) else v)
        return payload

    def value(self, x: Real, target: Real) -> float:
        """Return F, the mean over samples, for payloads x and targets (samples, out)."""
        return float(self.losses(self.forward(x).output, target).mean())

    def losses(self, output: Real, target: Real) -> Real:
        """Return the loss of every sample, (samples,)."""
        return np.asarray(self.objective.losses(output, target).sum(axis=1), np.float64)

    def output_delta(self, activity: Activity, target: Real) -> Real:
        """Return d_L = -dF_n/dv_L of every sample, (samples, out)."""
        error = self.objective.error(activity.output, target)
        return error * self.layers[-1].activation.slope(activity.v[-1])

    def deltas(self, activity: Activity, target: Real) -> tuple[Real, ...]:
        """Return d_l = -dF_n/dv_l of every sample and layer, (samples, out) each."""
        delta = self.output_delta(activity, target)
        found = [delta]
        for index in range(len(self.layers) - 2, -1, -1):
            above = self.layers[index + 1].weight[:, :-1]
            delta = (delta @ above) * self.layers[index].activation.slope(activity.v[index])
            found.append(delta)
        return tuple(reversed(found))

    def gradient(self, activity: Activity, target: Real) -> tuple[Real, ...]:
        """Return g_l = -dF/dW_l of every layer, (out, in + 1): the direction that lowers F."""
        return tuple(
            delta.T @ lines / len(lines)
            for delta, lines in zip(self.deltas(activity, target), activity.inputs, strict=True)
        )

    def moved(self, steps: Sequence[Real], by: float = 1.0) -> Twin:
        """Return the twin with ``by`` times a step added to the weights of every layer."""
        layers = tuple(
            replace(layer, weight=layer.weight + by * step)
            for layer, step in zip(self.layers, steps, strict=True)
        )
        return replace(self, layers=layers)
