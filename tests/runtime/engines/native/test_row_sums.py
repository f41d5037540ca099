"""Steps are added to rows, and one look tells whether any weight has left its range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.counts import BEHIND
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.plan import Long, Word
from hebbite.runtime.engines.native.row_sums import add_steps
from hebbite.runtime.engines.native.weights import SHORT_BITS

WIDTHS = ((np.int16, 8), (np.int16, SHORT_BITS), (np.int32, SHORT_BITS + 1), (np.int32, 16))
LINES = 23


def added(dtype: type[Any], bits: int, weights: Long, steps: Long, ids: Word) -> bool:
    """Add steps to rows; return whether the kernel says that a weight has left its range."""
    size = weights.shape[1]
    held, kind = weights.astype(dtype).reshape(-1), kind_of(np.dtype(dtype))
    kinds = (kind, kind, kind, kind_of(ids.dtype), None, None, None)
    sums = np.full(size + BEHIND, -1, dtype)
    left = compiled(add_steps, *kinds)(held, steps.astype(dtype), sums, ids, len(ids), size, bits)
    wanted = weights.copy()
    wanted[ids] += steps
    assert np.array_equal(held.reshape(weights.shape), wanted)
    return left != 0


@pytest.mark.parametrize(("dtype", "bits"), WIDTHS)
@given(size=st.integers(1, 150), count=st.integers(0, LINES), seed=st.integers(0, 2**20))
@settings(deadline=None)
def test_steps_are_added_to_the_rows_listed_and_to_no_other(
    dtype: type[Any], bits: int, size: int, count: int, seed: int
) -> None:
    rng, top = np.random.default_rng(seed), 2**bits
    weights = rng.choice([-top, 1 - top, 0, top - 2, top - 1], (LINES, size))
    steps = rng.choice([-top - 1, -1, 0, 0, 1, top], size)
    ids = rng.permutation(LINES)[:count].astype(np.int32)
    sums = (weights + steps)[ids]
    left = added(dtype, bits, weights, steps, ids)
    assert left == bool(((sums < -top) | (sums >= top)).any())


@pytest.mark.parametrize(("dtype", "bits"), WIDTHS)
@pytest.mark.parametrize("line", [0, 3, 4, 7, 8, 9, 10])
@pytest.mark.parametrize("neuron", [0, 31, 64, 70])
def test_one_weight_that_leaves_its_range_is_told(
    dtype: type[Any], bits: int, line: int, neuron: int
) -> None:
    ids, top = np.arange(11, dtype=np.int32), 2**bits
    for edge, step in ((top - 1, 1), (top - 1, top), (-top, -1), (-top, -top - 1)):
        weights, steps = np.zeros((11, 71), np.int64), np.zeros(71, np.int64)
        steps[neuron], weights[:, neuron] = step, -step
        assert not added(dtype, bits, weights, steps, ids)
        weights[line, neuron] = edge
        assert added(dtype, bits, weights, steps, ids)
        weights[line, neuron] -= step
        assert not added(dtype, bits, weights, steps, ids)
