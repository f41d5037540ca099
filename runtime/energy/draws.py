"""Correlated draws of uncertain constants, and the band that is printed of them.

A constant in [low, high] is log-uniform there: low (high / low)^q with q uniform in (0, 1). The q
of draw d depend on the seed and on the constant's name only, so that every rule, target and run
that is compared meets the same chip in draw d, and a ratio keeps what two totals do not share.

q is stratified (M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for
selecting values of input variables in the analysis of output from a computer code", Technometrics
21(2):239-245, 1979): a random order of (d + 1/2) / draws, so that one constant alone has its exact
median and quantiles.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words
from hebbite.rules.errors import Problem, UsageError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Median and the 5 % and 95 % quantiles of a quantity."""

    median: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return the three numbers."""
        return {"median": self.median, "low": self.low, "high": self.high}


def band_of(values: Floats) -> Band:
    """Return the band of some draws."""
    low, median, high = np.quantile(values, (0.05, 0.5, 0.95))
    return Band(float(median), float(low), float(high))


@dataclass(frozen=True)
class Draws:
    """``draws`` draws of every constant, the same for the same ``seed``."""

    seed: int
    draws: int

    def __post_init__(self) -> None:
        """Refuse what leaves no distribution.

        Raises:
            UsageError: HB0512, fewer than one draw.
        """
        if self.draws < 1:
            raise UsageError(Problem("HB0512", f"at least one draw is needed, not {self.draws}"))

    def quantiles(self, name: str) -> Floats:
        """Return q in (0, 1) of a constant, shape (draws,)."""
        stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
        order = np.argsort(words(self.draws, seed=self.seed, stream=stream, time=0), kind="stable")
        return (order + 0.5) / self.draws

    def between(self, name: str, low: float, high: float) -> Floats:
        """Return a constant drawn log-uniformly from [low, high], shape (draws,)."""
        return low * (high / low) ** self.quantiles(name)
