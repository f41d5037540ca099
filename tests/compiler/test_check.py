"""Rule, network, objective and chip are held together before anything is converted."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hebbite.compiler.check import problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule

SPIKING = Settings(neuron="lif", encode="rate")


def graph(*, head: str = "", last: str = "linear", hidden: str = "relu") -> Graph:
    """Return 4-3-2 with hidden units between, and whatever comes last."""
    rng = np.random.default_rng(0)
    nodes = [
        Node("input", (), (Value("x", (4,)),)),
        Node("linear", ("x",), (Value("a", (3,)),), (("weight", TensorRef("w0")),)),
        Node(hidden, ("a",), (Value("h", (3,)),)),
        Node("linear", ("h",), (Value("o", (2,)),), (("weight", TensorRef("w1")),)),
    ]
    output = "o"
    if last != "linear":
        nodes.append(Node(last, ("o",), (Value("z", (2,)),)))
        output = "z"
    tensors = {"w0": rng.normal(size=(3, 4)), "w1": rng.normal(size=(2, 3))}
    return Graph("net", tuple(nodes), tensors, (output,), head)


def single(*, bias: float | None = None) -> Graph:
    """Return 4-3 without hidden units, with or without a bias."""
    weight = (("weight", TensorRef("w")),)
    more = () if bias is None else (("bias", TensorRef("b")),)
    nodes = (
        Node("input", (), (Value("x", (4,)),)),
        Node("linear", ("x",), (Value("o", (3,)),), (*weight, *more)),
    )
    tensors = {"w": np.random.default_rng(0).normal(size=(3, 4))}
    if bias is not None:
        tensors["b"] = np.full(3, bias)
    return Graph("net", nodes, tensors, ("o",))


def found(
    rule: str,
    settings: Settings | None = None,
    *,
    objective: str = "classification",
    of: Graph | None = None,
) -> tuple[Problem, ...]:
    """Return what is wrong with a request."""
    network = of or graph()
    goal = parse_objective(objective)
    return problems_of_request(network, parse_rule(rule), goal, settings or Settings())


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


@pytest.mark.parametrize(
    "rule",
    [
        "delta",
        "frozen",
        "dfa",
        "fa",
        "backprop",
        "sign-symmetric",
        "kolen-pollack",
        "node-perturbation",
    ],
)
def test_a_graded_rule_on_loihi_2_is_fine(rule: str) -> None:
    assert found(rule) == ()


def test_prototypes_and_a_readout_are_a_network_of_two_stages() -> None:
    assert found("instar") == found("clp") == ()
    assert codes(found("clp", of=single())) == ["HB0403"]
    assert found("instar", of=single()) == ()


@pytest.mark.parametrize("rule", ["oja", "bcm"])
def test_a_population_that_learns_alone_has_one_stage(rule: str) -> None:
    assert found(rule, of=single()) == ()
    (problem,) = found(rule)
    assert problem.code == "HB0403"
    assert "does not serve 4-3-2; it takes input -> linear" in problem.what


@pytest.mark.parametrize("rule", ["oja", "bcm"])
def test_a_bias_that_a_rule_has_no_use_for_is_refused(rule: str) -> None:
    (problem,) = found(rule, of=single(bias=0.5))
    assert (problem.code, problem.hint) == (
        "HB0403",
        "take it out of the model, or start anew: --init random",
    )
    assert found(rule, of=single(bias=0.0)) == ()
    assert found(rule, Settings(init="random"), of=single(bias=0.5)) == ()


@pytest.mark.parametrize("rule", ["instar", "clp"])
def test_prototypes_take_rectified_units_and_learn_classes(rule: str) -> None:
    assert codes(found(rule, of=graph(hidden="tanh"))) == ["HB0403"]
    assert codes(found(rule, objective="regression")) == ["HB0407"]
    assert codes(found(rule, SPIKING)) == ["HB0403"]
    assert "HB0404" in codes(found(rule, Settings(target="loihi1")))


@pytest.mark.parametrize("target", ["loihi1", "loihi2", "ideal"])
def test_spike_timing_runs_on_every_chip(target: str) -> None:
    settings = Settings(neuron="lif", encode="rate", target=target)
    assert found("stdp", settings) == ()


@pytest.mark.parametrize(
    "rule", ["dfa", "fa", "backprop", "sign-symmetric", "kolen-pollack", "node-perturbation"]
)
def test_a_graded_rule_for_loihi_1_lacks_payloads_and_written_traces(rule: str) -> None:
    problems = found(rule, Settings(target="loihi1"))
    assert codes(problems) == ["HB0404", "HB0404"]
    assert "sends bare spikes" in problems[0].what
    assert "write y1..y3" in problems[1].what
    assert all("loihi2" in problem.hint for problem in problems)


def test_spike_timing_on_graded_units_says_which_units_it_serves() -> None:
    (problem,) = found("stdp")
    assert problem.code == "HB0403"
    assert "only spiking" in problem.what
    assert problem.hint == "--neuron lif --encode rate"


def test_a_graded_rule_on_spiking_units_says_which_units_it_serves() -> None:
    (problem,) = found("dfa", SPIKING)
    assert problem.code == "HB0403"
    assert "only graded" in problem.what
    assert problem.hint == "--neuron graded --encode none"


@pytest.mark.parametrize("settings", [None, SPIKING, Settings(target="loihi1")])
def test_backprop_through_time_runs_on_no_chip_and_says_why(settings: Settings | None) -> None:
    (problem,) = found("bptt", settings)
    assert problem.code == "HB0402"
    assert "w_next and delta_next" in problem.what


def test_units_and_code_of_the_inputs_must_fit() -> None:
    assert codes(found("stdp", Settings(neuron="lif"))) == ["HB0406"]
    assert codes(found("dfa", Settings(encode="rate"))) == ["HB0406"]


@pytest.mark.parametrize("head", ["softmax", "log_softmax"])
def test_regression_refuses_the_head_of_a_classifier(head: str) -> None:
    (problem,) = found("dfa", objective="regression", of=graph(head=head))
    assert problem.code == "HB0407"
    assert head in problem.what
    assert found("dfa", of=graph(head=head)) == ()
    assert found("dfa", objective="regression") == ()


def test_a_reward_needs_a_right_class_and_time_to_be_heard() -> None:
    assert found("r-stdp", SPIKING) == ()
    (problem,) = found("r-stdp", SPIKING, objective="regression")
    assert (problem.code, problem.hint) == ("HB0408", "--objective classification")
    short = Settings(neuron="lif", encode="rate", window=3)
    assert codes(found("r-stdp", short, objective="regression")) == ["HB0408", "HB0408"]
    assert found("stdp", short, objective="regression") == ()


def test_a_reward_on_loihi_1_lacks_written_traces() -> None:
    settings = Settings(neuron="lif", encode="rate", target="loihi1")
    assert codes(found("r-stdp", settings)) == ["HB0404"]


def test_everything_that_is_wrong_is_listed_at_once() -> None:
    settings = Settings(encode="rate", target="loihi1")
    of = graph(head="softmax", last="sigmoid")
    problems = found("stdp", settings, objective="regression", of=of)
    assert codes(problems) == ["HB0405", "HB0403", "HB0404", "HB0406", "HB0407"]


def test_compile_refuses_with_the_same_list() -> None:
    with pytest.raises(UnsupportedError) as caught:
        compile(graph(), rule="dfa", settings=Settings(target="loihi1"))
    assert caught.value.problems == found("dfa", Settings(target="loihi1"))
    assert re.search("HB0404", str(caught.value))


def recurrent() -> Graph:
    """Return 4-3-2 whose rectified population hears itself one step late."""
    nodes = (
        Node("input", (), (Value("x", (4,)),)),
        Node("linear", ("x",), (Value("a", (3,)),), (("weight", TensorRef("w0")),)),
        Node("delay", ("h",), (Value("late", (3,)),), (("steps", 1),)),
        Node("linear", ("late",), (Value("again", (3,)),), (("weight", TensorRef("u")),)),
        Node("add", ("a", "again"), (Value("sum", (3,)),)),
        Node("relu", ("sum",), (Value("h", (3,)),)),
        Node("linear", ("h",), (Value("o", (2,)),), (("weight", TensorRef("w1")),)),
    )
    rng = np.random.default_rng(0)
    shapes = {"w0": (3, 4), "u": (3, 3), "w1": (2, 3)}
    tensors = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return Graph("net", nodes, tensors, ("o",))


def test_a_population_that_hears_itself_is_refused_by_name_on_graded_units() -> None:
    of = recurrent()
    for rule, settings in (("dfa", None), ("stdp", SPIKING)):
        (problem,) = found(rule, settings, of=of)
        assert problem.code == "HB0417"
        assert problem.at == "%h"
        assert problem.hint == "--neuron lif --encode rate --rule eprop"
    assert found("eprop", SPIKING, of=of) == ()
