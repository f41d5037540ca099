"""Lowering of spiking units that learn from errors: the program of each rule reads as designed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.lowering.spiking_error import gated_by_events
from hebbite.compiler.lowering.spiking_stage import RATE
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError, UsageError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.engines.registry import load_engine

SPIKING = Settings(neuron="lif", encode="rate", window=25)
Real = NDArray[np.float64]


def graph(*sizes: int) -> Graph:
    """Return a small rectified network with random weights."""
    rng = np.random.default_rng(5)
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors = {}
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        before = nodes[-1].outputs[0].name
        tensors[f"w{index}"] = rng.normal(0.1, inputs**-0.5, (outputs, inputs))
        tensors[f"b{index}"] = rng.normal(0, 0.1, outputs)
        pair = (("weight", TensorRef(f"w{index}")), ("bias", TensorRef(f"b{index}")))
        nodes.append(Node("linear", (before,), (Value(f"fc{index}", (outputs,)),), pair))
        if index < len(sizes) - 2:
            hidden = Value(f"hidden{index}", (outputs,))
            nodes.append(Node("relu", (nodes[-1].outputs[0].name,), (hidden,)))
    return Graph("net", tuple(nodes), tensors, (nodes[-1].outputs[0].name,))


def data(count: int = 60, size: int = 12) -> Real:
    return np.random.default_rng(1).random((count, size))


@pytest.mark.parametrize(
    ("name", "rule", "recurrent"),
    [
        ("eprop", "eprop", False),
        ("eprop-symmetric-recurrent", "eprop(feedback=symmetric)", True),
        ("eprop-filtered", "eprop-filtered", False),
        ("eprop-alif", "eprop-alif", True),
        ("emstdp", "emstdp", False),
        ("decolle", "decolle", False),
        ("frozen-spiking", "frozen", False),
    ],
)
def test_the_program_of_spiking_errors_reads_as_designed(
    name: str, rule: str, recurrent: bool, golden: Callable[[str], str]
) -> None:
    sizes = (6, 5, 3) if recurrent else (6, 5, 4, 3)
    made = compile(graph(*sizes), rule=rule, settings=replace(SPIKING, recurrent=recurrent))
    text = print_program(made.program)
    assert text.split("  neuron ")[0].rstrip() == golden(f"program/{name}")
    assert print_program(parse_program(text, made.program.tensors)) == text


@pytest.mark.parametrize("recurrent", [False, True])
def test_hidden_units_spike_at_the_wanted_rate_on_calibration_data(recurrent: bool) -> None:
    settings, x = replace(SPIKING, recurrent=recurrent), data()
    made = compile(graph(12, 10, 8, 3), rule="eprop", settings=settings, calibration=x)
    probes = ("hidden0.s", "hidden1.s")
    machine = load_engine("native").open(made.program, rounding="independent")
    found = machine.run(made.coding.inputs(x), samples=len(x), learn=False, probes=probes).values
    for probe in probes:
        spikes = found[probe].reshape(len(x), 26, -1)[:, 1:26]
        assert 0.8 * RATE < spikes.mean() < 1.2 * RATE  # the window is one step later here


def test_a_sample_forgets_the_one_before_and_answers_at_the_end_of_the_window() -> None:
    x = data(4)
    made = compile(graph(12, 10, 3), rule="eprop", settings=SPIKING, calibration=x)
    program = made.program
    assert (program.schedule.period, program.schedule.inference_end, program.epoch) == (26, 25, 1)
    machine = load_engine("native").open(program, rounding="independent")
    events = made.coding.inputs(x)["x"]
    both = machine.run({"x": events[:2]}, samples=2, learn=False, probes=("fc1.v",))
    fresh = load_engine("native").open(program, rounding="independent")
    alone = fresh.run({"x": events[1:2]}, samples=1, learn=False)
    assert np.array_equal(both.answers[1], alone.answers[0])
    assert np.array_equal(both.values["fc1.v"][24], both.answers[0])


@pytest.mark.parametrize("rule", ["delta(rate=-4)", "frozen(rate=-4, gated=true)"])
def test_graded_rules_of_the_readout_are_gated_by_events_at_the_same_size(rule: str) -> None:
    found = gated_by_events(parse_rule(rule).dw, 2)
    assert str(found) == "dw = 2^-5*y0*x1*y2 - 2^-5*y0*x1*y3"


def test_the_frozen_baseline_learns_at_the_readout_alone() -> None:
    x = data()
    y = np.arange(len(x)) % 3
    for rule in ("frozen(rate=-3)", "eprop(rate=-4, learns=readout)"):
        made = compile(graph(12, 10, 3), rule=rule, settings=SPIKING, calibration=x)
        machine = load_engine("native").open(made.program, rounding="independent")
        machine.run(made.coding.inputs(x, y), samples=len(x))
        before = made.program.tensors
        assert np.array_equal(machine.read("to_hidden0.weight"), before["to_hidden0.weight"])
        assert not np.array_equal(machine.read("to_fc1.weight"), before["to_fc1.weight"])


def test_values_with_a_sign_have_two_lines_and_minus_the_weight_on_the_second() -> None:
    x = data() - 0.5
    made = compile(graph(12, 10, 3), rule="eprop", settings=SPIKING, calibration=x)
    weight = made.program.tensors["to_hidden0.weight"]
    assert made.program.source("x").size == 24
    assert np.array_equal(weight[:, :12], -weight[:, 12:])
    events = made.coding.events(x).sum(axis=1)
    assert not (events[:, :12] * (x < 0)).any()
    assert not (events[:, 12:] * (x > 0)).any()
    assert events[:, 12:].any()


def test_a_series_is_shown_frame_after_frame() -> None:
    x = np.zeros((20, 5, 12))
    x[:, 2] = 1.0
    made = compile(graph(12, 10, 3), rule="eprop", settings=SPIKING, calibration=x)
    events = made.coding.events(x)
    assert events.shape == (20, 25, 12)
    assert 0.4 < events[:, 10:15].mean() < 0.6
    assert events.sum() == events[:, 10:15].sum()


def test_a_series_longer_than_the_window_is_refused() -> None:
    with pytest.raises(UsageError, match="HB0133"):
        compile(graph(12, 10, 3), rule="eprop", settings=SPIKING, calibration=np.ones((3, 26, 12)))


def test_copied_feedback_reaches_one_hidden_population_only() -> None:
    with pytest.raises(UnsupportedError, match="HB0415"):
        compile(graph(6, 5, 4, 3), rule="eprop(feedback=symmetric)", settings=SPIKING)


def test_learning_needs_a_step_of_the_window_before_it() -> None:
    with pytest.raises(UnsupportedError, match="HB0416"):
        compile(graph(6, 5, 3), rule="eprop(steps=25)", settings=SPIKING)


@pytest.mark.parametrize("settings", [Settings(recurrent=True), replace(SPIKING, recurrent=True)])
def test_recurrence_is_refused_by_name_where_no_error_is_learnt_from(settings: Settings) -> None:
    rule = "dfa" if settings.neuron == "graded" else "stdp"
    with pytest.raises(UnsupportedError, match="HB0417") as caught:
        compile(graph(6, 5, 3), rule=rule, settings=settings)
    assert "--rule eprop" in caught.value.problems[0].hint
