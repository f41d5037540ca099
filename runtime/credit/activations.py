"""Activations of the differentiable twin, with the derivative that its gradient uses.

Each stands for one neuron program of the chip, in the chip's units: v is the sum of inputs
(payloads x stored weights), the value is a payload. Rounding is left out (straight-through);
clipping is kept, with its own derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


class Activation(Protocol):
    """A function of v, elementwise, and its derivative."""

    def value(self, v: Real) -> Real:
        """Return the payload, same shape as v."""

    def slope(self, v: Real) -> Real:
        """Return d value / d v, same shape as v."""


@dataclass(frozen=True)
class Clipped:
    """min(max(scale v, low), high): the rectifier (0..254) and the output unit (-127..127)."""

    scale: float
    low: float
    high: float

    def value(self, v: Real) -> Real:
        """Return the clipped line."""
        return np.clip(self.scale * v, self.low, self.high)

    def slope(self, v: Real) -> Real:
        """Return ``scale`` strictly between the bounds, else 0."""
        scaled = self.scale * v
        return np.where((scaled > self.low) & (scaled < self.high), self.scale, 0.0)


@dataclass(frozen=True)
class Tanh:
    """top tanh(scale v)."""

    scale: float
    top: float

    def value(self, v: Real) -> Real:
        """Return the hyperbolic tangent."""
        return self.top * np.tanh(self.scale * v)

    def slope(self, v: Real) -> Real:
        """Return top scale (1 - tanh^2)."""
        return self.top * self.scale * (1.0 - np.tanh(self.scale * v) ** 2)


@dataclass(frozen=True)
class Logistic:
    """top / (1 + exp(-scale v))."""

    scale: float
    top: float

    def value(self, v: Real) -> Real:
        """Return the logistic function; by tanh, which cannot overflow."""
        return 0.5 * self.top * (1.0 + np.tanh(0.5 * self.scale * v))

    def slope(self, v: Real) -> Real:
        """Return top scale s (1 - s)."""
        s = 0.5 * (1.0 + np.tanh(0.5 * self.scale * v))
        return self.top * self.scale * s * (1.0 - s)
