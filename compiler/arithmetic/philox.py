"""Philox4x32-10: a counter-based random generator, the same bits on every machine.

Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
1, 2, 3", SC 2011, doi 10.1145/2063384.2063405.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

MULTIPLIER_0, MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85
WORD_BITS, OCTET_BITS = 32, 8
"""Bits of what one element is given: a word of a block, or a byte of one."""
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> Words:
    """Return four 32-bit words for each counter, shape (4, n).

    ``counter`` holds four uint64 arrays of n values below 2^32, ``key`` two integers below 2^32.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * np.uint64(MULTIPLIER_0)
        p1 = c2 * np.uint64(MULTIPLIER_1)
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + WEYL_0) & 0xFFFFFFFF, (k1 + WEYL_1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


def words(size: int, *, seed: int, stream: int, time: int) -> NDArray[np.int64]:
    """Return ``size`` 32-bit integers for a stream (one of 2^32) at a time (one of 2^64).

    Element n is word n mod 4 of block n div 4, so that four neighbours share one call.
    """
    blocks = np.arange((size + 3) // 4, dtype=np.uint64)
    fill = np.zeros_like(blocks)
    counter = (
        blocks,
        fill + np.uint64(stream),
        fill + np.uint64(time & 0xFFFFFFFF),
        fill + np.uint64(time >> 32),
    )
    out = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    return out.T.reshape(-1)[:size].astype(np.int64)


def octets(size: int, *, seed: int, stream: int, time: int) -> NDArray[np.int64]:
    """Return ``size`` 8-bit integers for a stream at a time: sixteen neighbours share one call.

    Element n is a byte of word n div 4 of `words`, the lowest one first.
    """
    drawn = words((size + 3) // 4, seed=seed, stream=stream, time=time)
    return drawn.astype("<u4").view(np.uint8)[:size].astype(np.int64)
