"""Half and twice the rate of a rule, and what has no neighbour there."""

from __future__ import annotations

import pytest

from hebbite.rules.registry import RULES, parse_rule
from hebbite.runtime.sensitivity import Neighbour, has_rate, neighbours


def test_the_neighbours_differ_from_a_rule_in_its_rate_only() -> None:
    text = parse_rule("dfa(rate=-6, mantissa=3, gain=1)").text
    found = neighbours(text)
    assert list(found) == ["half", "double"]
    assert found["half"].text == text.replace("rate=-6", "rate=-7")
    assert found["double"].text == text.replace("rate=-6", "rate=-5")


@pytest.mark.parametrize("name", [name for name in RULES if has_rate(name)])
def test_the_update_is_halved_and_doubled_and_a_decay_stays(name: str) -> None:
    rule = parse_rule(f"{name}(rate=-5)")
    found = neighbours(rule.text)
    for key, factor in (("half", 0.5), ("double", 2.0)):
        other = parse_rule(found[key].text)
        for ours, theirs in zip(rule.dw.products, other.dw.products, strict=True):
            one, two = (p.mantissa * 2.0**p.exponent for p in (ours, theirs))
            decay = all(not f.variable.startswith(("x", "y")) for f in ours.factors)
            assert two == (one if decay else factor * one)


def test_at_the_edge_of_the_range_there_is_a_reason_instead() -> None:
    low, high = (neighbours(parse_rule(f"dfa(rate={rate})").text) for rate in (-7, 8))
    assert low["half"].text == "" != low["double"].text
    assert "rate=-8 is out of range" in low["half"].reason
    assert high["double"].text == "" != high["half"].text
    assert "rate=9 is out of range" in high["double"].reason


def test_a_rule_without_a_rate_has_no_neighbours() -> None:
    nothing = Neighbour(reason="the rule has no rate")
    assert neighbours(parse_rule("stdp").text) == {"half": nothing, "double": nothing}
    assert not has_rate("stdp")
