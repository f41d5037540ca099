"""First and second moments of a layer's updates over samples and over the rule's own randomness.

An update of sample n is a sum of outer products u_n = d_n x_n^T; d is random where the rule is. So

    U = E[u] = mean_n (E d_n) x_n^T,    E|u|^2 = mean_n E|d_n|^2 |x_n|^2
    tr Cov(u) = E|u|^2 - |U|^2,   of which   mean_n |x_n|^2 tr Cov(d_n)   is intrinsic

and no matrix a sample is ever made: memory is O(samples (in + out)). Updates that are no outer
products (integer ones, tags) are streamed by `Stream`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.runtime.credit.activations import Real


@dataclass(frozen=True, eq=False)
class Moments:
    """mean U (out, in); square E|u|^2; intrinsic E_n tr Cov(u_n | n).

    ``noise``: what is left in |U|^2 because the rule's randomness was sampled, 0 where it was
    averaged exactly.
    """

    mean: Real
    square: float
    intrinsic: float = 0.0
    noise: float = 0.0

    @property
    def covariance(self) -> float:
        """tr Cov(u), data and intrinsic together."""
        return max(0.0, self.square - float(np.vdot(self.mean, self.mean)) + self.noise)


def standing(shape: tuple[int, ...]) -> Moments:
    """Return the moments of a layer that does not learn."""
    return Moments(np.zeros(shape, np.float64), 0.0)


@dataclass(frozen=True, eq=False)
class Update:
    """``u_n = d_n x_n^T``: post E[d], (samples, out); pre x, (samples, in).

    ``power`` E|d_n|^2, (samples,), of a rule that is random and averaged over all it can draw; None
    of a rule that is not.
    """

    post: Real
    pre: Real
    power: Real | None = None

    def moments(self) -> Moments:
        """Return U, E|u|^2 and the intrinsic variance."""
        length = np.einsum("ni,ni->n", self.pre, self.pre)
        own = np.einsum("nj,nj->n", self.post, self.post)
        power = own if self.power is None else self.power
        return Moments(
            mean=self.post.T @ self.pre / len(self.pre),
            square=float(np.mean(length * power)),
            intrinsic=float(np.mean(length * (power - own))),
        )


@dataclass(frozen=True, eq=False)
class Part:
    """The update of one sample.

    ``expected`` E[u_n] (out, in); ``square`` E|u_n|^2; ``intrinsic`` tr Cov(u_n | n);
    ``noise``: the squared error of ``expected``, where draws were sampled.
    """

    expected: Real
    square: float
    intrinsic: float
    noise: float = 0.0


class Stream:
    """Accumulates updates that come sample by sample."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._sum = np.zeros(shape, np.float64)
        self._square = 0.0
        self._intrinsic = 0.0
        self._noise = 0.0
        self._count = 0

    def add(self, part: Part) -> None:
        """Add a sample's update."""
        self._sum += part.expected
        self._square += part.square
        self._intrinsic += part.intrinsic
        self._noise += part.noise
        self._count += 1

    def moments(self) -> Moments:
        """Return the moments over all samples."""
        count = self._count
        return Moments(
            mean=self._sum / count,
            square=self._square / count,
            intrinsic=self._intrinsic / count,
            noise=self._noise / count**2,
        )
