from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.graph_text import parse
from hebbite.compiler.graph_verify import find_problems, verify
from hebbite.rules.errors import InputFileError, UnsupportedError, UsageError, VerifyError

W1 = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
B1 = np.array([0.5, -4.0, 0.0], dtype=np.float32)
TEXT = """
graph @net {
  %x   = input {shape=[4], kind=real}            : real[4]
  %fc1 = linear(%x) {weight=@w1, bias=@b1}       : real[3]  from "net.onnx, node 'fc1'"
  # a comment
  %out = relu(%fc1) : real[3]
  return %out {head=softmax}
}
"""


def net() -> Graph:
    return parse(TEXT, {"w1": W1, "b1": B1})


def codes(text: str, **tensors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[str]:
    return [problem.code for problem in find_problems(parse(text, tensors))]


def test_a_text_parses_into_the_nodes_that_it_shows() -> None:
    graph = net()
    verify(graph)
    assert graph.nodes[1] == Node(
        "linear",
        ("x",),
        (Value("fc1", (3,)),),
        (("weight", TensorRef("w1")), ("bias", TensorRef("b1"))),
        "net.onnx, node 'fc1'",
    )
    assert (graph.inputs, graph.outputs, graph.head) == ((Value("x", (4,)),), ("out",), "softmax")
    assert parse(str(graph), graph.tensors) == graph


def test_the_builder_computes_shapes_and_numbers_repeated_names() -> None:
    build = GraphBuilder("net")
    x = build.add("input", name="x", attributes={"shape": (2, 2)})
    flat = build.add("flatten", (x,))
    one = build.add("linear", (flat,), name="fc", attributes={"weight": W1, "bias": B1})
    two = build.add("relu", (one,), name="fc")
    graph = build.graph((two,))
    verify(graph)
    assert two == "fc_2"
    assert graph.values["fc_2"].type == "real[3]"
    assert set(graph.tensors) == {"fc.weight", "fc.bias"}


def test_the_builder_refuses_what_does_not_fit() -> None:
    build = GraphBuilder("net")
    x = build.add("input", name="x", attributes={"shape": (5,)})
    with pytest.raises(VerifyError, match="cannot read"):
        build.add("linear", (x,), attributes={"weight": W1})
    with pytest.raises(UsageError, match="did you mean 'linear'"):
        build.add("linaer", (x,))
    with pytest.raises(UsageError, match="%y is not defined"):
        build.add("relu", ("y",))


def test_tensors_of_a_graph_cannot_be_changed_by_anybody() -> None:
    weight = W1.copy()
    graph = parse(TEXT, {"w1": weight, "b1": B1})
    weight[0, 0] = 99
    assert graph == net()
    with pytest.raises(ValueError, match="read-only"):
        graph.tensors["w1"][0, 0] = 1
    with pytest.raises(TypeError):
        graph.tensors["w1"] = weight  # type: ignore[index] # the mapping is read-only by design


def test_graphs_are_equal_only_with_equal_arrays() -> None:
    assert net() != parse(TEXT, {"w1": W1 + 1, "b1": B1})
    assert net() != parse(TEXT, {"w1": W1.astype(np.float64), "b1": B1})
    assert net() != parse(TEXT, {"w1": W1})
    assert hash(net()) == hash(net())
    assert net() != "net"


def test_a_graph_survives_copying() -> None:
    assert copy.deepcopy(net()) == net()
    assert pickle.loads(pickle.dumps(net())) == net()


def test_evaluate_gives_every_value_of_a_batch() -> None:
    x = np.ones((2, 4))
    values = evaluate(net(), x)
    np.testing.assert_allclose(values["fc1"], x @ W1.T + B1)
    np.testing.assert_allclose(values["out"], np.maximum(values["fc1"], 0))
    np.testing.assert_array_equal(evaluate(net(), {"x": x})["out"], values["out"])


def test_evaluate_takes_samples_as_rows_whatever_their_shape() -> None:
    build = GraphBuilder("net")
    x = build.add("input", name="x", attributes={"shape": (2, 2)})
    graph = build.graph((build.add("flatten", (x,)),))
    flat = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(evaluate(graph, flat)["flatten"], flat)
    np.testing.assert_array_equal(evaluate(graph, flat.reshape(2, 2, 2))["flatten"], flat)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.ones((2, 5)), r"expected \(samples, 4\)"),
        ({"y": np.ones((2, 4))}, "no input 'y'"),
        ({}, "no array for the input 'x'"),
        (np.float64(3), "has the shape"),
    ],
)
def test_evaluate_refuses_inputs_that_do_not_fit(inputs: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(net(), inputs)  # type: ignore[arg-type] # the point of the test


def test_nodes_come_in_an_order_that_can_be_computed() -> None:
    text = """graph @g {
      %b = relu(%a) : real[4]
      %a = input {shape=[4]} : real[4]
      return %b
    }"""
    graph = parse(text)
    verify(graph)
    assert [node.names for node in graph.ordered()] == ["%a", "%b"]
    np.testing.assert_array_equal(evaluate(graph, -np.ones((1, 4)))["b"], np.zeros((1, 4)))


def test_a_cycle_needs_a_delay() -> None:
    text = """graph @g {
      %x = input {shape=[3], time=step} : real[3] per step
      %s = add(%x, %d) : real[3] per step
      %d = DELAY(%s) : real[3] per step
      return %s
    }"""
    delayed = parse(text.replace("DELAY(%s)", "delay(%s) {steps=1}"))
    verify(delayed)
    with pytest.raises(UnsupportedError, match="cycle"):
        evaluate(delayed, np.ones((1, 3)))
    with pytest.raises(VerifyError, match="HB0305: a cycle without delay: %s, %d"):
        verify(parse(text.replace("DELAY", "relu")))


def test_verify_lists_every_problem_at_once() -> None:
    text = """graph @g {
      %x = input {shape=[4]} : real[4]
      %a = linaer(%x) : real[3]
      %b = relu(%z) : real[3]
      %c = relu(%x) {slope=1, slope=2} : real[5]
      %c = linear(%x) {weight=@w} : real[3]
      return %nothing {head=sotfmax}
    }"""
    assert codes(text, u=np.array([np.nan], dtype=np.float32)) == [
        "HB0302", "HB0302", "HB0301", "HB0302", "HB0303", "HB0304", "HB0304", "HB0306", "HB0302",
        "HB0308",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("%y = linear(%x) {weight=@w, bias=@b} : real[4]", "%y is real\\[4\\], but linear gives"),
        ("%y = linear(%x) {weight=@b} : real[3]", "must have two axes"),
        ("%y = linear(%x) {weight=@w, bias=@w} : real[3]", "does not fit a weight"),
        ("%y = linear(%x) {weight=w} : real[3]", "must name a tensor"),
        ("%y = linear(%x) : real[3]", "needs the attribute 'weight'"),
        ("%y = linear(%x, %x) {weight=@w} : real[3]", "takes 1 inputs, not 2"),
        ("%y = reshape(%x) {shape=[3]} : real[3]", "4 elements do not fill"),
        ("%y = reshape(%x) {shape=4} : real[4]", "must be a list of sizes"),
        ("%y = scale(%x) : real[4]", "'scale', 'bias' or both"),
        ("%y = scale(%x) {bias=@b} : real[4]", "cannot act on"),
        ("%y = delay(%x) {steps=0} : real[4]", "at least 1 step"),
        ("%y = delay(%x) {steps=one} : real[4]", "must be an integer"),
        ("%y = input {shape=[4], kind=complex} : real[4]", "kind is one of"),
        ("%y = input {shape=[4], kind=3} : real[4]", "must be a word"),
        ("%y, %z = relu(%x) : real[4], real[4]", "has 1 outputs, not 2"),
        ("%y = relu(%x) : spike[4]", "%y is spike\\[4\\], but relu gives real\\[4\\]"),
    ],
)
def test_verify_says_what_is_wrong_with_a_node(node: str, message: str) -> None:
    text = f"graph @g {{\n %x = input {{shape=[4]}} : real[4]\n {node}\n return %y\n}}"
    with pytest.raises(VerifyError, match=message):
        verify(parse(text, {"w": W1, "b": B1}))


