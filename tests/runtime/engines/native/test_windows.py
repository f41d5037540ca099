"""Sums by place come to stand in the order of neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.windows import turn_all


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
@pytest.mark.parametrize("places", [1, 4, 7, 16])
@pytest.mark.parametrize("outputs", [1, 3, 4, 10])
def test_what_is_held_by_place_is_turned_to_outputs(
    dtype: type[Any], places: int, outputs: int
) -> None:
    held = np.arange(places * outputs).astype(dtype)
    goal = np.zeros(places * outputs + 1, dtype)
    kind = kind_of(np.dtype(dtype))
    compiled(turn_all, kind, None, None, kind)(held, places, outputs, goal)
    assert np.array_equal(goal[:-1], held.reshape(places, outputs).T.reshape(-1))
    assert goal[-1] == 0
