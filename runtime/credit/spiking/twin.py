"""A network of leaky integrate-and-fire units in real numbers, with its gradient through time.

    u_t = k_u u_(t-1) + g W s_(t-1)          s the spikes below: a message takes one step
    v_t = k_v (v_(t-1) - reset) + u_t + b    reset: v where it spiked (zero), or the threshold
    s_t = 1 where v_t > threshold
    r_t = k_r r_(t-1) + R s_t                the readout, of the last population's spikes
    F   = mean_n sum_t phi(r_t, target)      over every step, or over the last one only

k decays a step, g a gain, b a bias. The gradient goes backwards in time with psi (`surrogate`) for
ds/dv; resets are taken as constant. Arrays are (steps, samples, neurons). The activity may be the
twin's own, or what an engine recorded.

    dr_t = k_r dr_(t+1) + e_t,   ds_t = R^T dr_t (top) or g W^T du_(t+1) of the layer above
    dv_t = psi(v_t) ds_t + k_v (1 - s_t where the reset is to zero) dv_(t+1)
    du_t = dv_t + k_u du_(t+1),   -dF/dW = mean_n sum_t g du_t s_(t-1)^T
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from hebbite.rules.objectives import Objective
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.spiking.surrogate import Surrogate

Reset = Literal["zero", "subtract"]


@dataclass(frozen=True, eq=False)
class LifLayer:
    """One population: weight (out, in), bias (out,), decays ``keep_u`` and ``keep_v``, threshold,
    gain of a message, and how a spike resets the potential."""

    name: str
    weight: Real
    bias: Real
    keep_u: float
    keep_v: float
    threshold: float
    gain: float = 1.0
    reset: Reset = "zero"

    def after(self, v: Real, spikes: Real) -> Real:
        """Return the potential that is left after the spikes."""
        return v * (1.0 - spikes) if self.reset == "zero" else v - self.threshold * spikes


@dataclass(frozen=True, eq=False)
class SpikeReadout:
    """r = filter of R s: ``weight`` R (outputs, last population), ``keep`` k_r; ``every``: whether
    F counts every step, or the last one only."""

    weight: Real
    keep: float
    every: bool


@dataclass(frozen=True, eq=False)
class SpikingActivity:
    """``spikes[0]`` of the input, ``spikes[l]`` of population l; ``v[l]`` potentials before the
    reset; ``readout`` r. All (steps, samples, neurons)."""

    spikes: tuple[Real, ...]
    v: tuple[Real, ...]
    readout: Real


@dataclass(frozen=True, eq=False)
class SpikingTwin:
    """Populations in order, a readout, an objective, and what stands for ds/dv."""

    layers: tuple[LifLayer, ...]
    readout: SpikeReadout
    objective: Objective
    surrogate: Surrogate = field(default_factory=Surrogate)

    def forward(self, spikes: Real) -> SpikingActivity:
        """Return the activity from rest for input spikes (steps, samples, inputs)."""
        found, sums, below = [spikes], [], spikes
        for layer in self.layers:
            v, below = _population(layer, below)
            found.append(below)
            sums.append(v)
        return SpikingActivity(tuple(found), tuple(sums), self.read(below))

    def read(self, spikes: Real) -> Real:
        """Return r for the spikes of the last population."""
        found = np.empty((*spikes.shape[:2], len(self.readout.weight)))
        state = np.zeros(found.shape[1:])
        for step, row in enumerate(spikes):
            state = self.readout.keep * state + row @ self.readout.weight.T
            found[step] = state
        return found

    def errors(self, activity: SpikingActivity, target: Real) -> Real:
        """Return e_t = -dF_n/dr_t, (steps, samples, outputs), for targets (samples, outputs)."""
        error = self.objective.error(activity.readout, target[None])
        if not self.readout.every:
            error[:-1] = 0.0
        return error

    def value(self, activity: SpikingActivity, target: Real) -> float:
        """Return F, the mean over samples."""
        losses = self.objective.losses(activity.readout, target[None]).sum(axis=2)
        return float((losses.sum(axis=0) if self.readout.every else losses[-1]).mean())

    def currents(self, activity: SpikingActivity, target: Real) -> tuple[Real, ...]:
        """Return du_t = -dF_n/du_t of every population, (steps, samples, out)."""
        errors = self.errors(activity, target)
        below = backwards(errors, self.readout.keep) @ self.readout.weight
        found: list[Real] = []
        for index in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[index]
            du = self._current(layer, activity, index, below)
            found.insert(0, du)
            below = np.zeros_like(activity.spikes[index])
            below[:-1] = layer.gain * (du[1:] @ layer.weight)
        return tuple(found)

    def gradient(self, activity: SpikingActivity, target: Real) -> tuple[Real, ...]:
        """Return -dF/dW of every population, (out, in)."""
        samples = len(target)
        return tuple(
            layer.gain * np.einsum("tnj,tni->ji", du[1:], before[:-1], optimize=True) / samples
            for layer, du, before in zip(
                self.layers, self.currents(activity, target), activity.spikes, strict=False
            )
        )

    def moved(self, index: int, step: Real) -> SpikingTwin:
        """Return the twin with ``step`` added to the weights of population ``index``."""
        layers = list(self.layers)
        layers[index] = replace(layers[index], weight=layers[index].weight + step)
        return replace(self, layers=tuple(layers))

    def _current(self, layer: LifLayer, activity: SpikingActivity, index: int, ds: Real) -> Real:
        v, spikes = activity.v[index], activity.spikes[index + 1]
        psi = self.surrogate.slope(v, layer.threshold)
        dv = np.zeros_like(v)
        after = np.zeros(v.shape[1:])
        for step in range(len(v) - 1, -1, -1):
            kept = 1.0 - spikes[step] if layer.reset == "zero" else 1.0
            after = psi[step] * ds[step] + layer.keep_v * kept * after
            dv[step] = after
        return backwards(dv, layer.keep_u)


def backwards(signal: Real, keep: float) -> Real:
    """Return y_t = signal_t + keep y_(t+1): a low-pass filter that runs from the last step."""
    found = np.empty_like(signal)
    state = np.zeros(signal.shape[1:])
    for step in range(len(signal) - 1, -1, -1):
        state = signal[step] + keep * state
        found[step] = state
    return found


def forwards(signal: Real, keep: float) -> Real:
    """Return y_t = signal_t + keep y_(t-1): a low-pass filter."""
    return backwards(signal[::-1], keep)[::-1]


def _population(layer: LifLayer, below: Real) -> tuple[Real, Real]:
    """Return potentials before the reset, and spikes, for the spikes below."""
    steps, samples = below.shape[:2]
    sums, spikes = (np.zeros((steps, samples, len(layer.weight))) for _ in range(2))
    u = left = np.zeros(sums.shape[1:])
    for step in range(steps):
        arrived = below[step - 1] @ layer.weight.T if step else np.zeros_like(u)
        u = layer.keep_u * u + layer.gain * arrived
        sums[step] = layer.keep_v * left + u + layer.bias
        spikes[step] = sums[step] > layer.threshold
        left = layer.after(sums[step], spikes[step])
    return sums, spikes
