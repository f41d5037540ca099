"""Lowering of a population that learns from its own activity: programs, starts and scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.session import Session

Real = NDArray[np.float64]
RULES = ("oja", "bcm")


def graph(inputs: int, units: int) -> Graph:
    """Return one linear population without a bias."""
    weight = np.random.default_rng(5).normal(0, inputs**-0.5, (units, inputs))
    nodes = (
        Node("input", (), (Value("x", (inputs,)),)),
        Node("linear", ("x",), (Value("units", (units,)),), (("weight", TensorRef("w")),)),
    )
    return Graph("net", nodes, {"w": weight}, ("units",))


def data(*, signed: bool) -> Real:
    return np.random.default_rng(1).random((60, 6)) - 0.5 * signed


@pytest.mark.parametrize("rule", RULES)
def test_the_program_of_a_rule_reads_as_designed(rule: str, golden: Callable[[str], str]) -> None:
    made = compile(graph(6, 3), rule=rule, calibration=data(signed=True))
    text = print_program(made.program)
    assert text.split("  neuron ")[0].rstrip() == golden(f"program/{rule}")
    assert print_program(parse_program(text, made.program.tensors)) == text


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("signed", [False, True])
def test_inputs_with_a_sign_are_sent_again_and_read_with_an_offset(rule: str, signed: bool) -> None:
    program = compile(graph(6, 3), rule=rule, calibration=data(signed=signed)).program
    (source,), (plastic,) = program.sources, program.plasticity
    assert source.offsets == ((1, 2) if signed else (1,))
    assert source.bias == ()
    assert ("(x1-64)" in str(plastic.dw)) is signed


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("norm", [6, 7, 8])
def test_both_products_of_oja_balance_at_the_norm_that_is_stated(signed: bool, norm: int) -> None:
    """At w = n e and a sample along e, what Hebb adds is what forgetting takes, as reals."""
    rule = f"oja(norm={norm})"
    made = compile(graph(6, 3), rule=rule, calibration=data(signed=signed))
    n, payload = made.report["norm.units"], 40.0
    y = n * payload / 2.0 ** dict(made.program.populations[0].constants)["shift"]
    hebb, _, forget, _ = made.rule.dw.products
    x1 = payload if signed else payload / 2
    gain = hebb.mantissa * 2.0 ** (hebb.exponent - hebb.shift) * x1 * y
    loss = -forget.mantissa * 2.0 ** (forget.exponent - forget.shift) * y * y * n
    assert n == 2.0**norm
    assert gain == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_the_answer_is_the_potential_of_the_units(rule: str) -> None:
    made = compile(graph(6, 3), rule=rule, calibration=data(signed=True))
    x = data(signed=True)[:5]
    weight = made.program.tensors["to_units.weight"].astype(np.int64)
    payload = made.coding.events(x)[:, 0]
    with Session(made, engine="reference") as session:
        assert np.array_equal(session.answers(x), payload @ weight.T)


@pytest.mark.parametrize("rule", RULES)
def test_nobody_teaches_and_labels_change_nothing(rule: str) -> None:
    made = compile(graph(6, 3), rule=rule, calibration=data(signed=True))
    x = data(signed=True)
    assert made.coding.teacher == ""
    weights = []
    for y in (None, np.zeros(len(x), np.int64)):
        with Session(made, engine="reference") as session:
            session.run(x, y, learn=True)
            weights.append(session.read("to_units.weight"))
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], made.program.tensors["to_units.weight"])


def test_the_threshold_of_bcm_is_the_mean_of_the_squared_output() -> None:
    made = compile(graph(6, 3), rule="bcm(goal=2, tau=3)", calibration=data(signed=True))
    machine = ReferenceEngine().open(made.program, rounding="independent")
    x = np.repeat(data(signed=True)[:1], 100, axis=0)
    found = machine.run(
        made.coding.inputs(x), samples=100, learn=False, probes=("units.s", "units.mean")
    ).values
    y, mean = found["units.s"][1::2], found["units.mean"][1::2]
    assert np.array_equal(mean[-1] >> 3, y[-1] ** 2 >> 2)
    assert np.array_equal(mean[0], y[0] ** 2 >> 2)
