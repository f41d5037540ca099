"""How much better a candidate predicts the changes than "nothing changes" does, on held-out steps.

The change of layer l in step t is taken for a prediction at a fitted rate, plus Gaussian noise:

    D_lt = eta_l u_lt + noise,   noise ~ N(0, s_l^2) for every weight

    eta_l  = max(0, sum_t <D_lt, u_lt> / sum_t |u_lt|^2)      over the fit steps
    s_l^2  = sum_t |D_lt|^2 / (fit steps x n_l)               over the fit steps, of all candidates
    gain_t = sum_l (|D_lt|^2 - |D_lt - eta_l u_lt|^2) / (2 s_l^2)
    score  = mean of gain_t over the held-out steps

eta_l is a rate, in steps of the weight per unit of the gradient and sample; n_l the number of
weights; gain_t the logarithm of how much more probable the change is than under eta = 0, in nats a
step. s_l is the same for all candidates, so that two differ only by what they predict. A layer that
stands still in all fit steps gets eta_l = 0 and counts nothing. The explained variance of a layer:

    R^2_l = 1 - sum_t |D_lt - eta_l u_lt|^2 / sum_t |D_lt|^2  over the held-out steps

Whether a score is above 0, above that of another candidate or above that of its own control is
read from a bootstrap over the held-out steps, the same resamples for all. Its quantiles are
0.025 / C and 1 - 0.025 / C for C candidates (Bonferroni): all intervals hold together with 95 %.
Steps count as independent of each other.

Source: B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1-26
(1979), doi 10.1214/aos/1176344552.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.infer.evidence import Evidence, Products

LEVEL = 0.95
DRAWS = 4000


@dataclass(frozen=True, eq=False)
class Fit:
    """What the fit steps say: ``rate`` eta (candidates, layers); ``noise`` s^2 (layers,), 0 for a
    layer that stood still."""

    rate: Real
    noise: Real

    @property
    def still(self) -> NDArray[np.bool_]:
        """Which layers no fit step changed, (layers,)."""
        return np.asarray(self.noise == 0.0)

    def refuted(self, evidence: Evidence) -> NDArray[np.bool_]:
        """Which layers a candidate says to learn although they stood still."""
        return np.asarray(evidence.learns & self.still)


@dataclass(frozen=True, eq=False)
class Scored:
    """Held-out evidence seen with a fit: gains (candidates, steps), of own samples and control."""

    fit: Fit
    held_out: Evidence
    seed: int = 0

    @cached_property
    def gains(self) -> Real:
        """gain_t of every candidate."""
        return gains(self.held_out.own, self.fit)

    @cached_property
    def control_gains(self) -> Real:
        """gain_t of the same rates, predicting from the samples of another step."""
        return gains(self.held_out.control, self.fit)

    @cached_property
    def resamples(self) -> Real:
        """How often each held-out step is in each resample, as parts of 1, (DRAWS, steps)."""
        return resamples(len(self.held_out.change), seed=self.seed)

    @property
    def scores(self) -> Real:
        """score of every candidate, nats a step."""
        return np.asarray(self.gains.mean(axis=1), np.float64)

    def interval(self, gain: Real) -> tuple[float, float]:
        """Return the interval of the mean of per-step numbers, (steps,)."""
        tail = (1.0 - LEVEL) / 2 / len(self.gains)
        low, high = np.quantile(self.resamples @ gain, (tail, 1.0 - tail))
        return float(low), float(high)

    def explained(self, candidate: int) -> tuple[float | None, tuple[float | None, ...]]:
        """Return R^2 over all weights and of every layer; None where nothing changed."""
        rate, own = self.fit.rate[candidate], self.held_out.own
        along, size = own.along[candidate].sum(axis=0), own.size[candidate].sum(axis=0)
        left, whole = 2 * rate * along - rate**2 * size, self.held_out.change.sum(axis=0)
        layers = [float(a / b) if b else None for a, b in zip(left, whole, strict=True)]
        return float(left.sum() / whole.sum()) if whole.any() else None, tuple(layers)


def fit_of(evidence: Evidence) -> Fit:
    """Return rates and noise from the fit steps, which are all that is handed over."""
    along, size = evidence.own.along.sum(axis=1), evidence.own.size.sum(axis=1)
    rate = np.divide(along, size, out=np.zeros_like(along), where=size > 0)
    noise = evidence.change.mean(axis=0) / evidence.synapses
    return Fit(np.where(noise > 0, np.maximum(rate, 0.0), 0.0), noise)


def gains(products: Products, fit: Fit) -> Real:
    """Return gain_t, (candidates, steps)."""
    rate = fit.rate[:, None]
    nearer = 2 * rate * products.along - rate**2 * products.size
    each = np.divide(nearer, 2 * fit.noise, out=np.zeros_like(nearer), where=fit.noise > 0)
    return np.asarray(each.sum(axis=2), np.float64)


def resamples(steps: int, *, seed: int) -> Real:
    """Return the share of every step in ``DRAWS`` resamples with replacement, (DRAWS, steps)."""
    drawn = uniform((DRAWS, steps), seed=seed, name="inference bootstrap")
    chosen = (drawn * steps).astype(np.int64) + steps * np.arange(DRAWS, dtype=np.int64)[:, None]
    counted = np.bincount(chosen.ravel(), minlength=DRAWS * steps)
    return counted.reshape(DRAWS, steps) / float(steps)
