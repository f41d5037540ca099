"""Convolutional networks of LIF units: the program, its integers, what learns."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler.check import problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Array, Attribute, Graph
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.lowering.chain import network_of
from hebbite.compiler.lowering.encode import on_and_off
from hebbite.compiler.lowering.network import Real, Stage
from hebbite.compiler.lowering.shared import delivered, doubled
from hebbite.compiler.lowering.spiking_stage import RATE
from hebbite.compiler.program.connectivity import Conv2d, synapses_of
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.settings import Settings
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.session import Session
from hebbite.runtime.verify import verify

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_conv.onnx"
LIF = Settings(neuron="lif", encode="rate", window=25)
RULES = ("eprop", "decolle", "stdp", "triplet-stdp", "r-stdp", "emstdp", "frozen")

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None,
    reason="Lava is not installed; `hebbite doctor` prints the line that adds it",
)


def small(groups: int = 1) -> Graph:
    """Return two convolutions, a pool behind the first, and two linear ops."""
    rng, build = np.random.default_rng(7), GraphBuilder("net")
    last = build.add("input", name="image", attributes={"shape": (2, 6, 7)})
    for made, kernel, pooled in ((4, (3, 3), True), (6, (2, 1), False)):
        read = build.values[last].shape[0] // groups
        weight = rng.normal(0.2, 0.4, (made, read, *kernel))
        bias = rng.normal(0, 0.1, made)
        given_: dict[str, Attribute | Array] = {
            "weight": weight,
            "bias": bias,
            "stride": (1, 2),
            "groups": groups,
        }
        last = build.add("conv2d", (last,), attributes=given_)
        last = build.add("relu", (last,))
        if pooled:
            last = build.add("avg_pool2d", (last,), attributes={"kernel": (2, 2)})
    last = build.add("flatten", (last,))
    for made in (5, 3):
        weight = rng.normal(0.1, 0.4, (made, build.values[last].size))
        last = build.add("linear", (last,), attributes={"weight": weight, "bias": np.zeros(made)})
        if made == 5:
            last = build.add("relu", (last,))
    return build.graph((last,))


def compiled(rule: str, *, signed: bool = False, groups: int = 1) -> tuple[Compiled, Real]:
    """Return a compiled network, and 20 samples of its input above 0."""
    x = np.random.default_rng(1).random((20, 84))
    made = compile(small(groups), rule=rule, settings=LIF, calibration=2 * x - 1 if signed else x)
    return made, x


@pytest.mark.parametrize(
    ("rule", "signed"), [*((rule, False) for rule in RULES), ("eprop", True), ("stdp", True)]
)
def test_every_rule_of_lif_units_has_a_program_that_keeps_convolutions(
    rule: str, signed: bool
) -> None:
    made, x = compiled(rule, signed=signed)
    program = made.program
    assert print_program(parse_program(print_program(program), program.tensors)) == print_program(
        program
    )
    kept = {group.name for group in program.synapses if isinstance(group.connect, Conv2d)}
    assert kept == {"to_relu", "to_avg_pool2d", "to_relu_2"}
    learns = {"to_linear_2"} if rule == "frozen" else {"to_relu_3", "to_linear_2"}
    assert {p.synapses for p in program.plasticity} == learns
    inputs = made.coding.inputs(2 * x - 1 if signed else x, np.arange(20) % 3)
    outcome = verify(program, inputs, engines=("reference", "native"), steps=100)
    assert outcome.equal
    assert outcome.conclusive, outcome.activity


@needs_lava
@pytest.mark.parametrize("rule", ["eprop", "stdp"])
def test_lava_gives_the_same_bits(rule: str) -> None:
    made, x = compiled(rule)
    inputs = made.coding.inputs(x, np.arange(20) % 3)
    outcome = verify(made.program, inputs, engines=("reference", "lava"), steps=80)
    assert outcome.equal
    assert outcome.conclusive, outcome.activity


def test_every_population_spikes_about_as_often_as_it_should() -> None:
    made, x = compiled("eprop")
    names = [p.name for p in made.program.populations if p.name.startswith(("relu", "avg"))]
    inputs = made.coding.inputs(x, np.arange(20) % 3)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    found = machine.run(inputs, samples=20, probes=[f"{name}.s" for name in names])
    for name in names:
        assert found.values[f"{name}.s"].mean() == pytest.approx(RATE, rel=0.3)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_delivers_what_its_synapses_do_one_by_one(groups: int) -> None:
    made, _ = compiled("eprop", groups=groups)
    program = made.program
    for stage in network_of(small(groups)).stages[:3]:
        group = program.group(stage.synapses)
        assert isinstance(group.connect, Conv2d)
        line, post, element = synapses_of(program, group)
        weight = program.tensors[group.weight].astype(np.int64)
        lines = np.random.default_rng(0).integers(0, 2, (9, group.connect.lines))
        wanted = np.zeros((9, stage.size), np.int64)
        np.add.at(wanted.T, post, (weight.ravel()[element] * lines[:, line]).T)
        assert np.array_equal(delivered(group.connect, weight, lines), wanted)


def stage_of(groups: int, pool: bool) -> Stage:
    """Return the first or the second shared stage, with whole numbers for weights."""
    stage = network_of(small(groups)).stages[1 if pool else 0]
    weight = np.random.default_rng(3).integers(-9, 9, stage.weight.shape)
    return Stage("s", "to_s", weight.astype(np.float64), stage.bias, "relu", "", None,
                 stage.connect, stage.kind)  # fmt: skip


@given(st.sampled_from([1, 2]), st.booleans(), st.integers(0, 99))
def test_two_lines_a_feature_deliver_what_one_with_a_sign_would(
    groups: int, pool: bool, seed: int
) -> None:
    stage = stage_of(groups, pool)
    twice = doubled(stage)
    assert isinstance(stage.connect, Conv2d)
    values = np.random.default_rng(seed).integers(-5, 6, (4, stage.connect.lines))
    split = on_and_off(values.astype(np.float64)).astype(np.int64)
    one = delivered(stage.connect, stage.weight.astype(np.int64), values)
    assert np.array_equal(delivered(twice.connect, twice.weight.astype(np.int64), split), one)
    assert twice.size == stage.size


def test_a_readout_of_its_own_teaches_below_a_convolution() -> None:
    build = GraphBuilder("net")
    rng = np.random.default_rng(0)
    last = build.add("input", name="x", attributes={"shape": (9,)})
    last = build.add("linear", (last,), attributes={"weight": rng.normal(0, 0.3, (16, 9))})
    last = build.add("relu", (last,))
    last = build.add("reshape", (last,), attributes={"shape": (1, 4, 4)})
    last = build.add("conv2d", (last,), attributes={"weight": rng.normal(0, 0.3, (2, 1, 3, 3))})
    last = build.add("flatten", (build.add("relu", (last,)),))
    last = build.add("linear", (last,), attributes={"weight": rng.normal(0, 0.3, (3, 8))})
    graph, objective = build.graph((last,)), parse_objective("classification")
    for rule in ("eprop", "decolle"):
        assert problems_of_request(graph, parse_rule(rule), objective, LIF) == ()
        learning = {p.synapses for p in compile(graph, rule=rule, settings=LIF).program.plasticity}
        assert learning == {"to_relu", "to_linear_2"}


def test_a_convolutional_network_of_lif_units_learns_digits() -> None:
    digits = load_dataset("digits", seed=0)
    settings = Settings(neuron="lif", encode="rate")
    made = compile(
        load_model(MODEL), rule="eprop(rate=-5)", settings=settings, calibration=digits.x_train[:64]
    )
    with Session(made) as session:
        session.fit(digits.x_train, digits.y_train, epochs=3)
        answers = session.answers(digits.x_test).argmax(axis=1)
    assert (answers == digits.y_test).mean() > 0.45
