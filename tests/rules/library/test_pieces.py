"""The update that error-driven rules share, held against its formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.rules.library.pieces import error_update
from hebbite.rules.library.stdp import stdp
from hebbite.rules.loihi import check_loihi
from hebbite.rules.registry import parse_rule
from hebbite.rules.sums import effective_scale


@given(st.integers(-7, 7), st.integers(1, 7), st.booleans())
def test_the_mean_update_is_mantissa_two_to_the_rate_minus_three(
    rate: int, mantissa: int, gated: bool
) -> None:
    plus, minus = error_update(rate=rate, mantissa=mantissa, gated=gated).products
    assert effective_scale(plus) == mantissa * 2.0 ** (rate - 3)
    assert effective_scale(minus) == -effective_scale(plus)


@given(st.integers(-7, 7), st.integers(1, 7), st.booleans())
def test_the_update_is_gated_by_the_message_and_the_chip_takes_it(
    rate: int, mantissa: int, gated: bool
) -> None:
    update = error_update(rate=rate, mantissa=mantissa, gated=gated)
    assert check_loihi(update) == ()
    for product, trace in zip(update.products, ("y2", "y3"), strict=True):
        assert product.dependency == "x0"
        assert [f.variable for f in product.factors][-2:] == ["x1", trace]
        assert any(f.variable == "y0" for f in product.factors) == gated


@pytest.mark.parametrize(
    ("rate", "mantissa", "gated", "hint"),
    [
        (-8, 1, False, "rate=-7"),
        (9, 1, False, "rate=8"),
        (8, 1, True, "rate=7"),
        (-6, 0, False, "mantissa=1"),
        (-6, 8, False, "mantissa=7"),
    ],
)
def test_a_number_outside_the_chip_is_refused_with_the_nearest(
    rate: int, mantissa: int, gated: bool, hint: str
) -> None:
    with pytest.raises(UsageError, match="HB0447") as caught:
        error_update(rate=rate, mantissa=mantissa, gated=gated)
    assert caught.value.problems[0].hint.startswith(hint)


@given(st.integers(-8, 7), st.integers(-8, 7))
def test_stdp_moves_a_weight_by_powers_of_two_of_one_trace(up: int, down: int) -> None:
    strengthen, weaken = stdp(up=up, down=down).dw.products
    assert (strengthen.dependency, effective_scale(strengthen)) == ("y0", 2.0**-up)
    assert (weaken.dependency, effective_scale(weaken)) == ("x0", -(2.0**-down))
    assert check_loihi(stdp(up=up, down=down).dw) == ()


@pytest.mark.parametrize(
    "options", [{"up": 8}, {"down": -9}, {"tau_pre": 0}, {"impulse_post": 128}]
)
def test_stdp_refuses_what_the_chip_cannot_hold(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"HB044[67]"):
        stdp(**options)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("eprop(feedback=transpose)", "HB0448"),
        ("eprop(learns=none)", "HB0448"),
        ("eprop(steps=0)", "HB0447"),
        ("eprop-filtered(feedback=transpose)", "HB0448"),
        ("emstdp(nudge=8)", "HB0447"),
        ("emstdp(rate=9)", "HB0447"),
        ("emstdp(learns=none)", "HB0448"),
        ("eprop-filtered(tau=0)", "HB0447"),
        ("eprop-alif(tau=128)", "HB0447"),
        ("eprop-alif(beta=-1)", "HB0447"),
        ("eprop-alif(width=2, beta=5)", "HB0447"),
        ("eprop-alif(up=6)", "HB0447"),
        ("eprop-alif(rate=8, up=5)", "HB0447"),
        ("eprop-alif(feedback=none)", "HB0448"),
        ("eprop-filtered(tau=128)", "HB0447"),
        ("eprop-filtered(up=-1)", "HB0447"),
        ("eprop-filtered(steps=63)", "HB0447"),
        ("eprop-filtered(width=3)", "HB0447"),
        ("eprop(rate=9)", "HB0447"),
        ("eprop(width=3)", "HB0447"),
        ("decolle(trigger=128)", "HB0447"),
        ("decolle(gain=7)", "HB0409"),
    ],
)
def test_options_of_spiking_rules_are_held_to_their_ranges(rule: str, code: str) -> None:
    with pytest.raises(UsageError, match=code):
        parse_rule(rule)
