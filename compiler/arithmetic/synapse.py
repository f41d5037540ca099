"""What a group of synapses computes from the messages of one step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Long = NDArray[np.int64]


def accumulate(weight: Long, message: Long, *, graded: bool, exponent: int) -> Long:
    """Return a_j = (sum_i w_ji p_i) * 2^exponent, rounded down, for every receiving neuron.

    weight (post, lines), message (lines,): payloads, 0 = nothing sent; p_i = 1 if not graded.
    Exact in int64; the program's verifier proves that the sum fits int32.
    """
    payload = message if graded else (message != 0).astype(np.int64)
    total = weight @ payload
    return total << exponent if exponent >= 0 else total >> -exponent


def mirrored(weight: Long, *, size: int, magnitude: int) -> Long:
    """Return what a group of ``size`` receivers copies from the group that it mirrors, int64.

    weight (post, lines) of the followed group; its first ``size`` lines are taken, transposed:
    (size, post). With magnitude m > 0 the sign alone is copied: m where w >= 0, -m where w < 0.
    """
    copied = weight.T[:size]
    if magnitude == 0:
        return copied
    return np.where(copied >= 0, np.int64(magnitude), np.int64(-magnitude))


def half_payload(payload: Long) -> Long:
    """Return payload / 2 rounded half to even, in 8 bits: what an ``overwrite`` trace stores."""
    half = payload >> 1
    return (half + ((payload & 1) & (half & 1))) & np.int64(0xFF)
