"""Random constants of a program (feedback, new weights), from Philox: the same everywhere."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words

Real = NDArray[np.float64]


def _stream(name: str) -> int:
    return zlib.crc32(name.encode())


def uniform(shape: tuple[int, ...], *, seed: int, name: str) -> Real:
    """Return values k / 2^32 in [0, 1) for a seed (below 2^62) and the name of what is drawn."""
    size = int(np.prod(shape))
    drawn = words(size, seed=seed, stream=_stream(name), time=2**63)
    return (drawn.astype(np.float64) / 2.0**32).reshape(shape)


def bell(shape: tuple[int, ...], *, seed: int, name: str) -> Real:
    """Return values of mean 0 and variance 1: the sum of twelve uniform numbers, less 6.

    Only additions of exact numbers, so that no library's logarithm decides a bit.
    """
    return np.asarray(uniform((12, *shape), seed=seed, name=name).sum(axis=0) - 6.0, np.float64)
