"""How an update relates to the gradient: angle, bias, variance, gain, and the raw figures.

U the mean update, g = -grad F, both of one layer or of several laid end to end:

    angle        acos(<U, g> / |U| |g|), degrees
    bias         min over a >= 0 of |a U - g| / |g|: sin(angle) below 90 degrees, else 1
    variance     tr Cov(u) / |U|^2, of which ``variance_intrinsic`` is the rule's own randomness
    gain         <U, g> / |g|^2,   bias_raw  |U - g| / |g|,   variance_raw  tr Cov(u) / |g|^2

The first three do not depend on the rate; only the raw pair satisfies MSE = bias_raw^2 +
variance_raw / B for a mean over B updates. A layer that does not move has U = 0: no angle, no
variance, bias 1. Where U was itself averaged over finitely many draws, |U|^2 is corrected for the
noise that is left in it, and ``sampling_error`` is the size of that noise, over |g|.

Source: B. A. Richards et al., Nature Neuroscience 22, 1761-1770 (2019), figure 3 (a sketch of rules
by bias and variance), doi 10.1038/s41593-019-0520-2; here the two are measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Moments


@dataclass(frozen=True)
class Measures:
    """The figures of the module; None where there is none (see there)."""

    angle_deg: float | None
    anti_aligned: bool
    bias: float | None
    gain: float | None
    bias_raw: float | None
    variance: float | None
    variance_intrinsic: float | None
    variance_raw: float | None
    sampling_error: float | None

    def to_json(self) -> dict[str, object]:
        """Return plain data with the keys of a credit row."""
        return dict(vars(self))


def measure(moments: Sequence[Moments], gradient: Sequence[Real]) -> Measures:
    """Return the figures of one layer, or of several laid end to end."""
    update = [part.mean for part in moments]
    noise = sum(m.noise for m in moments)
    covariance = sum(m.covariance for m in moments)
    intrinsic = sum(m.intrinsic for m in moments)
    ug, gg = inner(update, gradient), inner(gradient, gradient)
    uu = max(inner(update, update) - noise, 0.0)
    still = uu == 0.0
    angle = None if still or gg == 0.0 else _angle(update, gradient, uu, noise)
    raw = math.sqrt(max(distance(update, gradient) - noise, 0.0))
    return Measures(
        angle_deg=angle,
        anti_aligned=angle is not None and angle > 90.0,
        bias=None if gg == 0.0 else _bias(update, gradient, angle, noise),
        gain=None if gg == 0.0 else ug / gg,
        bias_raw=None if gg == 0.0 else raw / math.sqrt(gg),
        variance=None if still else covariance / uu,
        variance_intrinsic=None if still else intrinsic / uu,
        variance_raw=None if gg == 0.0 else covariance / gg,
        sampling_error=None if gg == 0.0 else math.sqrt(noise / gg),
    )


def angle_between(one: Sequence[Real], other: Sequence[Real]) -> float | None:
    """Return the angle in degrees between two lists of arrays, each laid end to end.

    None if either is 0. By the lengths of the sum and the difference of the two unit vectors, which
    is exact for small angles where an arc cosine is not (W. Kahan, 2006).
    """
    a, b = math.sqrt(inner(one, one)), math.sqrt(inner(other, other))
    if a == 0.0 or b == 0.0:
        return None
    pairs = list(zip(one, other, strict=True))
    apart = math.sqrt(sum(float(np.sum((x / a - y / b) ** 2)) for x, y in pairs))
    along = math.sqrt(sum(float(np.sum((x / a + y / b) ** 2)) for x, y in pairs))
    return math.degrees(2.0 * math.atan2(apart, along))


def inner(one: Sequence[Real], other: Sequence[Real]) -> float:
    """Return the inner product of two lists of arrays."""
    return sum(float(np.vdot(a, b)) for a, b in zip(one, other, strict=True))


def distance(one: Sequence[Real], other: Sequence[Real]) -> float:
    """Return the squared distance of two lists of arrays."""
    return sum(float(np.sum((a - b) ** 2)) for a, b in zip(one, other, strict=True))


def _angle(
    update: Sequence[Real], gradient: Sequence[Real], uu: float, noise: float
) -> float | None:
    if noise == 0.0:
        return angle_between(update, gradient)
    cosine = inner(update, gradient) / math.sqrt(uu * inner(gradient, gradient))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _bias(
    update: Sequence[Real], gradient: Sequence[Real], angle: float | None, noise: float
) -> float:
    if angle is None or angle >= 90.0:
        return 1.0
    if noise:
        return math.sin(math.radians(angle))
    best = inner(update, gradient) / inner(update, update)
    left = distance([best * part for part in update], gradient)
    return math.sqrt(left / inner(gradient, gradient))
