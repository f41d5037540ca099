"""How many weights of a line are not 0 is counted whatever its length, and wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.counts import filled
from hebbite.runtime.engines.native.language import kind_of


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
@given(
    size=st.integers(0, 300), base=st.integers(0, 70), share=st.floats(0, 1), seed=st.integers(0, 9)
)
def test_weights_that_are_not_0_are_counted(
    dtype: type[np.signedinteger], size: int, base: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = base + size + 70
    weights = (rng.integers(-9, 9, shape) * (rng.random(shape) < share)).astype(dtype)
    count = compiled(filled, kind_of(np.dtype(dtype)), None)
    assert count(weights[base:], size) == np.count_nonzero(weights[base : base + size])
