"""Parts of an array cover it once, in order, and none is large."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic import blocks
from hebbite.compiler.arithmetic.blocks import flat_blocks, parts, row_blocks


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part hold ten elements."""
    monkeypatch.setattr(blocks, "ELEMENTS", 10)


@pytest.mark.parametrize(
    ("count", "width", "wanted"),
    [
        (0, 1, []),
        (10, 1, [(0, 10)]),
        (21, 1, [(0, 10), (10, 20), (20, 21)]),
        (5, 4, [(0, 2), (2, 4), (4, 5)]),
        (3, 11, [(0, 1), (1, 2), (2, 3)]),
        (3, 0, [(0, 3)]),
    ],
)
def test_parts_cover_everything_in_order(
    count: int, width: int, wanted: list[tuple[int, int]]
) -> None:
    assert [(part.start, part.stop) for part in parts(count, width)] == wanted


@pytest.mark.parametrize("shape", [(7,), (5, 6), (2, 3, 4), (1, 40)])
def test_blocks_are_the_elements_in_the_order_of_c(shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape[::-1]).T
    found = list(flat_blocks(values))
    assert np.array_equal(np.concatenate(found), values.reshape(-1))
    assert max(block.size for block in found) <= 10


def test_blocks_of_rows_are_whole_rows() -> None:
    values = np.arange(24).reshape(8, 3)
    found = list(row_blocks(values))
    assert [block.shape for block in found] == [(3, 3), (3, 3), (2, 3)]
    assert np.array_equal(np.concatenate(found), values)