def test_verify_names_the_node_of_the_users_file() -> None:
    with pytest.raises(VerifyError) as caught:
        verify(parse(TEXT, {"w1": W1 + np.float32(np.inf), "b1": B1}))
    (problem,) = caught.value.problems
    assert problem.code == "HB0306"
    assert problem.origin == "net.onnx, node 'fc1'"
    assert problem.at.startswith("%fc1 = linear(%x)")


def test_spikes_stay_spikes_where_nothing_is_computed() -> None:
    text = """graph @g {
      %x = input {shape=[2, 2], kind=spike, time=step} : spike[2, 2] per step
      %y = flatten(%x) : spike[4] per step
      %z = linear(%y) {weight=@w} : real[3] per step
      return %z
    }"""
    verify(parse(text, {"w": W1}))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "graph net {\n return %x\n}",
        "graph @g {\n return %x",
        "graph @g {\n %x = relu(%y)\n return %x\n}",
        "graph @g {\n %x = relu(%y) : real[3\n return %x\n}",
        "graph @g {\n %x, %y = relu(%y) : real[3]\n return %x\n}",
        "graph @g {\n %x = relu(%y) {a=} : real[3]\n return %x\n}",
        "graph @g {\n %x = relu(%y) {a=[x]} : real[3]\n return %x\n}",
        "graph @g {\n %x = relu(%y) {a=-} : real[3]\n return %x\n}",
        'graph @g {\n %x = relu(%y) : real[3] from "\\x"\n return %x\n}',
        "graph @g {\n return %x {tail=softmax}\n}",
        f"graph @g {{\n %x = relu(%y){' ' * 20_000} : real[3]\n return %x\n}}",
    ],
)
def test_text_that_cannot_be_read_is_shown_with_its_line(broken: str) -> None:
    with pytest.raises(InputFileError, match="HB0210") as caught:
        parse(broken, origin="g.graph")
    assert "g.graph, line" in str(caught.value)
