"""Philox4x32-10 in kernels: the numbers of `hebbite.compiler.arithmetic.philox`.

Block n of a stream holds four 32-bit words, those of elements 4n .. 4n + 3, or sixteen bytes, those
of elements 16n .. 16n + 15. The loops go over blocks, so that LLVM computes several at once.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import apart, kernel, logical, part
from hebbite.runtime.engines.native.plan import H_SEED_HIGH, H_SEED_LOW, Byte, Long, Unsigned, Word

LOW, HALF = 0xFFFFFFFF, 32
LANES = 4
"""Blocks that one instruction computes."""
MORE = LANES - 1
"""Blocks that a call may draw beyond what is asked for: its loops have no remainder."""


@part
def words_of(head: Long, number: int, stream: int, time: int) -> tuple[int, int, int, int]:
    """Return the four words of block ``number`` of a stream at a time.

    Those are the lower halves of the numbers; what stands above is cut where they are written.
    """
    c0, c1, c2, c3 = number, stream, time & LOW, logical(time, HALF)
    k0, k1 = head[H_SEED_LOW], head[H_SEED_HIGH]
    for _ in range(10):
        p0, p1 = (c0 & LOW) * 0xD2511F53, (c2 & LOW) * 0xCD9E8D57
        c0, c1 = logical(p1, HALF) ^ c1 ^ k0, p1
        c2, c3 = logical(p0, HALF) ^ c3 ^ k1, p0
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


@kernel
def draw_words(
    head: Long, numbers: Word, blocks: int, stream: int, time: int, words: Unsigned
) -> None:
    """Fill ``words`` with the 32-bit words of ``blocks`` blocks, each given by its number, and of
    at most `MORE` behind them, whose numbers are read too.
    """
    half = (blocks + MORE) // (2 * LANES) * LANES
    left = (blocks - 2 * half + MORE) // LANES * LANES
    two_of_words(head, numbers, half, stream, time, words, words[4 * half :])
    if left > 0:
        one_of_words(head, numbers[2 * half :], left, stream, time, words[8 * half :])


@apart
def one_of_words(
    head: Long, numbers: Word, blocks: int, stream: int, time: int, words: Unsigned
) -> None:
    """Fill ``words`` with those of ``blocks`` blocks."""
    for b in range(blocks):
        w0, w1, w2, w3 = words_of(head, numbers[b], stream, time)
        words[4 * b], words[4 * b + 1], words[4 * b + 2], words[4 * b + 3] = w0, w1, w2, w3


@apart
def two_of_words(
    head: Long, numbers: Word, half: int, stream: int, time: int, words: Unsigned, more: Unsigned
) -> None:
    """Fill ``words`` and ``more`` with ``half`` blocks each, those of ``more`` behind the others.
    Rounds wait for their multiplications: two blocks at a time have something to do meanwhile.
    """
    for b in range(half):
        w0, w1, w2, w3 = words_of(head, numbers[b], stream, time)
        v0, v1, v2, v3 = words_of(head, numbers[half + b], stream, time)
        words[4 * b], words[4 * b + 1], words[4 * b + 2], words[4 * b + 3] = w0, w1, w2, w3
        more[4 * b], more[4 * b + 1], more[4 * b + 2], more[4 * b + 3] = v0, v1, v2, v3


@part
def word_of(head: Long, element: int, stream: int, time: int) -> int:
    """Return the word of one element of a stream at a time, four a block."""
    w0, w1, w2, w3 = words_of(head, element >> 2, stream, time)
    even = w2 if element & 2 else w0
    odd = w3 if element & 2 else w1
    return (odd if element & 1 else even) & LOW


@part
def octet_of(head: Long, element: int, stream: int, time: int) -> int:
    """Return the byte of one element of a stream at a time, sixteen a block."""
    return word_of(head, element >> 2, stream, time) >> 8 * (element & 3) & 0xFF


@apart
def draw_column_of(
    head: Long,
    first: int,
    stride: int,
    elements: Word,
    count: int,
    stream: int,
    time: int,
    octets: Byte,
) -> None:
    """Fill ``octets`` with the bytes of elements ``first``, ``first + stride``, ..., or of
    ``elements`` where the stride is 0.
    """
    if stride > 0:
        for i in range(count):
            octets[i] = octet_of(head, first + i * stride, stream, time)
    else:
        for i in range(count):
            octets[i] = octet_of(head, elements[i], stream, time)
