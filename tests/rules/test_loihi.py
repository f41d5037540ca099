"""The chip's grammar, and the text for Lava, held against Lava's own reader in another process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.rules.errors import UnsupportedError
from hebbite.rules.loihi import check_loihi, misread_by_lava, to_lava
from hebbite.rules.sums import Factor, Product, SumOfProducts, SumTarget, parse_sum

SYNAPTIC = ("w", "d", "t")
CONSTANTS = st.integers(-256, 255) | st.just(0)
FACTORS = (
    st.builds(Factor, st.sampled_from(("x0", "y0")), st.integers(-2, 0))
    | st.builds(Factor, st.sampled_from(("x1", "x2", "y1", "y2", "y3")), st.integers(-254, 126))
    | st.builds(Factor, st.sampled_from(SYNAPTIC), CONSTANTS, st.booleans())
)
MANTISSAS = st.sampled_from([-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 12, -16])


@st.composite
def sums(draw: st.DrawFn) -> SumOfProducts:
    gates = st.sampled_from(["x0", "y0", f"u{draw(st.integers(0, 9))}"])
    product = st.builds(
        Product,
        MANTISSAS,
        st.integers(-7, 6),
        gates,
        st.lists(FACTORS, max_size=4)
        .map(tuple)
        .filter(lambda factors: sum(f.width for f in factors) <= 27),
    )
    targets: tuple[SumTarget, ...] = ("dw", "dt", "dd")
    target = draw(st.sampled_from(targets))
    return SumOfProducts(target, tuple(draw(st.lists(product, min_size=1, max_size=5))))


_DRAWN: list[SumOfProducts] = []


@settings(max_examples=300, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(sums())
def test_every_sum_in_range_is_taken_and_printed(sum_: SumOfProducts) -> None:
    assert check_loihi(sum_) == ()
    text = to_lava(sum_)
    assert parse_sum(f"{sum_.target} = {text}") == sum_
    assert misread_by_lava(text) is None
    _DRAWN.append(sum_)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dw = x0*x1*y2*y3*w", "HB0458"),
        ("dw = x0*(y1+127)", "HB0453"),
        ("dw = x0*(y1-255)", "HB0453"),
        ("dw = x0*(y0+1)", "HB0453"),
    ],
)
def test_a_product_that_overflows_or_a_factor_that_is_always_saturated_is_refused(
    text: str, code: str
) -> None:
    assert [problem.code for problem in check_loihi(parse_sum(text))] == [code]


_CHILD = """
import json, sys
from hebbite.runtime.engines.lava.shim import ensure_lava
ensure_lava()
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule

def read(kind, target, text):
    try:
        series = getattr(kind(**{target: text}, rng_seed=1), target)
    except Exception as error:
        return type(error).__name__
    return [
        [p.s_mantissa, p.s_exp, p.dependency, p.decimate_exponent,
         [[f.state_var, int(f.const or 0), bool(f.is_sgn)] for f in p.factors]]
        for p in series.products
    ]

out = [
    [read(kind, target, text) for kind in (Loihi2FLearningRule, Loihi3FLearningRule)]
    for target, text in json.load(sys.stdin)
]
sys.stdout.write(json.dumps(out))
"""


def lava_reads(texts: list[tuple[str, str]]) -> list[list[object]]:
    """What Lava makes of (target, text): products of the two kinds of rule, or the error's name."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "HB0601" in done.stderr:
        pytest.skip("Lava is not installed")
    assert done.returncode == 0, done.stderr[-2000:]
    answer: list[list[object]] = json.loads(done.stdout)
    return answer


def meant(sum_: SumOfProducts) -> list[object]:
    """The sum in the words of Lava's `ProductSeries`; its exponents count from the accumulator."""
    out: list[object] = []
    for p in sum_.products:
        clock = p.dependency[0] == "u"
        gate, k = ("u", int(p.dependency[1:])) if clock else (p.dependency, None)
        factors = [[f.variable, f.constant, f.sign] for f in p.factors]
        out.append([p.mantissa, p.exponent + 7, gate, k, factors])
    return out


