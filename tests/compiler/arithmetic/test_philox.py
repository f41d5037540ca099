"""Philox gives the published words, in NumPy and in the kernel; elements are words or bytes.

Known answers: file ``kat_vectors`` of Random123 1.14, line by line (philox4x32, 10 rounds).
"""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic.philox import octets, philox, words
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import Kind
from hebbite.runtime.engines.native.philox import MORE, draw_column_of, draw_words
from hebbite.runtime.engines.native.plan import H_SEED_HIGH, H_SEED_LOW, HEAD, Unsigned

FULL = 0xFFFFFFFF
ANSWERS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL,) * 4, (FULL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
Counter = tuple[int, int, int, int]


@pytest.mark.parametrize(("counter", "key", "answer"), ANSWERS)
def test_published_words_come_out(counter: Counter, key: tuple[int, int], answer: Counter) -> None:
    c0, c1, c2, c3 = (np.array([c], np.uint64) for c in counter)
    assert tuple(philox((c0, c1, c2, c3), key)[:, 0].tolist()) == answer


def drawn_by_kernel(blocks: int, *, first: int = 0, seed: int, stream: int, time: int) -> Unsigned:
    """Return the words of some blocks, as the kernel draws them."""
    head, found = np.zeros(HEAD, np.int64), np.zeros(4 * (blocks + MORE), np.uint32)
    head[H_SEED_LOW], head[H_SEED_HIGH] = seed & FULL, seed >> 32
    signed = int(np.uint64(time).astype(np.int64))
    numbers = np.arange(first, first + blocks + MORE).astype(np.uint32)
    unsigned = Kind(32, signed=False)
    draw = compiled(draw_words, Kind(64), unsigned, *[None] * 3, unsigned)
    draw(head, numbers, blocks, stream, signed, found)
    return found[: 4 * blocks]


@pytest.mark.parametrize(("counter", "key", "answer"), ANSWERS)
def test_the_kernel_draws_the_published_words(
    counter: Counter, key: tuple[int, int], answer: Counter
) -> None:
    seed, time = key[1] << 32 | key[0], counter[3] << 32 | counter[2]
    found = drawn_by_kernel(1, first=counter[0], seed=seed, stream=counter[1], time=time)
    assert tuple(found.tolist()) == answer


def test_four_words_or_sixteen_bytes_share_a_block() -> None:
    place = {"seed": 0x299F31D0A4093822, "stream": 0x85A308D3, "time": 0x0370734413198A2E}
    found = drawn_by_kernel(3, **place)
    assert found.tolist() == words(12, **place).tolist()
    assert found.view(np.uint8).tolist() == octets(48, **place).tolist()


def test_the_bytes_of_a_block_are_those_of_the_published_words() -> None:
    _, _, answer = ANSWERS[0]
    wanted = [word >> shift & 0xFF for word in answer for shift in (0, 8, 16, 24)]
    assert octets(16, seed=0, stream=0, time=0).tolist() == wanted


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(("element", "stride"), [(0, 1), (3, 5), (6, 7), (1, 4)])
def test_a_column_draws_the_numbers_of_its_elements(
    element: int, stride: int, listed: bool
) -> None:
    seed, stream, time = (7 << 32) + 5, 9, 3
    head, found = np.zeros(HEAD, np.int64), np.zeros(9, np.uint8)
    head[H_SEED_LOW], head[H_SEED_HIGH] = seed & FULL, seed >> 32
    elements = np.arange(element, element + 9 * stride, stride, dtype=np.int32)
    kinds = (Kind(64), None, None, Kind(32), *[None] * 3, Kind(8, signed=False))
    draw = compiled(draw_column_of, *kinds)
    place = (0, 0, elements) if listed else (element, stride, elements[:0])
    draw(head, *place, 9, stream, time, found)
    wanted = octets(100, seed=seed, stream=stream, time=time)[element::stride][:9]
    assert found.tolist() == wanted.tolist()


def test_a_shorter_draw_is_the_start_of_a_longer_one() -> None:
    for draw in (words, octets):
        long = draw(37, seed=5, stream=6, time=7)
        for size in range(37):
            assert draw(size, seed=5, stream=6, time=7).tolist() == long[:size].tolist()


def test_every_part_of_the_address_matters() -> None:
    one = words(64, seed=1, stream=2, time=3)
    assert one.min() >= 0
    assert one.max() < 2**32
    for other in (
        words(64, seed=1 + 2**32, stream=2, time=3),
        words(64, seed=1, stream=3, time=3),
        words(64, seed=1, stream=2, time=3 + 2**32),
    ):
        assert (one != other).sum() > 60
