"""An objective: what is improved, as a function F of the outputs, and the error the chip delivers.

    e = clip(t - o, -127, 127), and 0 where |e| < margin
    F = sum_j phi(|t_j - o_j|)
    phi(d) = 0                              d < margin
             (d^2 - margin^2) / 2           margin <= d <= 127
             127 d - (127^2 + margin^2) / 2 beyond

t targets and o outputs in payload units. e = -dF/do wherever F is smooth (everywhere but where
|t - o| is the margin itself), so what the chip follows is the gradient of F, dead zone and
saturation included. A margin of 0 is half the squared error (mse); with one, targets 0 and
``target_rate`` act as a hinge does: an output that is right by less than the margin costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.errors import Problem, UsageError

Real = NDArray[np.float64]
TOP = 127.0


@dataclass(frozen=True)
class Objective:
    """Names, loss, and the two numbers that the chip knows.

    target_rate  output value that a target of 1 stands for, 1..127
    margin       dead zone of the error, 0..127: smaller errors are neither sent nor learnt from
    """

    name: str
    text: str
    loss: str
    target_rate: int = 100
    margin: int = 12

    def __post_init__(self) -> None:
        """Check the ranges (HB0411)."""
        if not 1 <= self.target_rate <= 127 or not 0 <= self.margin <= 127:
            what = f"target_rate {self.target_rate} (1..127) or margin {self.margin} (0..127)"
            raise UsageError(Problem("HB0411", f"{what} is out of range", at=self.text))

    def error(self, output: Real, target: Real) -> Real:
        """Return the error that the chip delivers, elementwise."""
        e = np.clip(target - output, -TOP, TOP)
        return np.where(np.abs(e) < self.margin, 0.0, e)

    def losses(self, output: Real, target: Real) -> Real:
        """Return phi of every output, elementwise; F is their sum."""
        d = np.abs(target - output)
        square = (d**2 - self.margin**2) / 2
        beyond = TOP * d - (TOP**2 + self.margin**2) / 2
        return np.where(d < self.margin, 0.0, np.where(d <= TOP, square, beyond))

    def value(self, output: Real, target: Real) -> float:
        """Return F, summed over everything that is given."""
        return float(self.losses(output, target).sum())

    def __str__(self) -> str:
        """Return the text; `parse_objective` gives the objective back."""
        return self.text
