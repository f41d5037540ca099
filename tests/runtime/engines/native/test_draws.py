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
LONG, UNSIGNED = kind_of(np.dtype(np.int64)), kind_of(np.dtype(np.uint32))
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
    draw = compiled(draw_words, LONG, None, None, None, None, UNSIGNED)
    draw(head(), first, blocks, STREAM, TIME, room)
    wanted = words(4 * (first + blocks), seed=SEED, stream=STREAM, time=TIME)[4 * first :]
    assert np.array_equal(room[: 4 * blocks], wanted)
    assert room[-1] == 77
