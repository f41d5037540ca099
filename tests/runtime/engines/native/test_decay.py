"""A trace falls as its definition says: by products where those are exact, else by a table."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic.traces import TRACE_TOP
from hebbite.rules.traces import RANDOM_BITS, decay_table
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.plan import T_SLOPE, TRACE
from hebbite.runtime.engines.native.rules import CODES, DROPPED, decays
from hebbite.runtime.engines.native.traces import advance_each

TAUS = (1, 2, 3, 10, 12, 20, 100, 1000, 4096, 65535)
BY_TABLE = (157, 1631)
"""Of the first three thousand, those whose products in float64 are not the exact ones."""
DRAWS = (0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
LONG, WORD, BYTE, UNSIGNED = (kind_of(np.dtype(name)) for name in ("i8", "i4", "u1", "u4"))


@pytest.mark.parametrize("tau", [*TAUS, *BY_TABLE])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_value_and_a_draw_give_what_the_table_defines(tau: int, steps: int) -> None:
    slope, falls, _ = decays(tau, independent=True)
    assert (slope == 0) == (tau in BY_TABLE)
    floor, threshold = decay_table(tau)
    edges = -(-threshold >> DROPPED)
    near = (edges + np.arange(-1, 2)[:, None]).clip(0, 2**32 - 1).reshape(-1)
    drawn = np.concatenate([near, np.repeat(DRAWS, CODES)]).astype(np.uint32)
    start = np.tile(np.arange(CODES, dtype=np.int32), drawn.size // CODES)
    kept = np.zeros(TRACE, np.int64)
    kept[T_SLOPE] = slope
    history = np.concatenate([start, np.full(steps * start.size, 99, np.int32)])
    nothing = np.zeros(1, np.int32)
    advance = compiled(advance_each, LONG, LONG, WORD, BYTE, WORD, None, WORD, None, None, UNSIGNED)
    advance(
        kept, falls, start, np.zeros(1, np.uint8), nothing, 0, history, start.size, steps, drawn
    )
    wanted, numbers = start.astype(np.int64), drawn.astype(np.int64) << DROPPED
    for row in history.reshape(steps + 1, -1)[1:]:
        wanted = floor[wanted] + (numbers < threshold[wanted])
        assert np.array_equal(row, wanted)
    assert wanted.max() <= TRACE_TOP
    assert DROPPED + 32 == RANDOM_BITS