CHOSEN = [
    "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3",
    "dw = 2^-5*x0*y0*x1*y2 - 2^-5*x0*y0*x1*y3",
    "dw = -3*2^-2*y0*(x1-64)*sgn(w+3)",
    "dw = -8*2^8*x0",
    "dw = 7*2^-7*u9*(x0-1)*(y0-1)*sgn(t)*sgn(d-256)",
    "dt = 2^-4*x0*y1 - 2^-4*y0*x1 - 2^-2*u0*t",
    "dd = 5*u3*x1*y1*y3",
    "dw = " + " - ".join(["2^-1*x0*x1"] * 40),
]
TRAPS = [
    "u10*w",
    "x0*x1**2",
    "x0*x1*",
    "x0*(-x1)",
    "x0*(x1*2)",
    "x0*(x1-4-4)",
    "x0*x12",
    "x0*x1y2",
    "2x0*x1",
]


def test_lava_reads_every_printed_sum_as_it_was_meant_and_the_traps_as_something() -> None:
    if not _DRAWN:
        test_every_sum_in_range_is_taken_and_printed()
    wanted = [*map(parse_sum, CHOSEN), *_DRAWN]
    assert len(wanted) > 200
    asked = [(str(sum_.target), to_lava(sum_)) for sum_ in wanted]
    asked += [("dw", text) for text in TRAPS]
    answers = lava_reads(asked)
    for sum_, answer in zip(wanted, answers, strict=False):
        for read in answer:
            assert read == meant(sum_), str(sum_)
    for text, answer in zip(TRAPS, answers[len(wanted) :], strict=True):
        assert all(isinstance(read, list) for read in answer), f"Lava refuses {text} by itself"


@pytest.mark.parametrize("text", TRAPS)
def test_a_text_that_lava_takes_for_another_rule_is_named(text: str) -> None:
    problem = misread_by_lava(text)
    assert problem is not None
    assert problem.code == "HB0442"
    assert problem.hint
    assert misread_by_lava(f"dw = {text}") is not None


def test_a_plain_rule_is_not_suspected() -> None:
    assert misread_by_lava("2^-6*x0*x1*y2 - 2^-6*x0*x1*y3") is None
    assert misread_by_lava("x0*nonsense") is None


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("dw = 9*x0*x1", "HB0450", "4*2^1 (-11.1 %)"),
        ("dw = 30*x0*x1", "HB0450", "4*2^3 (+6.7 %)"),
        ("dw = 2^-8*x0*x1", "HB0451", "2^-7"),
        ("dw = 2^9*x0*x1", "HB0451", "2^8"),
        ("dw = x0*sgn(x1)", "HB0452", "use x1"),
        ("dw = x0*(w-257)", "HB0453", "-256..255"),
        ("dw = u0*x1 - u1*w", "HB0454", "use u0"),
        ("dw = u0*x1*w_next", "HB0455", "--rule dfa"),
        ("dw = x0*(5)", "HB0456", "scale: 5"),
        ("dw = 0", "HB0457", ""),
    ],
)
def test_what_the_chip_cannot_evaluate_is_refused_with_a_mend(
    text: str, code: str, hint: str
) -> None:
    problems = check_loihi(parse_sum(text))
    assert [p.code for p in problems] == [code]
    assert hint in problems[0].hint
    assert problems[0].at
    with pytest.raises(UnsupportedError, match=code):
        to_lava(parse_sum(text))


def test_one_decimation_holds_for_all_sums_of_a_rule() -> None:
    weight, tag = parse_sum("dw = u0*t*y2"), parse_sum("dt = x0*y1 - 2^-2*u1*t")
    assert check_loihi(weight) == check_loihi(tag) == ()
    assert [p.code for p in check_loihi(weight, tag)] == ["HB0454"]
    assert [p.code for p in check_loihi(tag, tag)] == ["HB0457"]


def test_every_problem_is_told_at_once() -> None:
    sum_ = parse_sum("dw = 9*2^-9*x0*sgn(y1+300) + u0*w_next - u1*w")
    codes = [p.code for p in check_loihi(sum_)]
    assert codes == ["HB0450", "HB0451", "HB0452", "HB0453", "HB0455", "HB0454"]
