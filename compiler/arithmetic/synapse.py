"""What a group of synapses computes from the messages of one step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Dense, Unrolled, synapses_of
from hebbite.compiler.program.types import Program, Synapses

Long = NDArray[np.int64]


class Fan(NamedTuple):
    """The synapses of a group that is no matrix, and how many neurons it may reach."""

    synapses: Unrolled
    neurons: int


def fan_of(program: Program, group: Synapses) -> Fan | None:
    """Return how a group's weights are spread; None for a dense one, whose weights say it."""
    if isinstance(group.connect, Dense):
        return None
    return Fan(synapses_of(program, group), program.post_size(group))


def accumulate(
    weight: Long,
    message: Long,
    *,
    graded: bool,
    exponent: int,
    fan: Fan | None = None,
) -> Long:
    """Return a_j = (sum_i w_ji p_i) * 2^exponent, rounded down, for every receiving neuron.

    weight (post, lines), or as ``fan`` says; message (lines,): payloads, 0 = nothing sent; p_i = 1
    if not graded. Exact in int64; the program's verifier proves that the sum fits int32.
    """
    payload = message if graded else (message != 0).astype(np.int64)
    if fan is None:
        total = weight @ payload
    else:
        line, post, element = fan.synapses
        total = np.zeros(fan.neurons, np.int64)
        np.add.at(total, post, weight.ravel()[element] * payload[line])
    return total << exponent if exponent >= 0 else total >> -exponent


def arrivals(weight: Long, message: Long, fan: Fan | None = None) -> tuple[NDArray[np.bool_], int]:
    """Return which neurons a message reaches through a weight that is not 0, and by how many.

    Shapes as in `accumulate`; the neurons are bool (post,).
    """
    sent = message != 0
    if fan is None:
        reached = (weight != 0) & sent[None, :]
        return reached.any(axis=1), int(reached.sum())
    line, post, element = fan.synapses
    hit = sent[line] & (weight.ravel()[element] != 0)
    found = np.zeros(fan.neurons, np.bool_)
    found[post[hit]] = True
    return found, int(hit.sum())


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
