"""The random numbers of stochastic rounding, as 53-bit integers k: round up where k < threshold.

Two modes, and every result says which:

``lava-exact``   one number for all synapses, as Lava draws it: NumPy's PCG64 streams with Lava's
                 own seeds (trace decay of x: seed, of y: seed + 2; weights and tags: always 2), two
                 trace draws a step of which an epoch uses the last, one weight draw an epoch, which
                 rounds tags too.
``independent``  one number for every synapse and trace, from Philox keyed by the seed and counted
                 by group, epoch and element.

One number serves all steps of an epoch in both modes: that is Lava's trace decay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import OCTET_BITS, WORD_BITS, octets, words
from hebbite.rules.traces import RANDOM_BITS

Rounding = Literal["lava-exact", "independent"]
ROUNDINGS: tuple[Rounding, ...] = ("lava-exact", "independent")
Draw = NDArray[np.int64]
SYNAPTIC = ("weight", "tag")
KIND = {"weight": 0, "x1": 1, "x2": 2, "y1": 3, "y2": 4, "y3": 5, "neuron": 6, "tag": 7}
BELOW = 8 << 24
"""Added to the stream of a trace's bytes: that of the words below them."""
TRACE_BITS = OCTET_BITS + WORD_BITS
"""Bits of what a trace draws: a byte, and a word that is seldom needed to compare."""


def stream_of(kind: str, group: int) -> int:
    """Number of the Philox stream for a kind of draw in a group of synapses or a population."""
    return KIND[kind] << 24 | group


class EpochRandom(Protocol):
    """Random numbers of one learning epoch."""

    def draw(self, kind: str, group: int, size: int) -> Draw:
        """Return ``size`` 53-bit integers, or one that broadcasts."""


@dataclass(frozen=True)
class SharedRandom:
    """The three numbers that Lava uses in an epoch."""

    x: int
    y: int
    weight: int

    def draw(self, kind: str, group: int, size: int) -> Draw:
        """Return the one number of this kind; group and size do not matter."""
        value = self.weight if kind in SYNAPTIC else self.x if kind[0] == "x" else self.y
        return np.full(1, value, np.int64)


@dataclass(frozen=True)
class KeyedRandom:
    """Philox numbers of one epoch. Weights and tags are numbered by line, then by neuron: line *
    post size + neuron in a matrix, the k-th stored one in a list."""

    seed: int
    epoch: int

    def draw(self, kind: str, group: int, size: int) -> Draw:
        """Return one number an element in the upper bits of 53: a byte for a weight or a tag, whose
        fraction has 7 bits, and for a trace a byte above a word.
        """
        stream = stream_of(kind, group)
        high = octets(size, seed=self.seed, stream=stream, time=self.epoch)
        if kind in SYNAPTIC:
            return high << np.int64(RANDOM_BITS - OCTET_BITS)
        low = words(size, seed=self.seed, stream=BELOW | stream, time=self.epoch)
        return (high << np.int64(WORD_BITS) | low) << np.int64(RANDOM_BITS - TRACE_BITS)


class LavaStreams:
    """Lava's generators, advanced epoch by epoch; a fresh one reaches any epoch by drawing."""

    def __init__(self, seed: int) -> None:
        self._x = np.random.default_rng(seed)
        self._y = np.random.default_rng(seed + 2)
        self._weight = np.random.default_rng(2)
        for generator in (self._x, self._y, self._weight):
            generator.random(1)  # every one of Lava's constructors draws once

    def epochs(self, count: int, steps: int) -> NDArray[np.int64]:
        """Return the numbers of the next ``count`` epochs, shape (count, 3): x, y, weight."""
        x = self._x.random(2 * steps * count).reshape(count, 2 * steps)[:, -1]
        y = self._y.random(2 * steps * count).reshape(count, 2 * steps)[:, -1]
        weight = self._weight.random(count)
        return (np.stack([x, y, weight], axis=1) * 2.0**RANDOM_BITS).astype(np.int64)
