"""Decay tables: the stochastic decay of a trace, in integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.rules.traces import Trace, decay_table

TAUS = st.integers(1, 65535)


@given(TAUS)
def test_the_tables_are_those_of_the_formula(tau: int) -> None:
    floor, threshold = decay_table(tau)
    p = np.exp(np.float64(-1 / tau)) * np.arange(128)
    whole, fraction = floor.astype(float), threshold * 2.0**-53
    np.testing.assert_allclose(whole + fraction, p, rtol=0, atol=1e-12)
    assert floor.dtype == threshold.dtype == np.int64
    assert floor.shape == threshold.shape == (128,)
    assert threshold.min() >= 0
    assert threshold.max() <= 2**53


@given(TAUS, st.integers(0, 127), st.integers(0, 2**53 - 1))
def test_the_integer_comparison_is_the_comparison_of_floats(tau: int, h: int, k: int) -> None:
    floor, threshold = decay_table(tau)
    p = float(_exact_factor(tau)) * h
    assert floor[h] == math.floor(p)
    assert (k < threshold[h]) == (k * 2.0**-53 < p - math.floor(p))
    edge = int(threshold[h])
    for near in (edge - 1, edge):
        if 0 <= near < 2**53:
            assert (near < edge) == (near * 2.0**-53 < p - math.floor(p))


@pytest.mark.parametrize("tau", [1, 5, 20, 1000])
def test_the_mean_of_the_stochastic_decay_is_the_exponential(tau: int) -> None:
    floor, threshold = decay_table(tau)
    up = threshold * 2.0**-53
    chances = np.zeros(129)
    chances[100] = 1.0
    for step in range(1, 31):
        later = np.zeros(129)
        np.add.at(later, floor, chances[:128] * (1 - up))
        np.add.at(later, floor + 1, chances[:128] * up)
        chances = later
        mean = float(chances @ np.arange(129))
        assert mean == pytest.approx(100 * math.exp(-step / tau), rel=1e-9)


@pytest.mark.parametrize("tau", [1, 2, 3, 7, 10, 64, 1000, 65535])
def test_the_exponential_is_correctly_rounded(tau: int) -> None:
    floor, threshold = decay_table(tau)
    stored = Fraction(int(floor[1])) + Fraction(int(threshold[1]), 2**53)
    exact = _exact_factor(tau)
    assert stored == Fraction(float(exact)) or abs(stored - exact) <= Fraction(1, 2**53)


def test_a_long_time_constant_nearly_holds_and_a_short_one_forgets() -> None:
    floor, threshold = decay_table(65535)
    assert floor[127] == 126
    assert threshold[127] * 2.0**-53 == pytest.approx(1 - 127 / 65535, abs=1e-6)
    assert decay_table(1)[0][127] == 46
    assert decay_table(10)[0][0] == 0
    assert decay_table(10)[1][0] == 0


@pytest.mark.parametrize(
    ("tau", "impulse", "mode"),
    [(0, 0, "impulse"), (65536, 0, "impulse"), (1, -1, "impulse"), (1, 128, "impulse"), (1, 0, "")],
)
def test_a_trace_outside_the_chip_is_refused(tau: int, impulse: int, mode: str) -> None:
    with pytest.raises(UsageError, match="HB0446"):
        Trace(tau, impulse, mode)  # type: ignore[arg-type]


def _exact_factor(tau: int) -> Fraction:
    """exp(-1/tau) by its own series, in rational numbers, to 2^-90."""
    x, term, total, n = Fraction(-1, tau), Fraction(1), Fraction(1), 0
    while abs(term) > Fraction(1, 2**90):
        n += 1
        term = term * x / n
        total += term
    return total


@pytest.mark.parametrize(("tau", "impulse"), [(1.5, 0), (10, 0.5)])
def test_a_trace_of_fractions_is_refused(tau: int, impulse: int) -> None:
    with pytest.raises(UsageError, match="HB0446"):
        Trace(tau, impulse)


def test_a_trace_that_messages_overwrite_has_no_impulse() -> None:
    with pytest.raises(UsageError, match="HB0446"):
        Trace(10, 5, "overwrite")


def test_the_decay_table_is_computed_once_and_cannot_be_written() -> None:
    floor, _ = decay_table(10)
    assert decay_table(10)[0] is floor
    with pytest.raises(ValueError, match="read-only"):
        floor[0] = 1
