"""Philox4x32-10 in a kernel: the numbers of `hebbite.compiler.arithmetic.philox`."""

from __future__ import annotations

import numpy as np

from hebbite.runtime.engines.native.jit import helper
from hebbite.runtime.engines.native.plan import H_SEED_HIGH, H_SEED_LOW, Long


@helper
def draw_block(head: Long, number: int, stream: int, time: int, block: Long) -> None:
    """Fill ``block`` with the four 32-bit words of block ``number`` of a stream at a time."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    c0, c1 = np.uint64(number), np.uint64(stream)
    c2, c3 = np.uint64(time) & low, np.uint64(time) >> half
    k0, k1 = np.uint64(head[H_SEED_LOW]), np.uint64(head[H_SEED_HIGH])
    for _ in range(10):
        p0 = c0 * np.uint64(0xD2511F53)
        p1 = c2 * np.uint64(0xCD9E8D57)
        c0, c1 = (p1 >> half) ^ c1 ^ k0, p1 & low
        c2, c3 = (p0 >> half) ^ c3 ^ k1, p0 & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    block[0], block[1], block[2], block[3] = c0, c1, c2, c3
