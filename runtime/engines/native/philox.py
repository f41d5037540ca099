"""Philox4x32-10 in kernels: the numbers of `hebbite.compiler.arithmetic.philox`.

Block n of a stream holds four 32-bit words, those of elements 4n .. 4n + 3. The loops go over
blocks, so that LLVM computes several at once.
"""

from __future__ import annotations

from hebbite.runtime.engines.native.language import kernel, logical, part
from hebbite.runtime.engines.native.plan import H_SEED_HIGH, H_SEED_LOW, Byte, Long, Unsigned, Word

LOW, HALF = 0xFFFFFFFF, 32
TOP_BITS = 25
"""What is left of a word are the 7 bits that a fraction is compared with."""
LANES = 4
"""Blocks that one instruction computes."""
MORE = LANES - 1
"""Blocks that a call may draw beyond what is asked for: its loops have no remainder."""


@part
def words_of(head: Long, number: int, stream: int, time: int) -> tuple[int, int, int, int]:
    """Return the four words of block ``number`` of a stream at a time."""
    c0, c1, c2, c3 = number, stream, time & LOW, logical(time, HALF)
    k0, k1 = head[H_SEED_LOW], head[H_SEED_HIGH]
    for _ in range(10):
        p0, p1 = (c0 & LOW) * 0xD2511F53, (c2 & LOW) * 0xCD9E8D57
        c0, c1 = logical(p1, HALF) ^ c1 ^ k0, p1 & LOW
        c2, c3 = logical(p0, HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


@part
def one_of(head: Long, element: int, stream: int, time: int) -> int:
    """Return the word of one element of a stream at a time."""
    w0, w1, w2, w3 = words_of(head, element >> 2, stream, time)
    even = w2 if element & 2 else w0
    odd = w3 if element & 2 else w1
    return odd if element & 1 else even


@part
def halves_of(blocks: int) -> tuple[int, int]:
    """Return how many of some blocks are drawn first and second, two at a time, and how many are
    left for one at a time: whole `LANES`, `MORE` blocks too many at most.
    """
    half = (blocks + MORE) // (2 * LANES) * LANES
    return half, (blocks - 2 * half + MORE) // LANES * LANES


@kernel
def draw_words(
    head: Long, first: int, blocks: int, stream: int, time: int, words: Unsigned
) -> None:
    """Fill ``words`` with the 32-bit words of ``blocks`` blocks from block ``first`` on, and of at
    most `MORE` behind them.
    """
    half, left = halves_of(blocks)
    two_of_words(head, first, half, stream, time, words, words[4 * half :])
    if left > 0:
        one_of_words(head, first + 2 * half, left, stream, time, words[8 * half :])


@kernel
def one_of_words(
    head: Long, first: int, blocks: int, stream: int, time: int, words: Unsigned
) -> None:
    """Fill ``words`` with those of ``blocks`` blocks."""
    for b in range(blocks):
        w0, w1, w2, w3 = words_of(head, first + b, stream, time)
        words[4 * b], words[4 * b + 1], words[4 * b + 2], words[4 * b + 3] = w0, w1, w2, w3


@kernel
def two_of_words(
    head: Long, first: int, half: int, stream: int, time: int, words: Unsigned, more: Unsigned
) -> None:
    """Fill ``words`` and ``more`` with ``half`` blocks each, those of ``more`` behind the others.
    Rounds wait for their multiplications: two blocks at a time have something to do meanwhile.
    """
    for b in range(half):
        w0, w1, w2, w3 = words_of(head, first + b, stream, time)
        v0, v1, v2, v3 = words_of(head, first + half + b, stream, time)
        words[4 * b], words[4 * b + 1], words[4 * b + 2], words[4 * b + 3] = w0, w1, w2, w3
        more[4 * b], more[4 * b + 1], more[4 * b + 2], more[4 * b + 3] = v0, v1, v2, v3


@kernel
def draw_bits(
    head: Long, first: int, blocks: int, stream: int, time: int, packed: Unsigned
) -> None:
    """Fill ``packed`` with the top 7 bits of those words, four bytes a block."""
    half, left = halves_of(blocks)
    two_of_bits(head, first, half, stream, time, packed, packed[half:])
    if left > 0:
        one_of_bits(head, first + 2 * half, left, stream, time, packed[2 * half :])


@kernel
def one_of_bits(
    head: Long, first: int, blocks: int, stream: int, time: int, packed: Unsigned
) -> None:
    """Fill ``packed`` with ``blocks`` blocks."""
    for b in range(blocks):
        w0, w1, w2, w3 = words_of(head, first + b, stream, time)
        packed[b] = top_bits(w0, w1, w2, w3)


@kernel
def two_of_bits(
    head: Long, first: int, half: int, stream: int, time: int, packed: Unsigned, more: Unsigned
) -> None:
    """Fill ``packed`` and ``more`` with ``half`` blocks each, like `two_of_words`."""
    for b in range(half):
        w0, w1, w2, w3 = words_of(head, first + b, stream, time)
        v0, v1, v2, v3 = words_of(head, first + half + b, stream, time)
        packed[b] = top_bits(w0, w1, w2, w3)
        more[b] = top_bits(v0, v1, v2, v3)


@part
def top_bits(w0: int, w1: int, w2: int, w3: int) -> int:
    """Return the top 7 bits of four words, a byte each."""
    low = (w0 >> TOP_BITS) | (w1 >> TOP_BITS) << 8
    return low | (w2 >> TOP_BITS) << 16 | (w3 >> TOP_BITS) << 24


@kernel
def draw_column_of(
    head: Long,
    first: int,
    stride: int,
    elements: Word,
    count: int,
    stream: int,
    time: int,
    bits: Byte,
) -> None:
    """Fill ``bits`` with the top 7 bits of elements ``first``, ``first + stride``, ..., or of
    ``elements`` where the stride is 0.
    """
    if stride > 0:
        for i in range(count):
            bits[i] = one_of(head, first + i * stride, stream, time) >> TOP_BITS
    else:
        for i in range(count):
            bits[i] = one_of(head, elements[i], stream, time) >> TOP_BITS
