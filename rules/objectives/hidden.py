"""Terms of an objective at hidden units: each pulls at the payload of a unit, whatever the outputs.

    homeostasis   F = 2^w 1/2 sum_i (r - m_i)^2,   pull_i = 2^w (r - m_i)
    sparsity      F = 2^w sum_i h_i,               pull_i = -2^w where h_i > 0

h_i the payload of unit i, never negative; m_i its mean over samples; r the wanted payload; 2^w the
weight of the term. The pull is -dF/dh_i (of homeostasis, for a sample's share of the mean). On the
chip m_i is a running mean over about 64 samples in the neuron itself, and the pull is added to the
error that comes back to the unit, before the derivative of its activation: a unit that is silent
for every sample has no derivative, so neither term wakes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.errors import Problem, UsageError

Real = NDArray[np.float64]
HiddenKind = Literal["homeostasis", "sparsity"]
LOW, HIGH = -6, 6


@dataclass(frozen=True)
class HiddenTerm:
    """One term: its kind, the wanted payload of homeostasis (1..254), and w of its weight 2^w."""

    kind: HiddenKind
    rate: int = 0
    exponent: int = 0

    def __post_init__(self) -> None:
        """Check the ranges (HB0411)."""
        top = 0 if self.kind == "sparsity" else 254
        if not 0 <= self.rate <= top or not LOW <= self.exponent <= HIGH:
            what = f"{self.kind}: rate {self.rate} (0..{top}) or weight 2^{self.exponent}"
            what += f" (2^{LOW}..2^{HIGH}) is out of range"
            raise UsageError(Problem("HB0411", what))

    def weighted(self, exponent: int) -> HiddenTerm:
        """Return the term 2^exponent times as heavy."""
        return replace(self, exponent=self.exponent + exponent)

    def pull(self, payload: Real) -> Real:
        """Return the error of every sample and unit, (samples, units), for their payloads."""
        if self.kind == "sparsity":
            return np.where(payload > 0, -(2.0**self.exponent), 0.0)
        mean = payload.mean(axis=0, keepdims=True)
        return np.broadcast_to(2.0**self.exponent * (self.rate - mean), payload.shape)

    def value(self, payload: Real) -> float:
        """Return F of a batch of payloads (samples, units), a sample's mean."""
        if self.kind == "sparsity":
            return float(2.0**self.exponent * np.abs(payload).sum(axis=1).mean())
        return float(2.0**self.exponent * 0.5 * ((self.rate - payload.mean(axis=0)) ** 2).sum())
