"""Graphs as chains of stages, and the one cycle that a chain may have."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_text import parse
from hebbite.compiler.graph_verify import verify
from hebbite.compiler.lowering.chain import network_of
from hebbite.rules.errors import UnsupportedError

RECURRENT = """graph @recurrent {
  %x     = input {shape=[3], kind=real}             : real[3]
  %late  = delay(%h) {steps=1}                      : real[4]
  %again = linear(%late) {weight=@u, bias=@c}       : real[4]
  %fc    = linear(%x) {weight=@w, bias=@b}          : real[4]
  %sum   = add(%fc, %again)                         : real[4]
  %h     = relu(%sum)                               : real[4]
  %out   = linear(%h) {weight=@v}                   : real[2]
  return %out
}"""
TENSORS = {
    "w": np.arange(12.0).reshape(4, 3),
    "u": np.arange(16.0).reshape(4, 4),
    "b": np.ones(4),
    "c": np.full(4, 2.0),
    "v": np.ones((2, 4)),
}


def graph(text: str = RECURRENT) -> Graph:
    made = parse(text, TENSORS)
    verify(made)
    return made


@pytest.mark.parametrize("swapped", [False, True])
def test_a_delayed_sum_before_an_activation_is_a_recurrent_stage(swapped: bool) -> None:
    text = RECURRENT.replace("%fc, %again", "%again, %fc") if swapped else RECURRENT
    network = network_of(graph(text))
    hidden, out = network.stages
    assert network.is_recurrent
    assert (hidden.name, hidden.synapses, hidden.activation) == ("h", "to_h", "relu")
    assert hidden.recurrent is not None
    assert np.array_equal(hidden.weight, TENSORS["w"])
    assert np.array_equal(hidden.recurrent, TENSORS["u"])
    assert np.array_equal(hidden.bias, np.full(4, 3.0))
    assert (out.name, out.recurrent) == ("out", None)
    assert (network.input_name, network.input_size) == ("x", 3)


def test_a_longer_delay_is_refused_with_the_form_that_is_known() -> None:
    with pytest.raises(UnsupportedError, match="HB0405") as error:
        network_of(graph(RECURRENT.replace("steps=1", "steps=2")))
    refused = {problem.at.split(" = ")[0] for problem in error.value.problems}
    assert {"%late", "%sum"} <= refused
    assert all("steps=1" in p.hint for p in error.value.problems if "add" in p.what)


def test_an_activation_that_somebody_else_reads_too_is_a_branch() -> None:
    text = RECURRENT.replace("return %out", "%more  = relu(%h) : real[4]\n  return %out")
    with pytest.raises(UnsupportedError, match="branches cannot be lowered"):
        network_of(graph(text))
