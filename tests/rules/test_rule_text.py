"""Rules written as text: what is read, what follows by itself, and every refusal with its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.rules.errors import UsageError
from hebbite.rules.feedback import Feedback
from hebbite.rules.registry import RULES, Rule, examine_rule, parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.rules.rule_lines import LONGEST
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

ERROR = "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"
WHOLE = """# what a researcher writes
rule my-dfa
  dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3   # a rate
  feedback output-error random direct gain=1
  networks graded

  cite Nokland 2016; arXiv 1609.01596
"""
ON_CHIP = [name for name, factory in RULES.items() if factory().runs_on_chip]


def codes(text: str) -> list[str]:
    return [problem.code for problem in examine_rule(text)[1]]


def test_every_field_of_a_rule_is_read() -> None:
    rule = parse_rule(WHOLE)
    assert rule.name == "my-dfa"
    assert rule.dw == parse_sum("dw = 3*2^-5*x0*x1*y2 - 3*2^-5*x0*x1*y3")
    assert rule.real == (0.0123, -0.0123)
    assert rule.feedback == Feedback("output-error", "random", "direct", 1, 1)
    assert (rule.networks, rule.signal, rule.learns, rule.factors) == (
        ("graded",), "error", "all", 3,
    )  # fmt: skip
    assert rule.citation == "Nokland 2016; arXiv 1609.01596"
    assert rule.locality == parse_rule("dfa").locality


def test_the_text_of_a_rule_is_one_line_that_says_every_field(
    golden: Callable[[str], str],
) -> None:
    texts = [
        WHOLE,
        ERROR,
        f"{ERROR}; feedback none",
        f"{ERROR}; feedback sign-symmetric follow=false gain=-2",
        f"{ERROR}; feedback perturbation amplitude=3",
        f"{ERROR} - 2^-5*u3*w; feedback learned; feedback_dw = 2^-6*x0*(x1-64)*y1 - 2^-5*u3*w",
        "dw = 2^-4*y0*x1 - 0.05*x0*y1; trace y1 tau=20",
    ]
    assert "\n".join(parse_rule(text).text for text in texts) == golden("rules/own")


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        ERROR,
        "dw = 2^-4*y0*x1 - 0.05*x0*y1; trace y1 tau=20; traces x1 impulse=3; cite a; b",
        "dw=1e-2*x0*x1*y2;networks graded",
        "rule a\ndw = -2^-3*u0*w; networks graded; feedback none; learns readout",
        f"{ERROR}; feedback upper-error learned layered latency=1; feedback_dw = .01*x0*(x1-64)*y1",
    ],
)
def test_what_is_printed_gives_the_rule_back(text: str) -> None:
    rule = parse_rule(text)
    assert "\n" not in rule.text
    assert parse_rule(rule.text) == rule
    assert parse_rule(str(rule)).text == rule.text


coefficients = st.one_of(
    st.floats(0.001, 200).map(repr),
    st.tuples(st.integers(1, 7), st.integers(-7, 8)).map(lambda s: f"{s[0]}*2^{s[1]}"),
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(coefficients, st.sampled_from("+-"), st.sampled_from(["y2", "y3"])),
             min_size=1, max_size=4),
    st.integers(-6, 6),
    st.sampled_from(["dfa", "fa", "backprop", "sign-symmetric", "node-perturbation", "none"]),
)  # fmt: skip
def test_any_error_driven_rule_prints_and_parses_back(
    terms: list[tuple[str, str, str]], gain: int, path: str
) -> None:
    dw = " ".join(f"{sign} {scale}*x0*x1*{trace}" for scale, sign, trace in terms)
    number = "" if path == "none" else f" gain={gain}"
    rule = parse_rule(f"dw = {dw}\nfeedback {path}{number}")
    assert parse_rule(rule.text) == rule


@pytest.mark.parametrize("name", ON_CHIP)
def test_a_rule_with_the_update_and_the_feedback_of_a_known_one_is_its_twin(name: str) -> None:
    known = RULES[name]()
    text = str(known.dw)
    text += f"; dt = {str(known.dt).partition('= ')[2]}" if known.dt else ""
    text += f"; feedback_{known.feedback_dw}" if known.feedback_dw else ""
    text += f"; feedback {name} follow=true" if known.follows else f"; feedback {name}"
    text += f"; networks {' '.join(known.networks)}; signal {known.signal}; learns {known.learns}"
    text += "".join(f"; trace {trace} tau={t.tau} impulse={t.impulse}" for trace, t in known.traces)
    rule = parse_rule(text)
    for part in ("dw", "dt", "feedback_dw", "feedback", "signal", "learns", "factors", "traces"):
        assert getattr(rule, part) == getattr(known, part), part
    assert rule.follows == known.follows
    assert rule.locality.weight_transport == known.locality.weight_transport


def test_a_bare_update_gets_the_feedback_of_dfa_or_the_traces_of_stdp() -> None:
    error, spikes = parse_rule(ERROR), parse_rule("dw = 2^-4*y0*x1 - 2^-4*x0*y1")
    assert error.feedback == parse_rule("dfa").feedback
    assert (error.name, error.networks, error.signal) == ("custom", ("graded",), "error")
    assert (spikes.networks, spikes.signal, spikes.factors) == (("spiking",), "spikes", 2)
    assert spikes.traces == parse_rule("stdp").traces == (
        ("x1", Trace(10, 16)), ("y1", Trace(10, 16)),
    )  # fmt: skip


def test_without_feedback_the_readout_learns_alone() -> None:
    rule = parse_rule(f"{ERROR}; feedback none")
    assert (rule.learns, rule.feedback) == ("readout", Feedback())
    assert rule.locality == parse_rule("delta").locality


@pytest.mark.parametrize(
    ("words", "like"),
    [
        ("random", "dfa"),
        ("direct", "dfa"),
        ("target", "drtp"),
        ("layered", "fa"),
        ("upper-error", "fa"),
        ("transpose", "backprop"),
        ("sign", "sign-symmetric"),
        ("broadcast", "node-perturbation"),
    ],
)
def test_one_word_of_feedback_says_the_rest(words: str, like: str) -> None:
    path, known = parse_rule(f"{ERROR}; feedback {words}").feedback, parse_rule(like).feedback
    assert (path.source, path.weights, path.delivery) == (
        known.source, known.weights, known.delivery,
    )  # fmt: skip


def test_python_takes_a_rule_by_keywords() -> None:
    made = Rule(
        ERROR.replace("2^-6", "0.0123"),
        name="my-dfa",
        feedback="output-error random direct gain=1",
        networks="graded",
        cite="Nokland 2016; arXiv 1609.01596",
    )
    assert made == parse_rule(WHOLE)
    with pytest.raises(UsageError, match="given twice"):
        Rule(WHOLE, feedback="dfa")


REFUSED = {
    "unknown_field": ("feedbak x", "HB0493", "did you mean 'feedback'?"),
    "twice": ("dw = 2^-6*x0*x1*y2", "HB0493", "remove one"),
    "no_equals": ("dt 3", "HB0493", "dt = ..."),
    "equals": ("learns = all", "HB0493", "learns all"),
    "delays": ("dd = 2^-3*x0*y1", "HB0493", "dw = ..., dt = ..."),
    "known_name": ("rule dfa", "HB0494", "rule my-dfa"),
    "two_names": ("rule my rule", "HB0494", "rule my-rule"),
    "feedback_word": ("feedback output-eror", "HB0494", "did you mean 'output-error'?"),
    "feedback_twice": ("feedback random sign", "HB0494", "keep one"),
    "feedback_empty": ("feedback gain=1", "HB0494", "feedback output-error random direct"),
    "feedback_number": ("feedback dfa gain=x", "HB0494", "gain=1"),
    "feedback_amplitude": ("feedback dfa amplitude=2", "HB0494", "gain=1"),
    "feedback_option": ("feedback dfa(gains=1)", "HB0401", "did you mean 'gain'?"),
    "feedback_none": ("feedback none gain=1", "HB0494", "gain=1"),
    "feedback_range": ("feedback dfa gain=9", "HB0409", ""),
    "network": ("networks gradd", "HB0494", "did you mean 'graded'?"),
    "network_twice": ("networks graded graded", "HB0494", "graded"),
    "signal": ("signal eror", "HB0494", "did you mean 'error'?"),
    "two_signals": ("signal error spikes", "HB0494", ""),
    "learns": ("learns some", "HB0494", ""),
    "trace_name": ("trace z1 tau=3", "HB0494", ""),
    "trace_number": ("trace x1 tau=fast", "HB0494", "trace x1 tau=10 impulse=16"),
    "trace_twice": ("trace x1; trace x1 tau=3", "HB0494", "remove one"),
    "trace_none": ("trace", "HB0494", "trace x1 tau=10"),
    "trace_range": ("trace x1 tau=0", "HB0446", "tau=65535"),
    "real_word": ("real 0.1 nan", "HB0494", "real 0.0123 -0.0123"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_that_cannot_be_read_is_shown_with_carets_and_a_mend(line: str) -> None:
    text, code, hint = REFUSED[line]
    (problem,) = examine_rule(f"{ERROR}\n  {text}  # why")[1]
    assert problem.code == code
    assert hint in problem.hint
    shown, carets = problem.at.split("\n")
    assert shown.strip() == f"{text}  # why"
    assert set(carets.strip()) == {"^"}
    assert len(carets) <= 8 + 2 + len(text)
    assert problem.origin == "line 2 of the rule"


TOGETHER = {
    "path": (f"{ERROR}; feedback transpose direct", "feedback upper-error transpose layered"),
    "signal_of_spikes": (f"{ERROR}; signal spikes", "feedback none (delta"),
    "readout_with_feedback": (f"{ERROR}; learns readout", "feedback none (delta"),
    "no_chip": (f"{ERROR}; feedback bptt", "random direct (dfa"),
    "tag_without_update": ("dw = 2^-4*x0*t*y2", "dt = ..."),
    "delay": ("dw = 2^-4*x0*d*y2", ""),
    "trace_of_an_error": (f"{ERROR}; networks graded; trace x1", "networks spiking"),
    "learned_without_update": (f"{ERROR}; feedback learned", "feedback_dw ="),
    "update_without_learned": (f"{ERROR}; feedback_dw = 2^-6*x0*(x1-64)*y1", "feedback learned"),
    "latency": (f"{ERROR}; feedback dfa latency=2", "latency=1"),
    "too_few_real": (f"{ERROR}; real 0.1", "one a product"),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_fields_that_do_not_go_together_are_refused(case: str) -> None:
    text, hint = TOGETHER[case]
    (problem,) = examine_rule(text)[1]
    assert problem.code == "HB0495"
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("dw", "code", "under"),
    [
        ("x1*y2", "HB0445", "x1"),
        ("2^-6*x0*x3", "HB0441", "x3"),
        ("u10*w", "HB0442", "u10"),
        ("0.00001*x0*x1*y2", "HB0490", "0.00001"),
        ("1e3*x0*x1*y2", "HB0491", "1e3"),
        ("1.2.3*x0*x1", "HB0443", "1.2.3"),
        ("1e999*x0*x1", "HB0443", "1e999"),
        ("0.0*x0*x1*y2", "HB0443", "0.0"),
    ],
)
def test_a_fault_in_the_update_is_shown_in_its_line(dw: str, code: str, under: str) -> None:
    (problem,) = examine_rule(f"rule a\n\n   dw = {dw}")[1]
    shown, carets = problem.at.split("\n")
    assert (problem.code, problem.origin) == (code, "line 3 of the rule")
    start = len(carets) - len(carets.lstrip()) - 8
    assert shown[start:].startswith(under)
    assert carets.strip() == "^" * len(under)


def test_a_coefficient_of_any_length_is_refused_and_nothing_overflows() -> None:
    huge = "*".join(["999999999"] * 900)
    assert codes(f"dw = 0.5*{huge}*x0*x1*y2") == ["HB0491"]
    assert codes("dw = 0.5*2^-99999*x0*x1*y2") == ["HB0490"]
    assert codes("a\n" * LONGEST) == ["HB0493", "HB0493"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = """rule dfa
    dw = 9*2^-9*x0*x1*y2 - 1e9*x0*x1*y3
    feedback nowhere
    trace x1 tau=0
    whatever"""
    assert sorted(codes(text)) == [
        "HB0446", "HB0450", "HB0451", "HB0491", "HB0493", "HB0494", "HB0494",
    ]  # fmt: skip


def test_a_rule_without_an_update_is_none() -> None:
    rule, (problem,) = examine_rule("rule a; feedback dfa")
    assert rule is None
    assert problem.code == "HB0493"


def test_one_clock_holds_for_weight_and_tag_together() -> None:
    text = "dw = 2^-3*u1*t*y2; dt = 2^-3*u2*x1*y2"
    assert "HB0454" in codes(text)
    rule = parse_rule("dw = 2^-3*u1*t*y2; dt = 2^-3*u1*x1*y2")
    assert rule.dt == parse_sum("dt = 2^-3*u1*x1*y2")


def test_a_call_with_a_comment_is_still_a_call() -> None:
    rule: LearningRule = parse_rule("  dfa(rate=-6)  # slower\n")
    assert rule == parse_rule("dfa(rate=-6)")
