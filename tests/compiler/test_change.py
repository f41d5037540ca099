"""Other constants in the rule of a compiled model: what changes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.compiler.change import with_rule
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph_text import parse
from hebbite.compiler.settings import Settings
from hebbite.rules.difference import difference
from hebbite.rules.errors import UsageError
from hebbite.rules.registry import RULES, parse_rule
from hebbite.rules.sums import parse_sum

DEEP = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
SPIKING = Settings(neuron="lif", encode="rate", window=25)
FEW = uniform((16, 64), seed=0, name="few")
OWN = "dw = 2^-5*x0*x1*y2 - 2^-5*x0*x1*y3 - 2^-6*u3*(w-4)"


@cache
def model(rule: str) -> Compiled:
    settings = SPIKING if "stdp" in rule or "eprop" in rule else Settings()
    return compile(DEEP, rule=rule, settings=settings, calibration=FEW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dfa", "dfa(rate=-7, mantissa=3)"),
        ("dfa(gated=true)", "dfa(gated=true, rate=-6)"),
        ("kolen-pollack", "kolen-pollack(rate=-6, decay=3)"),
        ("frozen", "frozen(rate=-3)"),
        ("stdp", "stdp(up=2, down=3)"),
        ("r-stdp", "r-stdp(rate=-3, decay=5)"),
        ("eprop-filtered", "eprop-filtered(rate=-5, mantissa=3, tau=12, up=2)"),
        (OWN, OWN.replace("2^-6*u3*(w-4)", "3*2^-7*u3*(w+20)").replace("2^-5", "0.0123")),
        ("dfa", "dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"),
    ],
)
def test_the_changed_model_is_the_one_that_the_new_rule_compiles_to(old: str, new: str) -> None:
    changed = with_rule(model(old), parse_rule(new)).model
    assert changed.sha256 == model(new).sha256
    assert changed.rule == parse_rule(new)
    assert changed.report == model(new).report


def test_what_a_lowering_added_to_a_constant_is_added_again() -> None:
    text = """graph @small {
  %x = input {shape=[4], kind=real} : real[4]
  %a = linear(%x) {weight=@w1} : real[3]
  %h = tanh(%a) : real[3]
  %y = linear(%h) {weight=@w2} : real[2]
  return %y
}"""
    weights = {"w1": np.ones((3, 4), np.float32), "w2": np.ones((2, 3), np.float32)}
    old, new = "dw = 2^-5*x0*x1*y2", "dw = 3*2^-4*x0*(x1+7)*y2"
    made, wanted = (compile(parse(text, weights), rule=rule) for rule in (old, new))
    assert with_rule(made, parse_rule(new)).model.sha256 == wanted.sha256


def test_products_that_changed_are_counted_a_group() -> None:
    changed = with_rule(model("kolen-pollack"), parse_rule("kolen-pollack(decay=3)"))
    assert dict(changed.products) == {
        "to_relu1": 1, "to_relu2": 1, "to_fc3": 1, "back_relu2": 1, "back_relu1": 1,
    }  # fmt: skip
    assert not sum(count for _, count in with_rule(model("dfa"), parse_rule("dfa")).products)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("dfa", "fa", "feedback"),
        ("dfa", "dfa(gain=1)", "feedback"),
        ("dfa", "dfa(gated=true)", "dw: product 1"),
        ("dfa", "frozen", "learns: all is not readout"),
        ("backprop", "backprop(follow=false)", "follows"),
        ("stdp", "stdp(tau_pre=11)", "traces"),
        ("stdp", "dfa", "signal: spikes is not error"),
        ("kolen-pollack", "kolen-pollack(every=3)", "dw: product 3"),
        (OWN, "dfa", "dw: 3 products are not 2"),
        (OWN, OWN.replace("(w-4)", "sgn(w-4)"), "dw: product 3"),
        ("backprop", "bptt", "runs on no chip"),
    ],
)
def test_another_structure_is_refused_with_what_differs(old: str, new: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_rule(model(old), parse_rule(new))
    (problem,) = caught.value.problems
    assert problem.code == "HB0142"
    assert why in problem.what


def test_a_tag_on_one_side_alone_is_a_difference() -> None:
    plain = parse_rule("dfa")
    tagged = replace(plain, dt=parse_sum("dt = 2^-3*x0*x1"))
    assert difference(plain, tagged) == "dt: one rule has it, the other has not"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_does_not_differ_from_itself(name: str) -> None:
    rule = RULES[name]()
    assert bool(difference(rule, rule)) == bool(rule.reason)


def test_a_program_that_learns_by_another_sum_than_its_rule_is_refused() -> None:
    odd = replace(model("dfa"), rule=parse_rule("dfa(rate=-6)"))
    with pytest.raises(UsageError, match="the program learns by"):
        with_rule(odd, parse_rule("dfa(rate=-7)"))
    short = replace(model("dfa"), rule=parse_rule("dw = 2^-5*x0*x1*y2"))
    with pytest.raises(UsageError, match="the program learns by"):
        with_rule(short, parse_rule("dw = 2^-6*x0*x1*y2"))
