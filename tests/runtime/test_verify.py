"""Comparison of engines: differences are found and located, idle networks are no proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UsageError
from hebbite.rules.sums import parse_sum
from hebbite.runtime.counters import INDEX
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import Recording, all_probes
from hebbite.runtime.verify import compare, verify

MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)
SAMPLES = 24


@pytest.fixture(scope="module")
def graded() -> tuple[Program, dict[str, IntArray]]:
    made = compile(MODEL, rule="dfa(rate=-4)", calibration=DIGITS.x_train[:64])
    return made.program, made.coding.inputs(DIGITS.x_train[:SAMPLES], DIGITS.y_train[:SAMPLES])


@pytest.fixture(scope="module")
def spiking() -> tuple[Program, dict[str, IntArray]]:
    settings = Settings(neuron="lif", encode="rate", window=16)
    made = compile(MODEL, rule="stdp", settings=settings, calibration=DIGITS.x_train[:32])
    return made.program, made.coding.inputs(DIGITS.x_train[:6])


def record(program: Program, inputs: dict[str, IntArray], *, seed: int | None = None) -> Recording:
    machine = ReferenceEngine().open(program, rounding="lava-exact", seed=seed)
    samples = len(next(iter(inputs.values())))
    return machine.run(inputs, samples=samples, probes=all_probes(program))


def nudged(program: Program, tensor: str) -> Program:
    value = program.tensors[tensor].copy()
    value[1, 2] += 60 if value[1, 2] < 0 else -60
    return replace(program, tensors={**program.tensors, tensor: value})


def delayed(program: Program, name: str) -> Program:
    groups = tuple(
        replace(group, delay=group.delay + 1) if group.name == name else group
        for group in program.synapses
    )
    return replace(program, synapses=groups)


def test_a_tag_that_differs_is_found(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    first, *rest = program.plasticity
    dt = parse_sum("dt = 2^-3*x0*x1*y2")
    program = replace(program, plasticity=(replace(first, dt=dt), *rest))
    one, probe = record(program, inputs), f"{first.synapses}.t"
    tags = one.values[probe].copy()
    tags[2, 1, 3] += 1
    outcome = compare(program, [one, replace(one, values={**one.values, probe: tags})])
    assert outcome.compared["tags"] == tags.size > 0
    found = outcome.first_divergence
    assert found is not None
    assert (found.component, found.register, found.index) == (first.synapses, "t", (1, 3))


def test_a_run_equals_itself_and_is_conclusive(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    outcome = compare(program, [record(program, inputs), record(program, inputs)])
    assert outcome.equal
    assert outcome.conclusive
    assert outcome.first_divergence is None
    assert [kind for kind, count in outcome.compared.items() if count == 0] == ["tags"]
    assert outcome.activity.weights_changed_fraction >= 0.1
    assert outcome.activity.signs == (-1, 1)


MUTATIONS: list[tuple[str, Callable[[Program], Program]]] = [
    ("one weight", lambda p: nudged(p, "to_relu1.weight")),
    ("one feedback weight", lambda p: nudged(p, "back_relu1.weight")),
    ("a delay off by one", lambda p: delayed(p, "back_relu2")),
]


@pytest.mark.parametrize(("what", "mutate"), MUTATIONS, ids=[name for name, _ in MUTATIONS])
def test_a_mutated_program_is_found(
    graded: tuple[Program, dict[str, IntArray]], what: str, mutate: Callable[[Program], Program]
) -> None:
    program, inputs = graded
    outcome = compare(program, [record(program, inputs), record(mutate(program), inputs)])
    assert not outcome.equal, what
    assert outcome.first_divergence is not None
    assert outcome.first_divergence.step >= 1


def test_one_spike_is_found_and_located(spiking: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = spiking
    changed = {name: value.copy() for name, value in inputs.items()}
    changed["image"][2, 4, 7] ^= 1
    outcome = compare(program, [record(program, inputs), record(program, changed)])
    found = outcome.first_divergence
    assert found is not None
    assert (found.step, found.component, found.register, found.index) == (37, "image", "s", (7,))


def test_one_trace_is_found_and_located(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    good, bad = record(program, inputs), record(program, inputs)
    bad.values["to_relu2.x1"][7, 3] += 1
    found = compare(program, [good, bad]).first_divergence
    assert found is not None
    assert (found.step, found.component, found.register) == (40, "to_relu2", "x1")
    assert found.value == found.expected + 1


def test_one_count_is_found(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    good, bad = record(program, inputs), record(program, inputs)
    bad.counters.values[3, 0, INDEX["syn_ops"]] += 1
    found = compare(program, [good, bad]).first_divergence
    assert found is not None
    assert found.register == "syn_ops (inference)"


def test_another_seed_is_found(spiking: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = spiking
    outcome = compare(program, [record(program, inputs), record(program, inputs, seed=99)])
    assert not outcome.equal


def test_spiking_networks_learn_in_both_directions(
    spiking: tuple[Program, dict[str, IntArray]],
) -> None:
    program, inputs = spiking
    outcome = compare(program, [record(program, inputs), record(program, inputs)])
    assert outcome.conclusive, outcome.activity


def test_a_silent_network_proves_nothing(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    silent = {name: np.zeros_like(value) for name, value in inputs.items()}
    tensors = {name: np.minimum(value, 0) for name, value in program.tensors.items()}
    program = replace(program, tensors=tensors)
    outcome = compare(program, [record(program, silent), record(program, silent)])
    assert outcome.equal
    assert not outcome.conclusive
    assert outcome.activity.silent_populations == ("relu1", "relu2")


def test_too_little_data_is_said(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    with pytest.raises(UsageError, match="HB0106"):
        verify(program, inputs, engines=("reference", "reference"), steps=10_000)


def test_one_engine_cannot_be_compared(graded: tuple[Program, dict[str, IntArray]]) -> None:
    program, inputs = graded
    with pytest.raises(UsageError, match="HB0113"):
        verify(program, inputs, engines=("reference",), steps=10)
