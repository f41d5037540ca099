"""Ranges are proven: what can leave its word is refused, and what runs stays within the proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler.compile import compile
from hebbite.compiler.neurons.reciprocal import resending_signal, showing_activity
from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.ranges import hull, range_problems, ranges_of
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.compiler.program.verify import problems_of
from hebbite.compiler.settings import Settings
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import all_probes, is_epoch_probe

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)


def with_neuron(program: Program, text: str) -> Program:
    """Return the program with its hidden units executing another text."""
    hidden = replace(program.populations[0], neuron=parse_neuron(text))
    return replace(program, populations=(hidden, *program.populations[1:]))


HEAD = "neuron odd(shift, feedback_shift, fire, feedback) {\n state v\n"


def test_a_sound_program_is_proven(program: Program) -> None:
    assert not list(range_problems(program))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("always\n v = add v, a", "'v = add v, a' can reach"),
        ("at 1\n y2 = mov 0\n at fire\n y2 = mov a", "into y2, which holds 0..127"),
        ("at 1\n y3 = mov 0\n at fire\n y3 = mov -1", "can write -1..0 into y3"),
        ("at fire\n s = mov a", "the last payload of %hidden"),
        ("at fire\n v = mov 1\n v = shl v, 40", "'v = shl v, 40' can reach"),
    ],
)
def test_what_can_leave_its_word_is_named(program: Program, body: str, what: str) -> None:
    found = [problem.what for problem in range_problems(with_neuron(program, HEAD + body + "\n}"))]
    assert any(what in text for text in found), found


def test_a_sum_that_saturates_is_proven_though_it_grows_for_many_samples(program: Program) -> None:
    body = "always\n v = add v, a\n v = max v, -8388607\n v = min v, 8388607\n}"
    odd = with_neuron(program, HEAD + body)
    assert not list(range_problems(odd))
    assert ranges_of(odd).register["hidden", "v"] == (-8388607, 8388607)


@pytest.mark.parametrize(
    "rule",
    ["dfa", "backprop", "sign-symmetric", "kolen-pollack", "node-perturbation", "frozen", "stdp"],
)
def test_what_runs_stays_within_what_was_proven(rule: str) -> None:
    spiking = Settings(neuron="lif", encode="rate", window=12)
    settings = spiking if rule == "stdp" else Settings()
    made = compile(MODEL, rule=rule, settings=settings, calibration=DIGITS.x_train[:64])
    machine = ReferenceEngine().open(made.program, rounding="lava-exact")
    inputs = made.coding.inputs(DIGITS.x_train[:20], DIGITS.y_train[:20])
    values = machine.run(inputs, samples=20, probes=all_probes(made.program)).values
    ranges = ranges_of(made.program).register
    for population in made.program.populations:
        for probe, found in values.items():
            name, register = probe.rsplit(".", 1)
            if name == population.name and not is_epoch_probe(made.program, probe):
                low, high = ranges[name, register]
                assert low <= found[:, : population.size].min()
                assert found[:, : population.size].max() <= high


@given(*[st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(sorted).map(tuple) for _ in "xy"])
def test_a_hull_holds_both(x: tuple[int, int], y: tuple[int, int]) -> None:
    low, high = hull(x, y)
    assert low <= min(x) <= max(x) <= high
    assert low <= min(y) <= max(y) <= high
    assert {low, high} <= {*x, *y}
    assert np.all(np.array([low]) <= high)


def test_feedback_that_learns_needs_a_payload_that_a_trace_can_hold(program: Program) -> None:
    dw = parse_sum("dw = 2^-5*x0*(x1-64)*y1")
    traces = (("x1", Trace(65535, mode="overwrite")), ("y1", Trace(65535)))
    learned = (*program.plasticity, Plasticity("back_hidden", dw, 4, traces))
    hidden, out = program.populations
    shown = replace(hidden, neuron=showing_activity(hidden.neuron, signed=False))
    bare = replace(program, plasticity=learned, populations=(shown, out))
    found = [p.what for p in range_problems(bare)]
    assert found == ["the last payload of %out in a sample can be -127..127, not 0..254"]
    told = replace(out, neuron=resending_signal(out.neuron))
    assert not list(problems_of(replace(bare, populations=(shown, told))))


@pytest.mark.parametrize(("magnitude", "top"), [(0, 3 * 256 * 127), (100, 3 * 100 * 127)])
def test_copied_signs_reach_as_far_as_their_magnitude(
    program: Program, magnitude: int, top: int
) -> None:
    back = replace(program.synapses[2], mirror="to_out", magnitude=magnitude)
    small = {**program.tensors, back.weight: np.ones((4, 3), np.int16)}
    odd = replace(program, synapses=(*program.synapses[:2], back), tensors=small)
    assert ranges_of(odd).register["hidden", "third"] == (-top, top)


def test_where_a_sample_has_several_epochs_every_payload_must_fit_a_trace(program: Program) -> None:
    body = HEAD + "at 2\n s = mov -20\n at fire\n s = mov 3\n always\n v = mov 0\n}"
    late = replace(
        program.populations[0],
        neuron=parse_neuron(body),
        constants=(("shift", 6), ("feedback_shift", 8), ("fire", 4), ("feedback", 4)),
    )
    odd = replace(program, populations=(late, program.populations[1]))
    assert not [p for p in range_problems(odd) if "payload" in p.what]
    halves = tuple(replace(p, epoch=2) for p in odd.plasticity)
    found = [p.what for p in range_problems(replace(odd, plasticity=halves))]
    assert any("a payload of %hidden in a sample can be -20..3" in what for what in found), found
