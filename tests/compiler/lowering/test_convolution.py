"""Lowering of convolutional networks: the program, its integers, what learns, what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.check import notes_of_request, problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.evaluate import evaluate
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Array, Attribute, Graph
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.program.connectivity import Conv2d
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import Population, Program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import CapacityError, Problem, UnsupportedError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.session import Session
from hebbite.runtime.verify import verify

Real = NDArray[np.float64]
Long = NDArray[np.int64]
Attributes = dict[str, Attribute | Array]
MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_conv.onnx"
RULES = (
    *("delta", "frozen", "dfa", "fa", "backprop", "sign-symmetric"),
    *("kolen-pollack", "node-perturbation", "predictive-coding", "drtp", "bandit"),
)

needs_lava = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None,
    reason="Lava is not installed; `hebbite doctor` prints the line that adds it",
)


class Layers:
    """A network that grows op by op, weights drawn by a seed."""

    def __init__(self, *shape: int) -> None:
        self.build = GraphBuilder("net")
        self.last = self.build.add("input", name="image", attributes={"shape": shape})
        self.rng = np.random.default_rng(7)

    def op(self, op: str, **attributes: Attribute | Array) -> Layers:
        """Add an op with these attributes."""
        self.last = self.build.add(op, (self.last,), attributes=attributes)
        return self

    def conv(self, made: int, *kernel: int, groups: int = 1, **attributes: Attribute) -> Layers:
        """Add a convolution with a bias."""
        read = self.build.values[self.last].shape[0] // groups
        spread = float(np.prod([read, *kernel])) ** -0.5
        weight = self.rng.normal(0, spread, (made, read, *kernel))
        given: Attributes = {"weight": weight, "bias": self.rng.normal(0, 0.1, made), **attributes}
        return self.op("conv2d", **given, **({"groups": groups} if groups > 1 else {}))

    def linear(self, made: int) -> Layers:
        """Add a linear op with a bias."""
        read = self.build.values[self.last].size
        weight = self.rng.normal(0, read**-0.5, (made, read))
        return self.op("linear", weight=weight, bias=self.rng.normal(0, 0.1, made))

    def graph(self) -> Graph:
        """Return the network, which ends here."""
        return self.build.graph((self.last,))


def small(activation: str = "relu") -> Graph:
    """Return two convolutions, a pool behind the first, and two linear ops."""
    layers = Layers(2, 6, 7).conv(4, 3, 3, padding=(1, 0, 1, 2), stride=(1, 2)).op(activation)
    layers = layers.op("avg_pool2d", kernel=(2, 2), stride=(2, 2)).conv(6, 2, 1, groups=2)
    return layers.op(activation).op("flatten").linear(5).op(activation).linear(3).graph()


def samples(count: int, graph: Graph, *, signed: bool = False) -> Real:
    x = np.random.default_rng(1).random((count, graph.inputs[0].size))
    return 2 * x - 1 if signed else x


def test_the_program_of_a_convolutional_network_reads_as_designed(
    golden: Callable[[str], str],
) -> None:
    text = print_program(compile(small(), rule="fa").program)
    assert text.split("  neuron ")[0].rstrip() == golden("program/convolution")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_errors_has_a_program_that_keeps_convolutions(rule: str) -> None:
    objective = "reward" if rule == "bandit" else "classification"
    made = compile(small(), rule=rule, objective=objective).program
    assert print_program(parse_program(print_program(made), made.tensors)) == print_program(made)
    readout, both = {"to_linear_2"}, {"to_relu_3", "to_linear_2"}
    plastic = {p.synapses for p in made.plasticity} - {"back_relu_3"}
    assert plastic == (both if parse_rule(rule).learns == "all" else readout)
    assert {group.post for group in made.synapses if group.role == "feedback"} <= {"relu_3"}


def integer_stages(program: Program, x: Long) -> dict[str, Long]:
    """Return what every population sends for one sample, computed one position after the other."""
    sent = {program.sources[0].name: x}
    for population in program.populations[:-1]:
        group = next(g for g in program.synapses if g.post == population.name and g.port == "a")
        weight = program.tensors[group.weight].astype(np.int64)
        biases = {p.name: p.bias for p in program.sources} | {
            p.name: p.bias for p in program.populations
        }
        bias = biases[group.pre][0][1] if biases[group.pre] else 0
        before = sent[group.pre]
        if isinstance(group.connect, Conv2d):
            v = convolved(group.connect, weight, before, bias)
        else:
            v = weight[:, :-1] @ before + weight[:, -1] * bias
        sent[population.name] = fired(program, population, v)
    return sent


def convolved(conv: Conv2d, weight: Long, before: Long, bias: int) -> Long:
    channels, height, width = conv.shape
    image = before.reshape(channels, height, width)
    read, made = channels // conv.groups, len(weight) // conv.groups
    v = np.zeros((len(weight), *conv.places), np.int64)
    for k, y, x in np.ndindex(*v.shape):
        total = int(weight[k, conv.taps :].sum()) * bias
        for c, i, j in np.ndindex(read, *conv.kernel):
            row = y * conv.stride[0] + i * conv.dilation[0] - conv.padding[0]
            column = x * conv.stride[1] + j * conv.dilation[1] - conv.padding[1]
            if 0 <= row < height and 0 <= column < width:
                tap = weight[k, (c * conv.kernel[0] + i) * conv.kernel[1] + j]
                total += int(tap) * int(image[k // made * read + c, row, column])
        v[k, y, x] = total
    return v.ravel()


def fired(program: Program, population: Population, v: Long) -> Long:
    shift = dict(population.constants)["shift"]
    if not population.tables:
        return np.clip(v >> shift, 0, 254)
    table = program.tensors[dict(population.tables)["activation"]].astype(np.int64)
    return table[np.clip((v >> shift) + 128, 0, 255)]


NETWORKS: dict[str, Callable[[], Layers]] = {
    "strides and padding": lambda: (
        Layers(1, 6, 5).conv(3, 3, 2, stride=(2, 1), padding=(1, 1, 0, 0)).op("relu")
    ),
    "dilation": lambda: Layers(2, 7, 6).conv(3, 2, 3, dilation=(3, 2)).op("relu"),
    "groups": lambda: Layers(4, 4, 4).conv(6, 3, 3, groups=2).op("relu"),
    "every channel by itself": lambda: Layers(3, 5, 5).conv(6, 3, 3, groups=3).op("relu"),
    "one dimension": lambda: Layers(2, 1, 12).conv(3, 1, 5, stride=(1, 2)).op("relu"),
    "tanh": lambda: (
        Layers(1, 6, 6).conv(3, 3, 3).op("tanh").op("avg_pool2d", kernel=(2, 2), stride=(2, 2))
    ),
    "sigmoid": lambda: Layers(1, 6, 6).conv(3, 3, 3).op("sigmoid"),
    "sum pool at the input": lambda: Layers(2, 6, 6).op("sum_pool2d", kernel=(3, 3)),
    "padded pool": lambda: (
        Layers(1, 6, 6)
        .conv(4, 3, 3)
        .op("relu")
        .op("avg_pool2d", kernel=(3, 2), padding=(1, 1, 1, 0), count_padding=1)
    ),
    "two pools": lambda: (
        Layers(1, 8, 8)
        .conv(2, 1, 1)
        .op("relu")
        .op("avg_pool2d", kernel=(2, 2), stride=(2, 2))
        .op("sum_pool2d", kernel=(2, 2), stride=(2, 2))
    ),
    "three convolutions": lambda: (
        Layers(1, 8, 8).conv(3, 3, 3).op("relu").conv(4, 3, 3).op("relu").conv(2, 3, 3).op("relu")
    ),
}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_program_computes_what_integers_give_one_position_after_the_other(
    name: str, signed: bool
) -> None:
    graph = NETWORKS[name]().op("flatten").linear(16).op("relu").linear(3).graph()
    x = samples(4, graph, signed=signed)
    made = compile(graph, rule="frozen", calibration=x)
    probes = tuple(f"{population.name}.s" for population in made.program.populations[:-1])
    found = sent_by(made, x, probes)
    codes = made.coding.inputs(x)["image"][:, 0]
    for index, code in enumerate(codes):
        for population, payload in integer_stages(made.program, code).items():
            if population != "image":
                assert np.array_equal(found[f"{population}.s"][index], payload), population
    assert all(values.any() for values in found.values()), "something must be sent"


def sent_by(made: Compiled, x: Real, probes: tuple[str, ...]) -> dict[str, Long]:
    """Return what populations send when they fire, bias lines left out."""
    machine = ReferenceEngine().open(made.program, rounding="independent")
    values = machine.run(made.coding.inputs(x), samples=len(x), learn=False, probes=probes).values
    table, period = dict(made.program.schedule.events), made.program.schedule.period
    names = [probe.removesuffix(".s") for probe in probes]
    sizes = [made.program.population(name).size for name in names]
    return {
        f"{name}.s": values[f"{name}.s"][table[f"fire %{name}"] - 1 :: period, :size]
        for name, size in zip(names, sizes, strict=True)
    }


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("signed", [False, True])
def test_the_outputs_follow_those_of_the_real_network(name: str, signed: bool) -> None:
    graph = NETWORKS[name]().op("flatten").linear(3).graph()
    x = samples(40, graph, signed=signed)
    made = compile(graph, rule="frozen", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    ours = machine.run(made.coding.inputs(x), samples=40, learn=False).answers
    right = evaluate(graph, x.reshape(40, *graph.inputs[0].shape))[graph.outputs[0]]
    assert np.corrcoef(ours.ravel(), right.ravel())[0, 1] > 0.99


def test_a_convolution_leaves_room_for_its_bias() -> None:
    build = GraphBuilder("net")
    image = build.add("input", name="image", attributes={"shape": (1, 3, 3)})
    weights: Attributes = {"weight": np.full((1, 1, 2, 2), 0.01), "bias": np.array([1.0])}
    last = build.add("relu", (build.add("conv2d", (image,), attributes=weights),))
    last = build.add("flatten", (last,))
    last = build.add("linear", (last,), attributes={"weight": np.ones((1, 4))})
    stored = compile(build.graph((last,)), rule="frozen").program.tensors["to_relu.weight"]
    assert stored.tolist() == [[2, 2, 2, 2, 254]]


@pytest.mark.parametrize(
    ("kernel", "each", "shift"),
    [((2, 2), 128, 9), ((3, 3), 226, 11), ((16, 16), 128, 15), ((24, 24), 56, 15)],
)
def test_a_pool_adds_with_one_weight_and_never_saturates(
    kernel: tuple[int, int], each: int, shift: int
) -> None:
    graph = Layers(2, *kernel).op("avg_pool2d", kernel=kernel).op("flatten").linear(2).graph()
    x = np.ones((4, graph.inputs[0].size))
    x[0] = 0
    made = compile(graph, rule="frozen", calibration=x)
    assert set(np.unique(made.program.tensors["to_avg_pool2d.weight"])) == {each}
    assert dict(made.program.populations[0].constants)["shift"] == shift
    assert made.program.sources[0].bias == ()
    sent = sent_by(made, x, ("avg_pool2d.s",))["avg_pool2d.s"]
    assert np.array_equal(np.unique(sent), [0, 254 * each * kernel[0] * kernel[1] >> shift])


def test_a_pool_costs_an_operation_for_every_window_that_sees_a_message() -> None:
    counted = {}
    for kernel, stride in (((2, 2), (2, 2)), ((3, 3), (3, 3)), ((2, 2), (1, 1))):
        layers = Layers(1, 6, 6).op("avg_pool2d", kernel=kernel, stride=stride)
        graph = layers.op("flatten").linear(2).graph()
        made = compile(graph, rule="frozen", calibration=np.ones((1, 36)))
        with Session(made, engine="reference") as session:
            total = session.run(np.ones((1, 36))).counters
        parts = total.to_json()["by_component"]
        assert isinstance(parts, dict)
        counted[kernel, stride] = parts["to_avg_pool2d.inference"]["syn_ops"]
    assert list(counted.values()) == [36, 36, 25 * 4]


def test_a_pool_is_split_where_a_core_has_too_few_in_axons() -> None:
    layers = Layers(24, 14, 14).op("avg_pool2d", kernel=(7, 7), stride=(7, 7))
    graph = layers.op("flatten").linear(2).graph()
    pool = compile(graph, rule="frozen").program.populations[0]
    assert (pool.size, len(pool.cores)) == (96, 2), "each hears the lines of 12 channels"
    with pytest.raises(CapacityError, match="4704 in-axons") as found:
        compile(graph, rule="frozen", split=False)
    assert found.value.problems[0].hint.endswith("remove --no-split")


def bright(count: int) -> tuple[Real, Long]:
    """Return images of 6 x 6 and their classes: which third of the rows is the brightest."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, count)
    x = rng.random((count, 6, 6)) * 0.3
    for image, third in zip(x, y, strict=True):
        image[2 * third : 2 * third + 2] += 0.7
    return x.reshape(count, 36), y


