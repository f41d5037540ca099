"""Arrays of the kernels begin with a line of the cache."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.runtime.engines.native.aligned import LINE, copied, padded, zeros


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("size", [1, 63, 64, 1000, 2_000_000])
def test_zeros_begin_with_a_line(dtype: type[np.integer], size: int) -> None:
    made = zeros(size, dtype)
    assert made.ctypes.data % LINE == 0
    assert made.shape == (size,)
    assert made.dtype == dtype
    assert made.flags.c_contiguous
    assert made.flags.writeable
    assert not made.any()


def test_none_at_all_are_made_too() -> None:
    assert zeros(0, np.int32).shape == copied(zeros(0, np.int32)).shape == (0,)


def test_a_copy_begins_with_a_line_and_stands_apart() -> None:
    values = np.arange(100, dtype=np.int16)[1:]
    made = copied(values)
    assert made.ctypes.data % LINE == 0
    assert np.array_equal(made, values)
    made[0] = 77
    assert values[0] == 1


@pytest.mark.parametrize(("size", "wanted"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_a_row_takes_up_whole_lines(size: int, wanted: int) -> None:
    assert padded(size) == wanted
