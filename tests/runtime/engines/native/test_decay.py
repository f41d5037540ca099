"""A trace falls as its definition says: by a byte where that decides, else by all of its bits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import WORD_BITS
from hebbite.rules.traces import RANDOM_BITS, decay_table
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.rules import CODES, SLOPE_BITS, decays
from hebbite.runtime.engines.native.traces import fall_together

TAUS = (1, 2, 3, 10, 12, 20, 100, 157, 1000, 1631, 4096, 65535)
"""Products in float64 of 157 and 1631 are not the exact ones; of no other below three thousand."""
WORD, BYTE = kind_of(np.dtype("i4")), kind_of(np.dtype("u1"))
OCTETS = np.arange(256)
Together = tuple[NDArray[np.int32], NDArray[np.bool_]]


def together(values: NDArray[np.int64], octets: NDArray[np.int64], tau: int) -> Together:
    """Return what values become by their bytes, and which of them that does not decide."""
    slope, _ = decays(tau, independent=True)
    after, unsure = np.full(values.size, -1, np.int32), np.full(values.size, 9, np.uint8)
    fall = compiled(fall_together, WORD, BYTE, None, WORD, BYTE)
    fall(values.astype(np.int32), octets.astype(np.uint8), slope, after, unsure)
    return after, unsure != 0


def defined(values: NDArray[np.int64], numbers: NDArray[np.int64], tau: int) -> NDArray[np.int64]:
    """Return floor(p) + (k < threshold) for numbers k of 53 bits."""
    floor, threshold = decay_table(tau)
    return floor[values] + (numbers < threshold[values])


@pytest.mark.parametrize("tau", TAUS)
def test_what_a_byte_decides_no_bits_below_it_change(tau: int) -> None:
    values, octets = (grid.reshape(-1) for grid in np.meshgrid(np.arange(CODES), OCTETS))
    after, unsure = together(values, octets, tau)
    lowest = octets << RANDOM_BITS - 8
    highest = lowest | (1 << RANDOM_BITS - 8) - 1
    for numbers in (lowest, highest):
        assert np.array_equal(after[~unsure], defined(values, numbers, tau)[~unsure])
    assert not unsure[values == 0].any()
    assert unsure.mean() < 1 / 100


@pytest.mark.parametrize("tau", TAUS)
def test_a_table_takes_every_number_where_the_definition_does(tau: int) -> None:
    for independent, bits in ((False, RANDOM_BITS), (True, 8 + WORD_BITS)):
        slope, falls = decays(tau, independent=independent)
        floor, threshold = decay_table(tau)
        edges = -(-threshold >> RANDOM_BITS - bits)
        values = np.arange(CODES)
        for numbers in (0 * edges, edges - 1, edges, edges + 1, 0 * edges + (1 << bits) - 1):
            drawn = numbers.clip(0, (1 << bits) - 1)
            wanted = floor + (drawn << RANDOM_BITS - bits < threshold)
            assert np.array_equal((falls[values] - drawn) >> bits, wanted)
        assert 0 < slope < 1 << SLOPE_BITS


def test_the_slope_lies_close_below_the_table_for_every_time_constant() -> None:
    h = np.arange(CODES)
    for tau in range(1, 65536, 97):
        slope, _ = decays(tau, independent=True)
        floor, threshold = decay_table(tau)
        exact = (floor << RANDOM_BITS) + threshold
        below = exact - (slope * h << RANDOM_BITS - SLOPE_BITS)
        assert below[1:].min() >= 0
        assert below.max() < CODES << RANDOM_BITS - SLOPE_BITS