@pytest.mark.parametrize("rule", ["dfa", "backprop"])
def test_linear_ops_learn_above_convolutions_that_stay(rule: str) -> None:
    layers = Layers(1, 6, 6).conv(4, 3, 3, padding=(1, 1, 1, 1)).op("relu")
    layers = layers.op("avg_pool2d", kernel=(2, 3), stride=(2, 3)).op("flatten").linear(10)
    graph = layers.op("relu").linear(3).graph()
    x, y = bright(700)
    settings = Settings(init="random")
    made = compile(graph, rule=f"{rule}(rate=-5)", settings=settings, calibration=x[:100])
    trained = compile(graph, rule="frozen", calibration=x[:100]).program
    for name, same in (("to_relu.weight", True), ("to_relu_2.weight", False)):
        assert np.array_equal(made.program.tensors[name], trained.tensors[name]) is same
    assert {k: v for k, v in made.report.items() if "kept" in k} == {"kept_weights.to_relu": 40.0}
    with Session(made) as session:
        before = session.evaluate(x[500:], y[500:])
        session.fit(x[:500], y[:500], epochs=3)
        assert session.evaluate(x[500:], y[500:]) > max(0.85, before + 0.2)
        for group in made.program.synapses:
            same = np.array_equal(session.read(group.weight), made.program.tensors[group.weight])
            drawn = group.name == "back_relu_2" and rule == "dfa"
            assert same is (drawn or group.name in ("to_relu", "to_avg_pool2d")), group.name


