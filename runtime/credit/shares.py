"""Credit shares: which synapse, neuron and layer brought how much of the change of the objective.

For a step dw the share of synapse ij is its part of the integral of the gradient along the step,

    c_ij = dw_ij * integral_0^1 g_ij(w + s dw) ds,   g = -grad F,   sum_ij c_ij = F(w) - F(w + dw)

so a positive share lowered F. The integral is taken by Gauss-Legendre quadrature; the sum is an
identity for smooth networks and a test of the quadrature (``residual``) for those with kinks. The
misassigned part is what synapses brought in the wrong direction: sum_{c<0} |c| / sum |c|.

Source: M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML 2017,
arXiv 1703.01365, doi 10.48550/arXiv.1703.01365 (integrated gradients, there over inputs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.twin import Twin

POINTS = 32


@dataclass(frozen=True, eq=False)
class Shares:
    """``synapses[l]`` (out, in + 1): what every synapse brought, in units of F. ``decrease`` is
    F(w) - F(w + dw), as realised."""

    synapses: tuple[Real, ...]
    decrease: float

    @property
    def total(self) -> float:
        """The sum of all shares; ``decrease`` but for the error of the quadrature."""
        return sum(float(part.sum()) for part in self.synapses)

    @property
    def residual(self) -> float:
        """|sum of shares - decrease| / |decrease|; 0 if nothing moved."""
        return abs(self.total - self.decrease) / abs(self.decrease) if self.decrease else 0.0

    def layer(self, index: int) -> float | None:
        """Return the part of the whole that a layer brought; None if nothing was brought."""
        return float(self.synapses[index].sum()) / self.total if self.total else None

    def neurons(self, index: int) -> Real | None:
        """Return the part of the whole that every neuron of a layer brought, (out,)."""
        return self.synapses[index].sum(axis=1) / self.total if self.total else None

    def misassigned(self, index: int | None = None) -> float | None:
        """Return the misassigned part of a layer, or of all; None if nothing moved."""
        parts = self.synapses if index is None else (self.synapses[index],)
        size = sum(float(np.abs(part).sum()) for part in parts)
        wrong = sum(float(-part[part < 0].sum()) for part in parts)
        return wrong / size if size else None


def path_integrated(
    twin: Twin, x: Real, target: Real, step: Sequence[Real], *, points: int = POINTS
) -> Shares:
    """Return the shares of a step (a weight change a layer) on payloads x and targets."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    start = twin.forward(x)
    lines, grown = start.inputs[0], start.inputs[0] @ step[0].T
    first = np.zeros_like(start.v[0])  # the lines of the first layer stay, so its deltas add up
    upper = [np.zeros_like(part) for part in step[1:]]
    for at, share in zip((nodes + 1.0) / 2.0, weights / 2.0, strict=True):
        there = twin.moved(step, float(at))
        activity = there.onward(lines, start.v[0] + at * grown)
        delta, *deltas = there.deltas(activity, target)
        first += share * delta
        for total, each, pre in zip(upper, deltas, activity.inputs[1:], strict=True):
            total += share / len(x) * (each.T @ pre)
    mean = [first.T @ lines / len(x), *upper]
    decrease = twin.value(x, target) - twin.moved(step).value(x, target)
    return Shares(tuple(a * b for a, b in zip(mean, step, strict=True)), decrease)


def first_order(gradient: Sequence[Real], step: Sequence[Real]) -> tuple[Real, ...]:
    """Return g_ij dw_ij of every synapse: the shares of an infinitesimal step."""
    return tuple(g * part for g, part in zip(gradient, step, strict=True))
