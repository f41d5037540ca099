"""Words are those of their blocks, however many are drawn together."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic.philox import words
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.philox import MORE, draw_words
from hebbite.runtime.engines.native.plan import H_SEED_HIGH, H_SEED_LOW, HEAD

SEED, STREAM, TIME = 2**40 + 9, (3 << 24) | 5, 2**33 + 1
LONG, WORD, UNSIGNED = (kind_of(np.dtype(name)) for name in ("i8", "i4", "u4"))
COUNTS = [*range(20), 63, 64, 65]


def head() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a head that holds the seed alone."""
    found = np.zeros(HEAD, np.int64)
    found[H_SEED_LOW], found[H_SEED_HIGH] = SEED & 0xFFFFFFFF, SEED >> 32
    return found


@pytest.mark.parametrize("blocks", COUNTS)
@pytest.mark.parametrize("first", [0, 7])
def test_every_block_holds_its_four_words(first: int, blocks: int) -> None:
    room = np.full(4 * (blocks + MORE) + 1, 77, np.uint32)
    numbers = np.arange(first, first + blocks + MORE, dtype=np.int32)
    draw = compiled(draw_words, LONG, WORD, None, None, None, UNSIGNED)
    draw(head(), numbers, blocks, STREAM, TIME, room)
    wanted = words(4 * (first + blocks), seed=SEED, stream=STREAM, time=TIME)[4 * first :]
    assert np.array_equal(room[: 4 * blocks], wanted)
    assert room[-1] == 77


def test_blocks_are_drawn_in_any_order() -> None:
    numbers, room = np.array([9, 0, 9, 4, 2**31 - 1, 0, 0, 0], np.int32), np.zeros(32, np.uint32)
    compiled(draw_words, LONG, WORD, None, None, None, UNSIGNED)(
        head(), numbers, 5, STREAM, TIME, room
    )
    known = words(40, seed=SEED, stream=STREAM, time=TIME).reshape(-1, 4)
    assert np.array_equal(room.reshape(-1, 4)[:4], known[[9, 0, 9, 4]])
