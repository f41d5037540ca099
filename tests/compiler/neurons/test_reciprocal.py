"""What both ends of a feedback synapse that learns say, on every value that they can hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.neuron import Registers, execute, new_registers
from hebbite.compiler.arithmetic.synapse import half_payload
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.reciprocal import resending_signal, showing_activity
from hebbite.compiler.program.neuron import NeuronProgram, check_neuron, parse_neuron

Long = NDArray[np.int64]
PERIOD = 4
HIDDEN = ("relu", "sigmoid", "tanh")
UNIT = {"shift": 0, "feedback_shift": 0, "fire": 2, "feedback": 3}
OUTPUT = {"shift": 0, "margin": 12, "error_shift": 0, "fire": 2}


def nothing(instruction: int, bits: int) -> Long:
    raise AssertionError("these units draw nothing")


def run(
    neuron: NeuronProgram, constants: dict[str, int], *, a: Long, third: Long
) -> list[dict[str, Long]]:
    """Return the registers after each step of a sample: ``a`` arrives at 2, ``third`` always."""
    bound = neuron.bind(constants, period=PERIOD)
    registers: Registers = new_registers(bound, a.size)
    tables = {
        "activation": np.linspace(*((-63, 63) if "tanh" in neuron.name else (0, 254)), 256),
        "slope": np.linspace(0, 127, 256),
    }
    steps = []
    for offset in range(1, PERIOD + 1):
        registers["a"] = a if offset == 2 else np.zeros_like(a)
        registers["third"] = third
        whole = {name: table.round().astype(np.int64) for name, table in tables.items()}
        execute(bound, registers, offset=offset, tables=whole, random=nothing)
        steps.append(dict(registers))
    return steps


@pytest.mark.parametrize("name", HIDDEN)
def test_y1_is_what_the_trace_of_the_forward_synapse_holds(name: str) -> None:
    signed = name == "tanh"
    v = np.arange(-200, 400)
    neuron = showing_activity(NEURONS[name], signed=signed)
    steps = run(neuron, UNIT, a=v, third=np.zeros_like(v))
    traced = half_payload(steps[-1]["s"] if signed else steps[1]["s"])
    assert len(np.unique(traced)) > 100
    assert not steps[0]["y1"].any()
    for after in steps[1:]:
        assert np.array_equal(after["y1"], traced)


@pytest.mark.parametrize("name", [*HIDDEN, "error"])
def test_the_learning_payload_leaves_the_signal_in_the_trace_or_is_not_sent(name: str) -> None:
    third = np.arange(-300, 301)
    output = name == "error"
    neuron = resending_signal(NEURONS[name])
    drive = np.full_like(third, 127 if output else 60)
    steps = run(neuron, OUTPUT if output else UNIT, a=drive, third=third)
    sent, last = steps[1 if output else 2]["e"], steps[-1]
    signal = last["y2"] - last["y3"]
    assert set(signal) == set(range(-63, 64)) - (set(range(-11, 12)) - {0} if output else set())
    assert np.array_equal(last["e"] != 0, sent != 0)
    assert np.array_equal(half_payload(last["e"])[sent != 0] - 64, signal[sent != 0])
    assert not signal[sent == 0].any()


def test_a_message_whose_signal_is_nothing_is_told_as_nothing() -> None:
    third = np.array([61 + 30, 61 - 30])
    coarse = {**OUTPUT, "error_shift": 7}
    steps = run(resending_signal(NEURONS["error"]), coarse, a=np.full(2, 60), third=third)
    assert steps[1]["e"].tolist() == [30, -30]
    assert steps[-1]["e"].tolist() == [128, 128]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_program_with_more_to_say_is_lawful_and_prints_and_parses_back(name: str) -> None:
    plain = str(NEURONS[name])
    both = resending_signal(showing_activity(NEURONS[name], signed=name == "tanh"))
    assert check_neuron(both) == ()
    assert parse_neuron(str(both)) == both
    assert str(NEURONS[name]) == plain