def test_units_that_do_not_learn_send_the_same_in_the_noisy_pass() -> None:
    graph = small()
    x = samples(10, graph)
    made = compile(graph, rule="node-perturbation", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    probes = ("relu.s", "avg_pool2d.s", "relu_2.s", "relu_3.s")
    inputs = made.coding.inputs(x, np.arange(10) % 3)
    found = machine.run(inputs, samples=10, learn=False, probes=probes).values
    table, period = dict(made.program.schedule.events), made.program.schedule.period
    for probe in probes:
        name = probe.removesuffix(".s")
        tried, clean = (
            found[probe][table[f"{when} %{name}"] - 1 :: period] for when in ("noisy", "fire")
        )
        assert clean.any()
        assert np.array_equal(tried, clean) is (name != "relu_3")


def test_a_trained_network_loses_less_than_two_points_by_conversion() -> None:
    digits, graph = load_dataset("digits", seed=0), load_model(MODEL)
    made = compile(graph, rule="frozen", calibration=digits.x_train)
    images = digits.x_test.reshape(-1, 1, 8, 8)
    real = evaluate(graph, images)[graph.outputs[0]].argmax(axis=1)
    with Session(made, engine="reference") as session:
        chip = session.answers(digits.x_test).argmax(axis=1)
    accuracies = [float((answers == digits.y_test).mean()) for answers in (real, chip)]
    assert min(accuracies) > 0.95
    assert accuracies[0] - accuracies[1] < 0.02
    assert (real != chip).mean() < 0.02


@needs_lava
def test_lava_gives_the_same_bits() -> None:
    graph = small()
    x = samples(40, graph)
    made = compile(graph, rule="dfa(rate=-3)", calibration=x)
    inputs = made.coding.inputs(x, np.arange(40) % 3)
    outcome = verify(made.program, inputs, engines=("reference", "lava"), steps=240)
    assert outcome.first_divergence is None
    assert outcome.conclusive, outcome.activity
    assert outcome.steps >= 240


def found(graph: Graph, rule: str, settings: Settings | None = None) -> tuple[Problem, ...]:
    objective = parse_objective("reward" if rule == "r-stdp" else "classification")
    return problems_of_request(graph, parse_rule(rule), objective, settings or Settings())


@pytest.mark.parametrize(
    ("rule", "settings"),
    [("equilibrium-propagation", Settings()), ("forward-forward", Settings())],
)
def test_units_without_a_program_for_shared_synapses_are_refused_by_name(
    rule: str, settings: Settings
) -> None:
    (problem,) = (p for p in found(small(), rule, settings) if p.code == "HB0423")
    assert "--rule dfa" in problem.hint
    assert problem.what.startswith("'relu' has shared synapses")
    with pytest.raises(UnsupportedError, match="HB0423"):
        compile(small(), rule=rule, settings=settings)


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        *((rule, ["HB0424"]) for rule in ("fa", "backprop", "kolen-pollack", "node-perturbation")),
        *((rule, list[str]()) for rule in ("dfa", "drtp", "delta", "frozen")),
    ],
)
def test_errors_do_not_pass_a_convolution(rule: str, codes: list[str]) -> None:
    layers = Layers(9).linear(16).op("relu").op("reshape", shape=(1, 4, 4)).conv(2, 3, 3)
    graph = layers.op("relu").op("flatten").linear(3).graph()
    problems = found(graph, rule)
    assert [problem.code for problem in problems] == codes
    if codes:
        assert problems[0].at == "%relu_2"
    else:
        made = compile(graph, rule=rule).program
        assert ("to_relu" in [p.synapses for p in made.plasticity]) is (rule in ("dfa", "drtp"))


