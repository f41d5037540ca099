"""The rows of ``hebbite list rules``: what each rule can do on which chip, and why not."""

from __future__ import annotations

import json
from dataclasses import replace

from hebbite.rules.library.stdp import stdp
from hebbite.rules.listing import CHIPS, list_rules, refusal_of
from hebbite.rules.registry import RULES, parse_rule
from hebbite.rules.sums import parse_sum


def test_every_rule_has_a_row_and_an_answer_per_chip() -> None:
    rows = list_rules()
    assert [row.name for row in rows] == list(RULES)
    assert all(tuple(chip for chip, _ in row.refused) == CHIPS for row in rows)
    assert all(str(parse_rule(row.text)) == row.text for row in rows)
    json.dumps([row.to_json() for row in rows])


def test_loihi1_takes_spike_driven_rules_only() -> None:
    taken = [row.name for row in list_rules() if not dict(row.refused)["loihi1"]]
    assert taken == ["stdp", "triplet-stdp", "soft-bound-stdp"]
    assert "y1..y3" in refusal_of(parse_rule("dfa"), "loihi1")


def test_loihi2_takes_every_local_rule() -> None:
    refused = {row.name: dict(row.refused)["loihi2"] for row in list_rules()}
    assert [name for name, why in refused.items() if why] == ["bptt"]
    assert "w_next" in refused["bptt"]
    assert "delta_next" in refused["bptt"]


def test_a_scale_that_a_chip_cannot_hold_is_no_limit_of_the_ideal_one() -> None:
    rule = replace(stdp(), dw=parse_sum("dw = 2^-9*x0*y1"))
    assert "exponent -9" in refusal_of(rule, "loihi2")
    assert refusal_of(rule, "ideal") == ""


def test_graded_payloads_are_a_reason_of_their_own() -> None:
    rule = replace(stdp(), networks=("graded",))
    assert "payloads" in refusal_of(rule, "loihi1")
