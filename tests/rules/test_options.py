"""A call as typed: name and options are found, and what is wrong is said with its mend."""

from __future__ import annotations

import pytest

from hebbite.rules.errors import UsageError
from hebbite.rules.options import call_by_text, options_of


def grow(*, rate: int = -6, gated: bool = False, mode: str = "slow") -> tuple[int, bool, str]:
    return rate, gated, mode


def rest() -> tuple[int, bool, str]:
    return 0, False, ""


KNOWN = {"grow": grow, "rest": rest}


def call(text: str) -> tuple[int, bool, str]:
    return call_by_text(text, KNOWN, kind="plan", code="HB0401")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("grow", (-6, False, "slow")),
        ("grow()", (-6, False, "slow")),
        ("rest", (0, False, "")),
        ("grow(rate=3)", (3, False, "slow")),
        ("  grow ( rate = +3 , gated = true ,) ", (3, True, "slow")),
        ("grow(mode=fast, gated=false)", (-6, False, "fast")),
    ],
)
def test_a_text_calls_the_factory_with_typed_options(
    text: str, result: tuple[int, bool, str]
) -> None:
    assert call(text) == result


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("grwo", "unknown plan 'grwo'", "did you mean 'grow'?"),
        ("zzz", "unknown plan 'zzz'", "known: grow, rest"),
        ("grow(rat=3)", "plan 'grow' has no option 'rat'", "did you mean 'rate'?"),
        ("rest(rate=3)", "plan 'rest' has no option 'rate'", "it has none"),
        ("grow(rate=fast)", "plan 'grow': rate=fast is not an integer", "rate=-6"),
        ("grow(rate=1.5)", "plan 'grow': rate=1.5 is not an integer", "rate=-6"),
        ("grow(rate=)", "plan 'grow': rate= is not an integer", "rate=-6"),
        ("grow(gated=1)", "plan 'grow': gated=1 is not true or false", "gated=false"),
        ("grow(mode=)", "plan 'grow': mode= is not a word", "mode=slow"),
        ("grow(3)", "plan 'grow' has no option '3'", "known: gated, mode, rate"),
        ("grow(rate=3", "cannot read the plan 'grow(rate=3'", "name, or name(option=value, ...)"),
        ("", "cannot read the plan ''", "name, or name(option=value, ...)"),
        ("grow(rate=__import__('os'))", "cannot read", "name, or name(option=value, ...)"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(text: str, what: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(text)
    problem = caught.value.problems[0]
    assert problem.code == "HB0401"
    assert problem.what.startswith(what)
    assert problem.hint == hint


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="rate is given twice"):
        call("grow(rate=3, rate=4)")


def test_options_are_listed_with_their_defaults() -> None:
    assert options_of(grow) == {"rate": -6, "gated": False, "mode": "slow"}
