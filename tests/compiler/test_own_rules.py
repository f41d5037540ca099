"""A rule written as text compiles as one of the library does, or is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.compiler.check import problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_text import parse
from hebbite.compiler.hbt import load_compiled, save_compiled
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import Rule, parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, parse_sum

DEEP = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
SPIKING = Settings(neuron="lif", encode="rate", window=25)
FEW = uniform((16, 64), seed=0, name="few")
ERROR = "dw = 2^-5*x0*x1*y2 - 2^-5*x0*x1*y3"


def tanh() -> Graph:
    text = """graph @small {
  %x = input {shape=[4], kind=real} : real[4]
  %a = linear(%x) {weight=@w1} : real[3]
  %h = tanh(%a) : real[3]
  %y = linear(%h) {weight=@w2} : real[2]
  return %y
}"""
    weights = {"w1": np.ones((3, 4), np.float32), "w2": np.ones((2, 3), np.float32)}
    return parse(text, weights)


def own(name: str) -> LearningRule:
    """Return the text of a rule with the update and the feedback of a known one."""
    known = parse_rule(name)
    return Rule(
        str(known.dw),
        feedback_dw=str(known.feedback_dw).partition("= ")[2] if known.feedback_dw else "",
        feedback=name,
        dt=str(known.dt).partition("= ")[2] if known.dt else "",
        traces=" ".join(f"{t} tau={tau.tau} impulse={tau.impulse}" for t, tau in known.traces),
    )


@pytest.mark.parametrize(
    "name",
    ["delta", "dfa", "fa", "backprop", "sign-symmetric", "kolen-pollack", "node-perturbation",
     "drtp", "stdp", "triplet-stdp", "r-stdp"],
)  # fmt: skip
def test_a_rule_as_text_is_the_program_of_the_known_rule(name: str) -> None:
    settings = SPIKING if "stdp" in name else Settings()
    mine, known = (
        compile(DEEP, rule=rule, settings=settings, calibration=FEW) for rule in (own(name), name)
    )
    assert mine.sha256 == known.sha256


def test_the_report_says_how_far_every_coefficient_is_off() -> None:
    report = compile(DEEP, rule="dw = 0.0123*x0*x1*y2 - 2^-5*x0*x1*y3").report
    assert report["rule_error.1"] == pytest.approx(3 * 2.0**-8 / 0.0123 - 1)
    assert report["rule_error.2"] == 0
    assert not [name for name in compile(DEEP).report if name.startswith("rule_error")]


@pytest.mark.parametrize(
    "text",
    ["dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3; feedback fa gain=1; cite a; b, c", ERROR],
)
def test_a_file_carries_the_rule_and_gives_it_back(tmp_path: Path, text: str) -> None:
    made = compile(DEEP, rule=text)
    save_compiled(tmp_path / "a.hbt", made)
    found = load_compiled(tmp_path / "a.hbt").compiled
    assert found.rule == made.rule == parse_rule(text)
    assert found.report == made.report
    assert found.sha256 == made.sha256


def test_a_constant_beside_an_activity_with_a_sign_is_offset_with_it() -> None:
    made = compile(tanh(), rule="dw = 2^-5*x0*(x1-5)*y2 - 2^-5*x0*x1*y3")
    dw = made.program.plasticity[-1].dw
    assert [product.factors[0] for product in dw.products] == [Factor("x1", -69), Factor("x1", -64)]


@pytest.mark.parametrize(
    ("rule", "code", "what"),
    [
        ("dw = 2^-5*x0*x1*y1; networks graded", "HB0496", "reads y1"),
        ("dw = 2^-5*x0*x2*y2; networks graded", "HB0496", "reads x2"),
        ("dw = 2^-4*y0*x1 - 2^-4*x0*y1", "HB0403", "does not serve graded networks"),
    ],
)
def test_what_no_unit_writes_is_refused_by_name(rule: str, code: str, what: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        compile(DEEP, rule=rule)
    assert [(p.code, what in p.what) for p in caught.value.problems] == [(code, True)]


def test_several_variables_that_no_unit_writes_are_told_at_once() -> None:
    rule = parse_rule("dw = 2^-5*x0*x2*y1; networks graded")
    goal = parse_objective("classification")
    found = problems_of_request(load_model(DEEP), rule, goal, Settings())
    assert [p.what.split()[2] for p in found] == ["x2,", "y1,"]


def test_a_signal_that_no_unit_has_is_refused_with_those_that_it_has() -> None:
    rule = replace(parse_rule("dfa"), signal="whispers")
    with pytest.raises(UnsupportedError) as caught:
        compile(DEEP, rule=rule)
    (problem,) = caught.value.problems
    assert problem.code == "HB0403"
    assert "error" in problem.hint


def test_an_update_of_a_tag_is_part_of_rule_and_program() -> None:
    made = compile(DEEP, rule="dw = 2^-3*u1*t*y2; dt = 2^-3*u1*x1*y2", calibration=FEW)
    assert made.rule.dt == parse_sum("dt = 2^-3*u1*x1*y2")
    assert {plasticity.dt for plasticity in made.program.plasticity} == {made.rule.dt}


def test_a_tag_that_reads_what_no_unit_writes_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="reads y1"):
        compile(DEEP, rule="dw = 2^-3*u1*t*y2; dt = 2^-3*u1*x1*y1; networks graded")
