"""Real coefficients: the nearest scale of the chip, how far it is off, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.rules.errors import Problem
from hebbite.rules.registry import Rule, parse_rule
from hebbite.rules.scale import nearest_scale, scale_errors, scale_report, scale_warnings
from hebbite.rules.sums import Factor, Product, effective_scale

PAIR = (Factor("x1"), Factor("y2"))
WIDTHS = ((), (Factor("w"),), PAIR, (*PAIR, Factor("y3")))
EVERY = [(m, e) for m in range(-8, 8) if m for e in range(-7, 9)]


def test_a_coefficient_counts_weight_steps_whatever_bits_the_chip_drops() -> None:
    assert nearest_scale(0.0123, PAIR) == (3, -5)
    assert effective_scale(Product(3, -5, "x0", PAIR)) == 3 * 2.0**-5 / 8
    assert nearest_scale(0.0123, ()) == (1, -6)


@pytest.mark.parametrize("factors", WIDTHS, ids=len)
def test_a_scale_that_the_chip_has_is_met_exactly_and_with_the_smallest_mantissa(
    factors: tuple[Factor, ...],
) -> None:
    for mantissa, exponent in EVERY:
        wanted = effective_scale(Product(mantissa, exponent, "x0", factors))
        found = nearest_scale(wanted, factors)
        assert not isinstance(found, Problem)
        assert effective_scale(Product(*found, "x0", factors)) == wanted
        assert abs(found[0]) <= abs(mantissa)


@settings(deadline=None)
@given(st.floats(4 * 2.0**-7, 7 * 2.0**8), st.sampled_from([1, -1]))
def test_from_four_of_the_finest_steps_up_a_coefficient_is_met_within_a_ninth(
    size: float, sign: int
) -> None:
    found = nearest_scale(sign * size, ())
    assert not isinstance(found, Problem)
    assert abs(found[0] * 2.0 ** found[1] / (sign * size) - 1) <= 1 / 9


@settings(deadline=None)
@given(st.floats(2.0**-7, 2.0**10))
def test_no_scale_of_the_chip_is_nearer(size: float) -> None:
    found = nearest_scale(size, ())
    assert not isinstance(found, Problem)
    mine = abs(found[0] * 2.0 ** found[1] - size)
    assert mine == min(abs(m * 2.0**e - size) for m, e in EVERY)


@pytest.mark.parametrize(
    ("coefficient", "code"),
    [(1e-9, "HB0490"), (-(2.0**-11), "HB0490"), (260.0, "HB0491"), (-math.inf, "HB0491")],
)
def test_what_is_zero_on_the_chip_or_beyond_it_is_refused_with_the_nearest_limit(
    coefficient: float, code: str
) -> None:
    found = nearest_scale(coefficient, PAIR)
    assert isinstance(found, Problem)
    assert found.code == code
    limit = float(found.hint.split(",")[0])
    assert math.copysign(1, limit) == math.copysign(1, coefficient)
    assert not isinstance(nearest_scale(limit, PAIR), Problem)


def test_the_error_of_every_product_is_told_also_of_exact_ones() -> None:
    rule = Rule("dw = 0.0123*x0*x1*y2 - 2^-6*x0*x1*y3", feedback_dw="", feedback="dfa")
    first, second = scale_errors(rule)
    assert (first.asked, first.on_chip) == (0.0123, 3 * 2.0**-8)
    assert first.error == pytest.approx(3 * 2.0**-8 / 0.0123 - 1)
    assert second.error == 0
    assert scale_report(rule) == {"rule_error.1": first.error, "rule_error.2": 0.0}
    assert str(first) == (
        "product 1, dw = 3*2^-5*x0*x1*y2: asked 0.0123, on the chip 0.0117188 (-4.73 %)"
    )


def test_the_numbers_run_through_the_update_of_feedback_weights() -> None:
    rule = Rule(
        "dw = 0.004*x0*x1*y2 - 0.004*x0*x1*y3",
        feedback="kolen-pollack",
        feedback_dw="0.003*x0*(x1-64)*y1",
    )
    assert [(e.number, e.asked) for e in scale_errors(rule)] == [
        (1, 0.004),
        (2, -0.004),
        (3, 0.003),
    ]


def test_a_rule_in_the_chips_own_scales_has_no_errors() -> None:
    for rule in (parse_rule("dfa"), Rule("dw = 3*2^-6*x0*x1*y2 - 3*2^-6*x0*x1*y3")):
        assert rule.real == ()
        assert not scale_errors(rule)
        assert not scale_warnings(rule)


def test_a_warning_begins_above_ten_per_cent() -> None:
    step = 2.0**-7 / 8
    for asked, warned in ((4.5 * step, True), (5.2 * step, False), (1.4 * step, True)):
        warnings = scale_warnings(Rule(f"dw = {asked!r}*x0*x1*y2"))
        assert [w.code for w in warnings] == ["HB0492"] * warned
