"""What a group of synapses copies from another one: its weights, or their signs."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic.synapse import mirrored

FOLLOWED = np.array([[3, -4, 90], [0, -1, 90]])
"""Two receivers, two lines and a bias line."""


@pytest.mark.parametrize(
    ("magnitude", "wanted"),
    [(0, [[3, 0], [-4, -1]]), (64, [[64, 64], [-64, -64]]), (1, [[1, 1], [-1, -1]])],
)
def test_a_mirror_leaves_the_bias_line_out_and_counts_the_sign_of_0_as_positive(
    magnitude: int, wanted: list[list[int]]
) -> None:
    assert mirrored(FOLLOWED, size=2, magnitude=magnitude).tolist() == wanted
