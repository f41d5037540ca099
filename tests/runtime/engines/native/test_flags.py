"""Who sends is listed in order, whatever the number of neurons, and nothing is written beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.spread import list_flags, list_rare

FREE = -1


@pytest.mark.parametrize(
    ("kernel", "dtype"), [(list_flags, np.uint8), (list_flags, np.int32), (list_rare, np.uint8)]
)
@given(size=st.integers(0, 300), base=st.integers(0, 70), seed=st.integers(0, 9), data=st.data())
def test_elements_that_are_not_0_are_listed_in_order(
    kernel: object, dtype: type[np.integer], size: int, base: int, seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    share = data.draw(st.sampled_from([0.0, 0.01, 0.3, 1.0]))
    flags = np.ones(base + size, dtype)
    flags[base:] = rng.random(size) < share
    found = np.full(size + 8, FREE, np.int32)
    listing = compiled(kernel, kind_of(np.dtype(dtype)), kind_of(np.dtype(np.int32)), None)
    count = listing(flags[base:], found, size)
    assert np.array_equal(found[:count], np.flatnonzero(flags[base:]))
    assert np.all(found[size:] == FREE)
