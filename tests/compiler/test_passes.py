from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.graph_text import parse
from hebbite.compiler.passes import CLEAN_UP, DropIdentity, MergeScale, SeparateHead, run_passes
from hebbite.compiler.passes.base import Pass
from hebbite.rules.errors import VerifyError

RNG = np.random.default_rng(1)


def net() -> Graph:
    """Everything that the passes look for, in one chain."""
    build = GraphBuilder("net")
    last = build.add("input", name="x", attributes={"shape": (2, 2)})
    scale = {"scale": RNG.normal(size=(2, 2)), "bias": RNG.normal(size=(2, 2))}
    last = build.add("scale", (last,), attributes=scale)
    last = build.add("identity", (last,))
    last = build.add("flatten", (last,))
    last = build.add("reshape", (last,), attributes={"shape": (4,)})
    fc1 = {"weight": RNG.normal(size=(3, 4)).astype(np.float32)}
    last = build.add("linear", (last,), name="fc1", attributes=fc1)
    last = build.add("scale", (last,), attributes={"bias": RNG.normal(size=3)})
    last = build.add("scale", (last,), attributes={"scale": RNG.normal(size=3)})
    last = build.add("dropout", (build.add("relu", (last,)),))
    fc2 = {"weight": RNG.normal(size=(2, 3)), "bias": RNG.normal(size=2)}
    last = build.add("linear", (last,), name="fc2", attributes=fc2)
    last = build.add("identity", (build.add("sigmoid", (last,)),))
    return build.graph((last,))


def test_clean_up_leaves_a_chain_of_linear_ops_that_computes_the_same() -> None:
    before, x = net(), RNG.normal(size=(5, 2, 2))
    after = run_passes(before, CLEAN_UP)
    assert [n.op for n in after.nodes] == ["input", "flatten", "linear", "relu", "linear"]
    assert after.head == "sigmoid"
    assert set(after.tensors) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}
    right = evaluate(before, x)[before.outputs[0]]
    ours = 1 / (1 + np.exp(-evaluate(after, x)[after.outputs[0]]))
    np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("one", CLEAN_UP, ids=lambda one: one.name)
def test_a_pass_twice_is_the_pass_once(one: Pass) -> None:
    once = run_passes(net(), [one])
    assert run_passes(once, [one]) == once


def test_arrays_that_two_nodes_share_are_not_overwritten() -> None:
    text = """graph @g {
      %x = input {shape=[2]} : real[2]
      %s = scale(%x) {scale=@a} : real[2]
      %f = linear(%s) {weight=@f.weight} : real[2]
      %r = relu(%f) : real[2]
      %g = linear(%r) {weight=@f.weight} : real[2]
      return %g
    }"""
    graph = parse(text, {"a": np.array([2.0, 3.0]), "f.weight": np.eye(2)})
    merged = run_passes(graph, [MergeScale()])
    np.testing.assert_array_equal(merged.tensors["f.weight"], np.eye(2))
    np.testing.assert_array_equal(evaluate(merged, np.ones((1, 2)))["g"], [[2.0, 3.0]])


def test_a_sigmoid_between_linear_ops_is_no_head() -> None:
    text = """graph @g {
      %x = input {shape=[2]} : real[2]
      %s = sigmoid(%x) : real[2]
      return %s
    }"""
    assert SeparateHead().apply(parse(text)) == parse(text)


def test_a_value_that_is_read_twice_keeps_its_head_and_its_scale() -> None:
    text = """graph @g {
      %x = input {shape=[2]} : real[2]
      %s = scale(%x) {scale=@a} : real[2]
      %p = softmax(%s) : real[2]
      %y = add(%s, %p) : real[2]
      return %y
    }"""
    graph = parse(text, {"a": np.ones(2)})
    assert run_passes(graph, CLEAN_UP) == graph


def test_dropping_follows_the_value_that_is_returned() -> None:
    text = """graph @g {
      %x = input {shape=[2]} : real[2]
      %a = identity(%x) : real[2]
      %b = identity(%a) : real[2]
      return %b
    }"""
    assert run_passes(parse(text), [DropIdentity()]).outputs == ("x",)


@dataclass(frozen=True)
class _Break(Pass):
    name: ClassVar[str] = "break_it"

    def apply(self, graph: Graph) -> Graph:
        return replace(graph, outputs=("nothing",))


def test_a_verifier_error_names_the_pass_and_the_caller_sees_each_graph() -> None:
    seen: list[str] = []
    with pytest.raises(VerifyError, match="after pass 'break_it': %nothing is returned"):
        run_passes(net(), [*CLEAN_UP, _Break()], after=lambda name, graph: seen.append(name))
    assert seen == ["drop_identity", "merge_scale", "merge_conv", "separate_head"]


def test_a_broken_graph_is_refused_before_any_pass() -> None:
    with pytest.raises(VerifyError, match="HB0302: %nothing"):
        run_passes(_Break().apply(net()), [])
