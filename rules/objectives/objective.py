"""An objective: what is improved, as a function F, and the error signals that the chip delivers.

At the outputs

    e = clip(t - o, -127, 127), and 0 where |e| < margin
    F = sum_j phi(|t_j - o_j|)
    phi(d) = 0                              d < margin
             (d^2 - margin^2) / 2           margin <= d <= 127
             127 d - (127^2 + margin^2) / 2 beyond

t targets and o outputs in payload units. e = -dF/do wherever F is smooth (everywhere but where
|t - o| is the margin itself), so what the chip follows is the gradient of F, dead zone and
saturation included. A margin of 0 is half the squared error (mse); with one, targets 0 and
``target_rate`` act as a hinge does: an output that is right by less than the margin costs nothing.
A one-sided objective (the squared hinge) is the same with d = max(t - o, 0) where t > 0, and
max(o - t, 0) elsewhere: an output beyond its target costs nothing either. A cross-entropy is

    F = -T R log softmax(o / T)_c,   e = R (1[j = c] - softmax(o / T)_j)

c the right class, T the temperature and R the target rate, both in payload units.

At hidden units an objective may have further terms, each with an error of its own (`HiddenTerm`);
the whole is their sum, as text ``classification + 2^-2*sparsity``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.objectives.hidden import HiddenTerm

Real = NDArray[np.float64]
TOP = 127.0
Teaches = Literal["labels", "input", "next-input", "reward", "pairs"]


@dataclass(frozen=True)
class Objective:
    """Names, loss, the numbers that the chip knows, and who says what is right.

    target_rate  output value that a target of 1 stands for, 1..127
    margin       dead zone of the error, 0..127: smaller errors are neither sent nor learnt from
    one_sided    whether an output beyond its target costs nothing
    temperature  of a cross-entropy, in payload units, 1..127; 0: no cross-entropy
    teaches      where targets come from: labels (or real targets) of the samples, the input itself,
                 the input ``horizon`` samples on, a reward for what was done, pairs of samples
    horizon      samples between an input and the one that it predicts, 1 or more
    epsilon      per cent of the actions that are taken at random, 0..100
    discount     per cent that a reward loses nothing of in a step of an episode, 0..100
    hidden       terms at hidden units
    """

    name: str
    text: str
    loss: str
    target_rate: int = 100
    margin: int = 12
    one_sided: bool = False
    temperature: int = 0
    teaches: Teaches = "labels"
    horizon: int = 1
    epsilon: int = 0
    discount: int = 0
    hidden: tuple[HiddenTerm, ...] = ()

    def __post_init__(self) -> None:
        """Check the ranges (HB0411)."""
        for name, low, high in (
            ("target_rate", 1, 127),
            ("margin", 0, 127),
            ("temperature", 0, 127),
            ("horizon", 1, 10**6),
            ("epsilon", 0, 100),
            ("discount", 0, 100),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                what = f"{name} {value} ({low}..{high}) is out of range"
                raise UsageError(Problem("HB0411", what, at=self.text))

    @property
    def judged_by_host(self) -> bool:
        """Whether the host must see the outputs before it can say what was wrong with them."""
        return self.temperature > 0 or self.teaches in ("reward", "pairs")

    def error(self, output: Real, target: Real) -> Real:
        """Return the error that the chip delivers: elementwise, a cross-entropy row by row."""
        if self.temperature:
            chosen = np.asarray(target, np.float64) / self.target_rate
            return np.asarray(self.target_rate * (chosen - self._softmax(output)), np.float64)
        e = np.clip(self._distance(output, target), -TOP, TOP)
        return np.where(np.abs(e) < self.margin, 0.0, e)

    def losses(self, output: Real, target: Real) -> Real:
        """Return the loss of every output; F is their sum."""
        if self.temperature:
            chosen = np.asarray(target, np.float64) / self.target_rate
            scaled = output / self.temperature
            top = scaled.max(axis=-1, keepdims=True)
            log = scaled - top - np.log(np.exp(scaled - top).sum(axis=-1, keepdims=True))
            return np.asarray(-self.temperature * self.target_rate * chosen * log, np.float64)
        d = np.abs(self._distance(output, target))
        square = (d**2 - self.margin**2) / 2
        beyond = TOP * d - (TOP**2 + self.margin**2) / 2
        return np.where(d < self.margin, 0.0, np.where(d <= TOP, square, beyond))

    def value(self, output: Real, target: Real) -> float:
        """Return F, summed over everything that is given."""
        return float(self.losses(output, target).sum())

    def weighted(self, exponent: int) -> Objective:
        """Return the objective with its hidden terms 2^exponent times as heavy."""
        return replace(self, hidden=tuple(term.weighted(exponent) for term in self.hidden))

    def _distance(self, output: Real, target: Real) -> Real:
        d = np.asarray(target - output, np.float64)
        if not self.one_sided:
            return d
        return np.where(np.asarray(target) > 0, np.maximum(d, 0.0), np.minimum(d, 0.0))

    def _softmax(self, output: Real) -> Real:
        scaled = np.exp((output - output.max(axis=-1, keepdims=True)) / self.temperature)
        return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True), np.float64)

    def __str__(self) -> str:
        """Return the text; `parse_objective` gives the objective back."""
        return self.text