def test_a_note_says_that_convolutions_stay() -> None:
    graph = load_model(MODEL)
    learning = parse_rule("dfa")
    still = replace(learning, learns="none")
    for rule, init, count in ((learning, "keep", 2), (still, "keep", 0), (still, "random", 2)):
        notes = notes_of_request(graph, rule, Settings(init=init))
        assert [note.code for note in notes] == ["HB0425"] * count
        assert [note.origin for note in notes] == [
            f"digits_conv.onnx, node 'conv{n + 1}'" for n in range(count)
        ]


@pytest.mark.parametrize(
    ("layers", "what"),
    [
        (
            lambda: Layers(1, 4, 4).conv(2, 3, 3).op("sum_pool2d", kernel=(2, 2)),
            "'sum_pool2d' before the activation",
        ),
        (lambda: Layers(1, 4, 4).conv(2, 3, 3).conv(2, 2, 2).op("relu"), "two linear ops in a row"),
        (
            lambda: Layers(1, 4, 4).op("sum_pool2d", kernel=(2, 2)).op("relu"),
            "'relu' must follow a linear op or a convolution",
        ),
        (
            lambda: Layers(1, 4, 4).op("avg_pool2d", kernel=(2, 2), padding=(1, 0, 0, 0)),
            "averages over fewer pixels at the border",
        ),
        (
            lambda: Layers(1, 129, 128).op("avg_pool2d", kernel=(129, 128)),
            "a pool over 16512 pixels",
        ),
    ],
)
def test_what_stands_in_the_wrong_place_is_refused(layers: Callable[[], Layers], what: str) -> None:
    graph = layers().op("flatten").linear(2).graph()
    problems = [p for p in found(graph, "frozen") if what in p.what]
    assert [problem.code for problem in problems] == ["HB0405"]
    assert problems[0].at.startswith("%")


def test_a_convolution_is_no_output() -> None:
    (problem,) = found(Layers(1, 4, 4).conv(2, 4, 4).graph(), "frozen")
    assert (problem.code, problem.what.startswith("the last op must be linear")) == ("HB0405", True)


def test_a_convolution_in_one_dimension_is_an_image_of_height_one(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(2)
    arrays: dict[str, Any] = {
        "w": rng.normal(0, 0.4, (3, 2, 5)).astype(np.float32),
        "v": rng.normal(0, 0.4, (2, 12)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="c", pads=(2, 2), strides=(2,)),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["y"], transB=1),
    ]
    info = helper.make_tensor_value_info
    whole = helper.make_graph(
        nodes,
        "g",
        [info("x", TensorProto.FLOAT, ["n", 2, 8])],
        [info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    path = tmp_path / "line.onnx"
    path.write_bytes(helper.make_model(whole).SerializeToString())
    program = compile(path, rule="frozen").program
    connect = program.synapses[0].connect
    assert connect == Conv2d((2, 1, 8), (1, 5), (1, 2), (0, 2, 0, 2))
    assert program.populations[0].origin == "line.onnx, node 'c'"
