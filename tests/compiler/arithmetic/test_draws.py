"""Random constants: the same on every machine, of the moments that they promise."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler.arithmetic.draws import bell, uniform


def test_values_are_the_ones_they_always_were() -> None:
    drawn = uniform((5,), seed=0, name="weight fc1") * 2.0**32
    assert drawn.tolist() == [2932918727, 3827809380, 2857958763, 1537551851, 3731410312]
    other = uniform((2,), seed=2**61 + 1, name="weight fc1") * 2.0**32
    assert other.tolist() == [23827959, 2932500743]
    curve = bell((3,), seed=7, name="feedback h1") * 2.0**32
    assert curve.tolist() == [5819119989, 5092679523, 2577303597]


def test_uniform_numbers_have_mean_a_half_and_variance_a_twelfth() -> None:
    drawn = uniform((200, 200), seed=1, name="u")
    assert abs(drawn.mean() - 1 / 2) < 0.005  # 3.5 standard errors
    assert abs(drawn.var() - 1 / 12) < 0.002
    assert drawn.min() >= 0
    assert drawn.max() < 1


def test_bell_numbers_have_mean_0_and_variance_1() -> None:
    drawn = bell((200, 200), seed=1, name="b")
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.var() - 1) < 0.03
    assert abs((drawn**3).mean()) < 0.05
    assert np.abs(drawn).max() <= 6


def test_neighbours_are_not_correlated() -> None:
    drawn = uniform((40_000,), seed=3, name="u") - 0.5
    for lag in (1, 2, 3, 4, 64):
        assert abs((drawn[lag:] * drawn[:-lag]).mean()) * 12 < 0.02


@given(st.integers(0, 2**62), st.text(min_size=1, max_size=8))
def test_a_seed_and_a_name_fix_every_value(seed: int, name: str) -> None:
    one = uniform((2, 3), seed=seed, name=name)
    assert one.tolist() == uniform((2, 3), seed=seed, name=name).tolist()
    assert one.reshape(-1).tolist() == uniform((6,), seed=seed, name=name).tolist()
    assert one.tolist() != uniform((2, 3), seed=seed + 1, name=name).tolist()
    assert one.tolist() != uniform((2, 3), seed=seed, name=f"{name}'").tolist()
