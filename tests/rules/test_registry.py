"""Every rule by its name: text, options, what it asks of a synapse, and where it cannot run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from hebbite.rules.errors import UsageError
from hebbite.rules.feedback import Feedback
from hebbite.rules.loihi import check_loihi
from hebbite.rules.options import options_of
from hebbite.rules.registry import RULES, parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import VARIABLES, effective_scale, parse_sum

ALL = [factory() for factory in RULES.values()]
NAMES = [rule.name for rule in ALL]
ERROR_DRIVEN = ("delta", "pes", "frozen", "dfa", "fa", "backprop", "sign-symmetric",
                "node-perturbation", "predictive-coding", "equilibrium-propagation")  # fmt: skip
OTHER_WORDS = {"random": "symmetric", "all": "readout"}
every_rule = pytest.mark.parametrize("rule", ALL, ids=NAMES)


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return OTHER_WORDS[value]
    assert isinstance(value, int)
    return value + 1


def written(rule: LearningRule) -> str:
    """Return what a person judges of a rule."""
    return "\n".join(
        (
            f"{rule.text}",
            f"  equation  {rule.equation}",
            f"  update    {rule.dw}",
            *([f"  tag       {rule.dt}"] if rule.dt else []),
            *([f"  back      {rule.feedback_dw}"] if rule.feedback_dw else []),
            *([f"  readout   {rule.readout_dw}"] if rule.readout_dw else []),
            *([f"  neurons   {dict(rule.constants)}"] if rule.constants else []),
            f"  learns    {rule.learns}, {rule.factors} factors, {' '.join(rule.networks)}",
            f"  feedback  {rule.feedback}",
            f"  locality  {json.dumps(rule.locality.to_json())}",
            *(f"  {name}        {trace}" for name, trace in rule.traces),
            *([f"  refused   {rule.reason}"] if rule.reason else []),
        )
    )


def test_the_rules_as_a_person_reads_them(golden: Callable[[str], str]) -> None:
    assert "\n".join(map(written, ALL)) == golden("rules/registry")


def test_a_rule_is_registered_under_its_own_name() -> None:
    assert list(RULES) == NAMES


@every_rule
def test_the_text_of_a_rule_gives_it_back(rule: LearningRule) -> None:
    assert parse_rule(str(rule)) == rule
    assert parse_rule(rule.name) == rule


@every_rule
def test_the_text_names_every_option(rule: LearningRule) -> None:
    for name, default in options_of(RULES[rule.name]).items():
        changed = RULES[rule.name](**{name: other(default)})
        assert f"{name}={str(other(default)).lower()}" in changed.text
        assert parse_rule(changed.text) == changed


@every_rule
def test_the_update_prints_and_parses_back(rule: LearningRule) -> None:
    assert all(parse_sum(str(update)) == update for update in rule.updates)


@every_rule
def test_the_default_runs_on_a_chip_or_says_why_not(rule: LearningRule) -> None:
    refused = any(check_loihi(*sums) for sums in rule.kinds)
    assert refused == bool(rule.reason) == (not rule.runs_on_chip)


@every_rule
def test_a_citation_is_one_bibtex_entry_with_a_year(rule: LearningRule) -> None:
    assert re.match(r"@(article|inproceedings)\{\w+,\n", rule.citation)
    assert rule.citation.count("{") == rule.citation.count("}")
    assert re.search(r"year = \{(19|20)\d\d\}", rule.citation)


@every_rule
def test_locality_is_plain_json_with_the_keys_of_a_comparison_row(rule: LearningRule) -> None:
    row = rule.locality.to_json()
    assert json.loads(json.dumps(row)) == row
    assert list(row) == [
        "remote",
        "weight_transport",
        "phases",
        "global_signals",
        "feedback",
        "feedback_latency_steps",
    ]


@every_rule
def test_locality_names_the_remote_variables_of_the_update(rule: LearningRule) -> None:
    read = [f.variable for product in rule.dw.products for f in product.factors]
    remote = tuple(name for name in read if VARIABLES[name].site == "remote")
    assert rule.locality.remote == remote


@every_rule
def test_feedback_and_locality_agree(rule: LearningRule) -> None:
    assert rule.feedback.latency == rule.locality.feedback_latency_steps or rule.reason
    carried = {"transpose": "full", "sign": "sign", "learned": "learned"}
    assert rule.locality.weight_transport == carried.get(rule.feedback.weights, "none")


def test_what_is_perturbed_needs_two_passes_and_one_signal_for_all() -> None:
    rule = parse_rule("node-perturbation")
    assert rule.locality.phases == 2
    assert rule.locality.global_signals == ("change of the objective",)
    assert (rule.feedback.delivery, rule.feedback.weights) == ("broadcast", "none")


def test_bptt_is_refused_by_the_name_of_what_it_reads() -> None:
    rule = parse_rule("bptt")
    assert not rule.runs_on_chip
    assert all(name in rule.reason for name in ("w_next", "delta_next"))
    assert {name for p in check_loihi(rule.dw) for name in rule.locality.remote if name in p.what}


@pytest.mark.parametrize("name", ERROR_DRIVEN)
@pytest.mark.parametrize("gated", [False, True])
def test_a_gated_rule_keeps_the_scale_of_the_ungated_one(name: str, gated: bool) -> None:
    up, down = RULES[name](rate=-5, mantissa=3, gated=gated).dw.products
    assert up.mantissa * 2.0 ** (up.exponent - up.shift) == 3 * 2.0 ** (-5 - 3)
    assert down.mantissa == -up.mantissa
    assert [f.variable for f in up.factors][-2:] == ["x1", "y2"]
    assert [f.variable for f in down.factors][-2:] == ["x1", "y3"]


@pytest.mark.parametrize(("rate", "mantissa"), [(-5, 1), (-2, 3), (3, 7)])
def test_a_feedback_weight_that_learns_gets_the_update_of_its_twin(
    rate: int, mantissa: int
) -> None:
    rule = RULES["kolen-pollack"](rate=rate, mantissa=mantissa, decay=3, every=2)
    assert rule.feedback_dw is not None
    up, down, decay = rule.dw.products
    twin, same = rule.feedback_dw.products
    assert decay == same
    assert str(decay) == "-2^-3*u2*w"
    assert effective_scale(decay) == -(2.0**-3)
    assert effective_scale(twin) == effective_scale(up) == -effective_scale(down)
    assert (twin.exponent, twin.shift) == (up.exponent, up.shift)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("dafa", "unknown rule 'dafa'", "did you mean 'dfa'?"),
        ("backprp", "unknown rule 'backprp'", "did you mean 'backprop'?"),
        ("dfa(rat=3)", "rule 'dfa' has no option 'rat'", "did you mean 'rate'?"),
        ("stdp(up=fast)", "rule 'stdp': up=fast is not an integer", "up=4"),
        ("bptt(rate=3)", "rule 'bptt' has no option 'rate'", "it has none"),
    ],
)
def test_an_unknown_name_or_option_offers_the_near_one(text: str, what: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(text)
    problem = caught.value.problems[0]
    assert (problem.code, problem.what, problem.hint) == ("HB0401", what, hint)


@pytest.mark.parametrize(
    "text",
    [
        "delta(rate=-8)",
        "delta(rate=9)",
        "delta(rate=8, gated=true)",
        "dfa(mantissa=0)",
        "dfa(mantissa=8)",
        "fa(mantissa=-1)",
        "kolen-pollack(decay=0)",
        "kolen-pollack(decay=8)",
        "kolen-pollack(every=-1)",
        "kolen-pollack(every=10)",
        "kolen-pollack(rate=9)",
        "equilibrium-propagation(nudge=9)",
        "equilibrium-propagation(coupling=-1)",
        "equilibrium-propagation(steps=0)",
        "equilibrium-propagation(steps=32)",
        "predictive-coding(gain=7)",
        "forward-forward(rate=-8)",
        "node-perturbation(amplitude=-1)",
        "node-perturbation(amplitude=7)",
        "stdp(up=8)",
        "stdp(down=-9)",
        "stdp(tau_pre=0)",
        "stdp(tau_post=65536)",
        "stdp(impulse_pre=128)",
        "stdp(impulse_post=-1)",
    ],
)
def test_a_value_that_a_chip_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HB04"):
        parse_rule(text)


@pytest.mark.parametrize("options", [{"latency": -1}, {"gain": 7}, {"gain": -7}, {"amplitude": 7}])
def test_a_feedback_number_out_of_range_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="HB0409"):
        Feedback(**options)  # type: ignore[arg-type]  # only integers are given
