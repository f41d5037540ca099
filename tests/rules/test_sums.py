"""The sum-of-products language: what prints parses back, and what is ambiguous is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.sums import (
    GATES,
    VARIABLES,
    Factor,
    Product,
    SumOfProducts,
    effective_scale,
    parse_sum,
)

NAMES = sorted(name for name, variable in VARIABLES.items() if variable.site != "third")
FACTORS = st.builds(Factor, st.sampled_from(NAMES), st.integers(-999, 999), st.booleans())
LONE = st.builds(Factor, st.just("C"), st.integers(-999, 999))
PRODUCTS = st.builds(
    Product,
    st.integers(-40, 40).filter(bool),
    st.integers(-20, 20),
    st.sampled_from(GATES),
    st.lists(FACTORS | LONE, max_size=4).map(tuple),
)
SUMS = st.builds(
    SumOfProducts, st.sampled_from(["dw", "dt", "dd"]), st.lists(PRODUCTS, max_size=4).map(tuple)
)


@given(SUMS)
def test_what_prints_parses_back_to_the_same_sum(sum_: SumOfProducts) -> None:
    assert parse_sum(str(sum_)) == sum_


@given(SUMS, st.sampled_from(["", " ", "  ", "\t"]))
def test_spaces_between_words_do_not_matter(sum_: SumOfProducts, space: str) -> None:
    text = str(sum_).replace(" ", space)
    for symbol in "*+-()^":
        text = text.replace(symbol, f"{space}{symbol}{space}")
    assert parse_sum(text) == sum_


@given(st.text(alphabet="dw=xyu0123+-*/^(). sgnt", max_size=30))
def test_any_text_is_read_or_refused_with_a_code_and_carets(text: str) -> None:
    problem: Problem | None = None
    try:
        sum_ = parse_sum(text)
    except UsageError as error:
        problem = error.problems[0]
    if problem is None:
        assert parse_sum(str(sum_)) == sum_
    else:
        assert problem.code.startswith("HB044")
        assert "^" in problem.at.splitlines()[-1]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3", "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"),
        ("dw=x1 * x0 * 2^-3", "dw = 2^-3*x0*x1"),
        ("dw = x0 * 2^-3", "dw = 2^-3*x0"),
        ("dw = -3*2^-2*y0*(x1-64)*sgn(w+3)", "dw = -3*2^-2*y0*(x1-64)*sgn(w+3)"),
        ("dw = 2*3*x0", "dw = 6*x0"),
        ("dw = 12*x0*x1", "dw = 6*2^1*x0*x1"),
        ("dw = -8*x0", "dw = -4*2^1*x0"),
        ("dw = 5*2^+2*x0", "dw = 5*2^2*x0"),
        ("dt = x1*y0*x0", "dt = y0*x1*x0"),
        ("dw = u0*(x1)*(w + 0)", "dw = u0*x1*w"),
        ("dw = 0", "dw = 0"),
        ("dw = + x0", "dw = x0"),
    ],
)
def test_free_input_becomes_canonical_text(written: str, canonical: str) -> None:
    assert str(parse_sum(written)) == canonical


@pytest.mark.parametrize(
    ("text", "code", "under"),
    [
        ("2^-6*x0*x1", "HB0440", "2"),
        ("", "HB0440", ""),
        ("dw =", "HB0440", ""),
        ("dw x0", "HB0440", "x0"),
        ("dw = x0 -- x1", "HB0440", "-"),
        ("dw = x0 $ x1", "HB0440", "$"),
        ("dw = x0*)", "HB0440", ")"),
        ("dw = x0*x1)", "HB0440", ")"),
        ("dw = 2^", "HB0440", ""),
        ("dw = x0*z1", "HB0441", "z1"),
        ("dw = x0*X1", "HB0441", "X1"),
        ("dw = x0*reward", "HB0441", "reward"),
        ("dw = u10*w", "HB0442", "u10"),
        ("dw = x0*x12", "HB0442", "x12"),
        ("dw = x0*dt", "HB0442", "dt"),
        ("dw = x0*x1**2", "HB0442", "**"),
        ("dw = 2**3*x0", "HB0442", "**"),
        ("dw = x0*x1*", "HB0442", "*"),
        ("dw = x0**x1", "HB0442", "**"),
        ("dw = x0*u0", "HB0445", "u0"),
        ("dw = u0*u0*x1", "HB0445", "u0"),
        ("dw = x0*(u0+1)", "HB0445", "u0"),
        ("dw = x0*(-x1)", "HB0442", "x1"),
        ("dw = x0*(x1*2)", "HB0442", "*"),
        ("dw = x0*(x1-4-4)", "HB0442", "-"),
        ("dw = x0 x1", "HB0442", "x1"),
        ("dw = 2x0", "HB0442", "x0"),
        ("dw = 0.5*x0", "HB0443", "0.5"),
        ("dw = x0/2", "HB0443", "/"),
        ("dw = x0*x1^2", "HB0443", "^"),
        ("dw = 3^2*x0", "HB0443", "3"),
        ("dw = 0*x0", "HB0443", "0"),
        ("dw = 2^1234567890*x0", "HB0443", "1234567890"),
        ("dw = x0*(x1+x2)", "HB0444", "x2"),
        ("dw = x0*(64-x1)", "HB0444", "-"),
        ("dw = x0*((x1))", "HB0444", "("),
        ("dw = x0*(x1", "HB0444", ""),
        ("dw = x0*sgn(5)", "HB0444", ")"),
        ("dw = x1*y2", "HB0445", "x1"),
        ("dw = 2^-6*(x0+1)", "HB0445", "2"),
    ],
)
def test_what_is_ambiguous_is_refused_with_a_caret(text: str, code: str, under: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sum(text)
    problem = caught.value.problems[0]
    assert problem.code == code, problem
    line, carets = problem.at.splitlines()
    first, last = carets.index("^") - 8, carets.rindex("^") - 8
    assert line[first : last + 1] == under


def test_the_carets_stand_under_the_fault_when_printed() -> None:
    with pytest.raises(UsageError) as caught:
        parse_sum("dw = x0*x1 + u10*w")
    _, at, carets, hint = str(caught.value).splitlines()
    assert at.index("u10") == carets.index("^^^")
    assert hint == "  hint: u0 .. u9"


@pytest.mark.parametrize(
    ("written", "hint"),
    [("0.5", "2^-1"), ("0.75", "3*2^-2"), ("1.50", "3*2^-1"), ("0.3", "mantis")],
)
def test_a_decimal_is_offered_as_a_power_of_two_where_that_is_exact(
    written: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sum(f"dw = {written}*x0")
    assert caught.value.problems[0].hint.startswith(hint)


def test_the_mantissa_is_halved_only_as_far_as_it_must_be() -> None:
    assert Product(16, -2, "x0", ()) == Product(4, 0, "x0", ())
    assert Product(6, 0, "x0", ()).mantissa == 6
    assert Product(-8, 8, "x0", ()).mantissa == -8
    assert Product(9, 0, "x0", ()).mantissa == 9


@pytest.mark.parametrize(
    ("text", "shift", "scale"),
    [
        ("dw = 2^-2*x0*y1", 0, 2.0**-2),
        ("dw = 2^-4*x0*x1*y1", 3, 2.0**-7),
        ("dw = 2^-6*x0*x1*y1*y2", 10, 2.0**-16),
        ("dw = 2^-4*x0*w*x1", 5, 2.0**-9),
        ("dw = 2^-5*x0*y0*x1*y2", 4, 2.0**-9),
        ("dw = -3*2^-6*x0*x1*y2", 3, -3 * 2.0**-9),
    ],
)
def test_the_chip_drops_the_bits_that_its_accumulator_lacks(
    text: str, shift: int, scale: float
) -> None:
    product = parse_sum(text).products[0]
    assert product.shift == shift
    assert effective_scale(product) == scale


def test_a_clock_is_no_factor_and_a_trace_is_no_gate() -> None:
    with pytest.raises(UsageError, match="HB0445"):
        Factor("u0")
    with pytest.raises(UsageError, match="HB0445"):
        Product(1, 0, "x1", ())
    with pytest.raises(UsageError, match="HB0441"):
        Factor("z")


def test_a_sum_names_its_variables_and_where_they_stand() -> None:
    sum_ = parse_sum("dw = u0*x1*w_next*delta_next - u0*y2*(w-3)")
    sites = {variable.name: variable.site for variable in sum_.variables}
    assert sites == {
        "u0": "third",
        "x1": "pre",
        "w_next": "remote",
        "delta_next": "remote",
        "y2": "post",
        "w": "synapse",
    }
