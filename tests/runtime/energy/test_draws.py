import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.runtime.energy import Draws, band_of

PINNED = [0.4375, 0.5625, 0.6875, 0.1875, 0.9375, 0.0625, 0.3125, 0.8125]


def test_one_constant_alone_has_the_median_and_quantiles_of_its_distribution() -> None:
    band = band_of(Draws(3, 1000).between("energy.synaptic_op", 1.0, 100.0))
    assert band.median == pytest.approx(10.0, rel=1e-3)
    assert band.low == pytest.approx(100**0.05, rel=1e-2)
    assert band.high == pytest.approx(100**0.95, rel=1e-2)


def test_the_same_seed_and_name_give_the_same_draws_and_others_do_not() -> None:
    one = Draws(1, 50).quantiles("a")
    assert np.array_equal(one, Draws(1, 50).quantiles("a"))
    assert not np.array_equal(one, Draws(2, 50).quantiles("a"))
    assert not np.array_equal(one, Draws(1, 50).quantiles("b"))


def test_the_first_draws_are_pinned_so_that_reports_can_be_repeated() -> None:
    assert Draws(0, 8).quantiles("energy.message").tolist() == PINNED


def test_two_constants_are_hardly_correlated() -> None:
    draws = Draws(0, 1000)
    both = np.corrcoef(draws.quantiles("energy.hop_ew"), draws.quantiles("energy.hop_ns"))
    assert abs(both[0, 1]) < 0.1


@given(
    seed=st.integers(0, 2**63 - 1),
    draws=st.integers(1, 200),
    low=st.floats(1e-3, 1e3),
    factor=st.floats(1.0, 1e3),
)
def test_draws_stay_in_the_range(seed: int, draws: int, low: float, factor: float) -> None:
    values = Draws(seed, draws).between("x", low, low * factor)
    assert values.shape == (draws,)
    assert (values >= low * (1 - 1e-12)).all()
    assert (values <= low * factor * (1 + 1e-12)).all()


def test_no_draw_is_a_mistake_of_usage() -> None:
    with pytest.raises(UsageError, match="HB0512"):
        Draws(0, 0)
