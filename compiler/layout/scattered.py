"""The random order: what a placement that knows nothing of the network costs."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words

STREAM = zlib.crc32(b"scattered placement")


def scattered(parts: int, *, seed: int, draw: int) -> NDArray[np.int64]:
    """Return a core for every part: the first ``parts`` cores, in the order of draw ``draw``."""
    drawn = words(parts, seed=seed, stream=STREAM, time=draw)
    return np.argsort(drawn, kind="stable").astype(np.int64)
