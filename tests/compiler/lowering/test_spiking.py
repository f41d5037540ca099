"""Lowering of spiking networks: thresholds give the wanted rate, the program reads as designed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.lowering.spiking import RATE
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.settings import Settings
from hebbite.runtime.engines.registry import load_engine

SPIKING = Settings(neuron="lif", encode="rate", window=25)


def graph(*sizes: int) -> Graph:
    """Return a small rectified network with random weights."""
    rng = np.random.default_rng(5)
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors = {}
    previous = "x"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        tensors[f"w{index}"] = rng.normal(0.3, inputs**-0.5, (outputs, inputs))
        tensors[f"b{index}"] = rng.normal(0, 0.1, outputs)
        pair = (("weight", TensorRef(f"w{index}")), ("bias", TensorRef(f"b{index}")))
        value = Value(f"fc{index}", (outputs,))
        nodes.append(Node("linear", (previous,), (value,), pair))
        previous = value.name
        if index < len(sizes) - 2:
            nodes.append(Node("relu", (previous,), (Value(f"hidden{index}", (outputs,)),)))
            previous = f"hidden{index}"
    return Graph("net", tuple(nodes), tensors, (previous,))


def data(count: int = 60, size: int = 12) -> NDArray[np.float64]:
    return np.random.default_rng(1).random((count, size))


@pytest.mark.parametrize("rule", ["stdp", "triplet-stdp", "soft-bound-stdp", "r-stdp"])
def test_the_program_of_spike_timing_reads_as_designed(
    rule: str, golden: Callable[[str], str]
) -> None:
    made = compile(graph(6, 5, 4, 3), rule=rule, settings=SPIKING)
    text = print_program(made.program)
    assert text.split("  neuron ")[0].rstrip() == golden(f"program/{rule}")
    assert print_program(parse_program(text, made.program.tensors)) == text


@pytest.mark.parametrize("sizes", [(12, 10, 3), (12, 16, 8, 4)])
def test_thresholds_give_the_wanted_rate_on_calibration_data(sizes: tuple[int, ...]) -> None:
    x = data()
    made = compile(graph(*sizes), rule="stdp", settings=SPIKING, calibration=x)
    probes = tuple(f"{population.name}.s" for population in made.program.populations)
    machine = load_engine("native").open(made.program, rounding="independent")
    rest, events = machine.state(), made.coding.events(x)
    spikes = dict.fromkeys(probes, 0)
    for event in events:  # thresholds are found from rest, every sample on its own
        machine.restore(rest)
        found = machine.run({"x": event[None]}, samples=1, learn=False, probes=probes).values
        spikes = {probe: count + int(found[probe].sum()) for probe, count in spikes.items()}
    for population in made.program.populations:
        rate = spikes[f"{population.name}.s"] / (len(x) * 25 * population.size)
        assert 0.95 * RATE < rate <= RATE, population.name


def test_a_threshold_one_lower_gives_more_spikes_than_wanted() -> None:
    x = data()
    made = compile(graph(12, 10), rule="stdp", settings=SPIKING, calibration=x)
    (cells,) = made.program.populations
    constants = dict(cells.constants)
    assert constants["threshold"] % 64 == 0
    lower = tuple((constants | {"threshold": constants["threshold"] - 64}).items())
    program = replace(made.program, populations=(replace(cells, constants=lower),))
    machine = load_engine("native").open(program, rounding="independent")
    rest, spikes = machine.state(), 0
    for event in made.coding.events(x):
        machine.restore(rest)
        found = machine.run({"x": event[None]}, samples=1, learn=False)
        spikes += int(found.answers.sum())
    assert spikes > RATE * len(x) * 25 * cells.size


@pytest.mark.parametrize("target", ["loihi1", "loihi2", "ideal"])
def test_spike_timing_compiles_and_learns_on_every_chip(target: str) -> None:
    settings = Settings(neuron="lif", encode="rate", window=25, target=target)
    x = data(20)
    made = compile(graph(12, 10, 3), rule="stdp(up=1, down=1)", settings=settings, calibration=x)
    assert made.program.target == target
    machine = load_engine("native").open(made.program, rounding="independent")
    machine.run(made.coding.inputs(x), samples=len(x))
    for group in made.program.synapses:
        assert not group.graded
        assert (machine.read(group.weight) != made.program.tensors[group.weight]).mean() > 0.2


def test_the_sample_is_the_window_and_answers_are_spike_counts() -> None:
    x = data(5)
    made = compile(graph(12, 10, 3), rule="stdp", settings=SPIKING, calibration=x)
    program = made.program
    assert (program.schedule.period, program.schedule.inference_end, program.epoch) == (25, 25, 1)
    assert program.readout.count
    assert made.coding.teacher == ""
    assert not program.wires
    machine = load_engine("native").open(program, rounding="independent")
    found = machine.run(made.coding.inputs(x), samples=5, learn=False, probes=("fc1.s",))
    assert found.answers.tolist() == found.values["fc1.s"].reshape(5, 25, 3).sum(axis=1).tolist()


def test_weights_are_even_and_within_the_word_and_biases_stand_in_a_table() -> None:
    program = compile(graph(12, 10, 3), rule="stdp", settings=SPIKING, calibration=data()).program
    for group in program.synapses:
        weight = program.tensors[group.weight]
        assert not (weight % 2).any()
        assert np.abs(weight).max() <= 254
    for population in program.populations:
        assert not (program.tensors[f"{population.name}.bias"] % 64).any()
        assert dict(population.tables) == {"bias": f"{population.name}.bias"}
