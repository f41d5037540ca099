"""What is held against each rule as a model of learning, answer by answer, from the rule's data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hebbite.rules import feedback
from hebbite.rules.assignment import (
    BIAS_FILE,
    COLUMNS,
    assignment_of,
    markdown_of,
)
from hebbite.rules.registry import RULES, Rule, parse_rule
from hebbite.rules.rule import LearningRule

ALL = tuple(factory() for factory in RULES.values())
RECORDED = json.loads(BIAS_FILE.read_text("utf-8"))["rules"]
every_rule = pytest.mark.parametrize("rule", ALL, ids=list(RULES))


def answer(name: str, field: str) -> object:
    return getattr(assignment_of(parse_rule(name)), field)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("backprop", "copied"),
        ("bptt", "copied"),
        ("sign-symmetric", "sign"),
        ("kolen-pollack", "learned"),
        ("dfa", "none"),
        ("node-perturbation", "none"),
        ("stdp", "none"),
    ],
)
def test_feedback_is_symmetric_where_it_is_made_of_the_forward_weights(
    name: str, wanted: str
) -> None:
    assert answer(name, "symmetric_feedback") == wanted


@every_rule
def test_symmetry_and_transport_of_weights_say_the_same(rule: LearningRule) -> None:
    of = {"full": "copied", "sign": "sign", "learned": "learned", "none": "none"}
    assert assignment_of(rule).symmetric_feedback == of[rule.locality.weight_transport]


@pytest.mark.parametrize(("name", "wanted"), [("backprop", 1), ("node-perturbation", 2)])
def test_phases_are_passes_over_a_sample(name: str, wanted: int) -> None:
    assert answer(name, "separate_phases") == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("dfa", ()),
        ("node-perturbation", ("change of the objective",)),
        ("bptt", ("w_next", "delta_next")),
    ],
)
def test_signals_from_elsewhere_are_named(name: str, wanted: tuple[str, ...]) -> None:
    assert answer(name, "non_local_signals") == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("dfa", "derivative"), ("node-perturbation", "linear"), ("delta", "none"), ("stdp", "none")],
)
def test_the_gate_is_what_the_signal_meets_at_the_neuron(name: str, wanted: str) -> None:
    assert answer(name, "feedback_gate") == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("bptt", "forward"),
        ("backprop", "separate"),
        ("drtp", "separate"),
        ("node-perturbation", "broadcast"),
        ("frozen", "none"),
    ],
)
def test_the_path_is_that_of_the_signal(name: str, wanted: str) -> None:
    assert answer(name, "feedback_path") == wanted


@every_rule
def test_a_rule_without_feedback_has_neither_gate_nor_path(rule: LearningRule) -> None:
    found = assignment_of(rule)
    silent = rule.feedback.delivery == "none"
    assert silent == (found.feedback_path == "none") == (found.feedback_gate == "none")


@every_rule
def test_feedback_is_immediate_where_activity_settles_with_it(rule: LearningRule) -> None:
    assert assignment_of(rule).immediate_feedback == (rule.feedback.source in feedback.MOVING)


def test_errors_that_come_when_activity_was_sent_are_not_immediate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = parse_rule("fa")
    assert not assignment_of(rule).immediate_feedback
    monkeypatch.setattr(feedback, "MOVING", ("upper-error",))
    assert assignment_of(rule).immediate_feedback


@every_rule
def test_a_measured_bias_is_the_recorded_one_or_there_is_a_reason(rule: LearningRule) -> None:
    found = assignment_of(rule).measured
    assert (found.mean is None) == bool(found.reason)
    if found.mean is not None:
        assert found.interval is not None
        low, high = found.interval
        assert 0 <= low <= found.mean <= high <= 1
        assert RECORDED[rule.name]["mean"] == found.mean
        assert len(RECORDED[rule.name]["per_seed"]) == len(RECORDED[rule.name]["seeds"]) >= 5


def test_the_measured_biases_stand_in_the_order_that_is_known_of_the_rules() -> None:
    names = ("backprop", "node-perturbation", "kolen-pollack", "sign-symmetric", "dfa", "frozen")
    means = [assignment_of(parse_rule(name)).measured.mean for name in names]
    known = [mean for mean in means if mean is not None]
    assert len(known) == len(names)
    assert known == sorted(known)
    assert known[0] < 1e-9
    assert known[-1] == 1


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (parse_rule("clp"), "it follows no objective"),
        (parse_rule("dfa(rate=-6)"), "measured with other options: dfa(rate=-5"),
        (parse_rule("stdp"), "it serves spiking networks"),
        (parse_rule("bptt"), "it runs on no chip"),
        (Rule("dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"), "--record --rules custom"),
    ],
)
def test_what_was_not_measured_says_why(rule: LearningRule, reason: str) -> None:
    assert reason in assignment_of(rule).measured.reason


@every_rule
def test_the_answers_are_plain_json(rule: LearningRule) -> None:
    found = assignment_of(rule).to_json()
    assert json.loads(json.dumps(found)) == found
    assert list(found) == [
        "symmetric_feedback",
        "separate_phases",
        "non_local_signals",
        "feedback_gate",
        "feedback_path",
        "immediate_feedback",
        "measured_bias",
        "measured_bias_interval",
        "measured_bias_reason",
    ]


def test_the_table_has_a_row_a_rule_and_a_cell_a_column() -> None:
    head, rule, *rows = markdown_of(ALL).splitlines()
    assert head.count("|") == rule.count("|") == len(COLUMNS) + 1
    assert [row.split("`")[1] for row in rows] == list(RULES)
    assert all(row.count("|") == len(COLUMNS) + 1 for row in rows)


def test_a_rule_that_says_no_derivative_is_not_gated() -> None:
    rule = parse_rule("dfa")
    plain = replace(rule, locality=replace(rule.locality, feedback="separate, no derivative"))
    assert assignment_of(plain).feedback_gate == "linear"
