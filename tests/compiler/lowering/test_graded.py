"""Lowering of graded networks: the program of each rule, and that it does what the rule says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import half_payload
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.verify import problems_of
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.engines.native.machine import NativeEngine
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import Recording

Real = NDArray[np.float64]
Long = NDArray[np.int64]
RULES = (
    *("delta", "frozen", "dfa", "fa", "backprop"),
    *("sign-symmetric", "kolen-pollack", "node-perturbation", "predictive-coding"),
    *("drtp", "bandit"),
)
GENTLE = "node-perturbation(gain=2, amplitude=0)"
MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"


def graph(activation: str, *sizes: int) -> Graph:
    """Return a small network with random weights."""
    rng = np.random.default_rng(5)
    nodes = [Node("input", (), (Value("x", (sizes[0],)),))]
    tensors = {}
    previous = "x"
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weight, bias = f"w{index}", f"b{index}"
        tensors[weight] = rng.normal(0, inputs**-0.5, (outputs, inputs))
        tensors[bias] = rng.normal(0, 0.1, outputs)
        attributes = (("weight", TensorRef(weight)), ("bias", TensorRef(bias)))
        value = Value(f"fc{index}", (outputs,))
        nodes.append(Node("linear", (previous,), (value,), attributes))
        previous = value.name
        if index < len(sizes) - 2:
            hidden = Value(f"hidden{index}", (outputs,))
            nodes.append(Node(activation, (previous,), (hidden,)))
            previous = hidden.name
    return Graph("net", tuple(nodes), tensors, (previous,))


def goal_of(rule: str) -> str:
    """Return the objective that a rule goes with."""
    return "reward" if rule == "bandit" else "classification"


def samples(count: int, size: int, classes: int) -> tuple[Real, Long]:
    """Return a task that can be learned: which block of inputs is the strongest."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, count)
    x = rng.random((count, size)) * 0.5
    for index, label in enumerate(y):
        x[index, label * (size // classes) : (label + 1) * (size // classes)] += 0.5
    return x, y


@pytest.mark.parametrize("rule", RULES)
def test_the_program_of_a_rule_reads_as_designed(rule: str, golden: Callable[[str], str]) -> None:
    made = compile(graph("relu", 6, 5, 4, 3), rule=rule, objective=goal_of(rule))
    text = print_program(made.program)
    assert text.split("  neuron ")[0].rstrip() == golden(f"program/{rule}")


@pytest.mark.parametrize("sizes", [(6, 3), (6, 5, 4, 3)])
def test_prescribed_error_sensitivity_is_lms_on_the_readout(sizes: tuple[int, ...]) -> None:
    pes, delta = (compile(graph("relu", *sizes), rule=rule) for rule in ("pes", "delta"))
    assert pes.sha256 == delta.sha256
    assert [p.synapses for p in pes.program.plasticity] == [pes.program.synapses[-1].name]


@pytest.mark.parametrize("rule", RULES)
def test_the_program_of_a_rule_parses_back(rule: str) -> None:
    made = compile(graph("relu", 6, 5, 4, 3), rule=rule, objective=goal_of(rule)).program
    assert print_program(parse_program(print_program(made), made.tensors)) == print_program(made)


@pytest.mark.parametrize(
    ("rule", "period"),
    [
        ("delta", 4),
        ("dfa", 5),
        ("fa", 6),
        ("backprop", 6),
        ("sign-symmetric", 6),
        ("kolen-pollack", 6),
        ("node-perturbation", 9),
        ("drtp", 4),
    ],
)
def test_two_hidden_layers_take_the_steps_that_the_path_needs(rule: str, period: int) -> None:
    assert compile(graph("relu", 6, 5, 4, 3), rule=rule).program.schedule.period == period


def accuracy(made: Compiled, x: Real, y: Long, *, weights: dict[str, Long] | None = None) -> float:
    machine = NativeEngine().open(made.program, rounding="independent")
    for name, value in (weights or {}).items():
        machine.write(name, value)
    answers = machine.run(made.coding.inputs(x), samples=len(x), learn=False).answers
    return float((answers.argmax(axis=1) == y).mean())


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("rule", ["dfa", "backprop", "kolen-pollack"])
def test_every_activation_learns(activation: str, rule: str) -> None:
    x, y = samples(700, 12, 3)
    made = compile(graph(activation, 12, 10, 3), rule=f"{rule}(rate=-5)", calibration=x[:100])
    machine = NativeEngine().open(made.program, rounding="independent")
    machine.run(made.coding.inputs(x[:500], y[:500]), samples=500)
    weights = {group.weight: machine.read(group.weight) for group in made.program.synapses}
    assert accuracy(made, x[500:], y[500:], weights=weights) > 0.85
    assert accuracy(made, x[500:], y[500:]) < 0.75


def test_inputs_with_a_sign_learn() -> None:
    x, y = samples(700, 12, 3)
    x = 2 * x - 1
    made = compile(graph("relu", 12, 10, 3), rule="dfa(rate=-5)", calibration=x[:100])
    assert made.coding.signed
    machine = NativeEngine().open(made.program, rounding="independent")
    machine.run(made.coding.inputs(x[:500], y[:500]), samples=500)
    weights = {group.weight: machine.read(group.weight) for group in made.program.synapses}
    assert accuracy(made, x[500:], y[500:], weights=weights) > 0.85


def test_a_synapse_whose_input_is_silent_in_a_sample_does_not_change_in_it() -> None:
    x, y = samples(60, 12, 3)
    x[:, ::2] *= np.random.default_rng(1).integers(0, 2, (60, 6))
    made = compile(graph("relu", 12, 10, 3), rule="dfa(rate=-2)", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    probes = ("x.s", "hidden0.s", "to_hidden0.weight", "to_fc1.weight")
    found = machine.run(made.coding.inputs(x, y), samples=60, probes=probes).values
    changed_where_silent = 0
    for lines, weights, tensor in (("x.s", probes[2], 0), ("hidden0.s", probes[3], 1)):
        sent = found[lines].reshape(60, 4, -1).any(axis=1)
        start = made.program.tensors[made.program.synapses[tensor].weight].astype(np.int64)
        moved = np.diff(np.concatenate([start[None], found[weights]]), axis=0) != 0
        assert moved.any(), "the test needs something that learns"
        changed_where_silent += int(moved.transpose(0, 2, 1)[~sent].sum())
        assert (~sent).any(), "the test needs silent lines"
    assert changed_where_silent == 0


def test_a_sample_without_a_teacher_changes_nothing() -> None:
    x, _ = samples(20, 12, 3)
    made = compile(graph("relu", 12, 10, 3), rule="dfa(rate=-2)", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    machine.run(made.coding.inputs(x), samples=20)
    for group in made.program.synapses:
        assert np.array_equal(machine.read(group.weight), made.program.tensors[group.weight])


@pytest.mark.parametrize(("follow", "equal"), [("true", True), ("false", False)])
def test_copied_feedback_follows_the_forward_weights(follow: str, equal: bool) -> None:
    x, y = samples(84, 12, 3)
    made = compile(graph("relu", 12, 10, 8, 3), rule=f"backprop(follow={follow})", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="lava-exact")
    machine.run(made.coding.inputs(x, y), samples=84)  # 504 steps
    back, forward = machine.read("back_hidden1.weight"), machine.read("to_fc2.weight")
    assert np.array_equal(back, forward[:, :-1].T) is equal
    assert not np.array_equal(forward, made.program.tensors["to_fc2.weight"])


def degrees_between(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Return the angle between two arrays of weights."""
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    return float(np.degrees(np.arccos(a @ b / np.sqrt((a @ a) * (b @ b)))))


def test_the_signs_of_normal_weights_stand_at_the_angle_that_is_known() -> None:
    tensors = compile(graph("relu", 6, 200, 200, 3), rule="sign-symmetric").program.tensors
    forward, back = tensors["to_hidden1.weight"][:, :-1].T, tensors["back_hidden0.weight"]
    known = np.degrees(np.arccos(np.sqrt(2 / np.pi)))
    assert degrees_between(forward, back) == pytest.approx(known, abs=0.5)


@pytest.mark.parametrize(("rms", "magnitude"), [(64, 64), (63, 64), (61, 60), (2, 2)])
def test_the_magnitude_of_signs_is_the_wanted_one_made_even(rms: int, magnitude: int) -> None:
    settings = Settings(feedback_rms=rms)
    program = compile(graph("relu", 6, 5, 4, 3), rule="sign-symmetric", settings=settings).program
    back = program.group("back_hidden1")
    assert (back.mirror, back.magnitude) == ("to_fc2", magnitude)
    assert set(np.unique(program.tensors["back_hidden1.weight"])) == {-magnitude, magnitude}


def test_signs_that_are_kept_belong_to_no_mirror() -> None:
    program = compile(graph("relu", 6, 5, 4, 3), rule="sign-symmetric(follow=false)").program
    back = program.group("back_hidden1")
    assert (back.mirror, back.magnitude) == ("", 0)
    forward = program.tensors["to_fc2.weight"][:, :-1].T
    assert np.array_equal(program.tensors[back.weight] > 0, forward >= 0)


def weights_after(made: Compiled, x: Real, y: Long, *, twins_equal: bool) -> dict[str, Long]:
    """Return every weight after training with one random number for all synapses.

    With ``twins_equal`` the feedback weights start as the transposed forward weights.
    """
    machine = ReferenceEngine().open(made.program, rounding="lava-exact")
    if twins_equal:
        for back, forward in TWINS:
            start = made.program.tensors[f"{forward}.weight"][:, :-1].T
            machine.write(f"{back}.weight", start)
    machine.run(made.coding.inputs(x, y), samples=len(x))
    return {group.name: machine.read(group.weight) for group in made.program.synapses}


TWINS = (("back_hidden1", "to_fc2"), ("back_hidden0", "to_hidden1"))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_twins_that_start_equal_and_round_alike_stay_equal_bit_for_bit(activation: str) -> None:
    x, y = samples(84, 12, 3)
    rule = "kolen-pollack(rate=-4, every=2)"
    made = compile(graph(activation, 12, 10, 8, 3), rule=rule, calibration=x)
    weights = weights_after(made, x, y, twins_equal=True)
    for back, forward in TWINS:
        start = made.program.tensors[f"{forward}.weight"]
        assert (weights[forward] != start).mean() > 0.5
        assert np.array_equal(weights[back], weights[forward][:, :-1].T)


@pytest.mark.parametrize(("decay", "every"), [(4, 0), (5, 1)])
def test_what_feedback_and_forward_weights_differ_by_decays_as_the_paper_says(
    decay: int, every: int
) -> None:
    x, y = samples(32, 12, 3)
    rule = f"kolen-pollack(rate=-5, decay={decay}, every={every})"
    made = compile(graph("relu", 12, 30, 20, 3), rule=rule, calibration=x)
    weights = weights_after(made, x, y, twins_equal=False)
    left = (1 - 2.0**-decay) ** (len(x) >> every)
    for back, forward in TWINS:
        held = made.program.tensors[f"{back}.weight"], made.program.tensors[f"{forward}.weight"]
        before = (held[0] - held[1][:, :-1].T.astype(np.int64)).astype(np.float64)
        after = (weights[back] - weights[forward][:, :-1].T).astype(np.float64)
        kept = float((after * before).sum() / (before * before).sum())
        assert kept == pytest.approx(left, abs=0.01)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_no_unit_reads_the_learning_payload_that_arrives_in_the_next_sample(
    activation: str,
) -> None:
    x, y = samples(20, 12, 3)
    made = compile(graph(activation, 12, 10, 8, 3), rule="kolen-pollack", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    period = made.program.schedule.period
    found = machine.run(made.coding.inputs(x, y), samples=20, probes=("hidden1.third",)).values
    assert found["hidden1.third"][period::period].any(), "it must arrive to be ignored"
    for population in made.program.populations:
        bound = population.neuron.bind(dict(population.constants), period=period)
        reading = [i.first for i in bound.instructions if "third" in i.arguments]
        assert reading
        assert all(isinstance(first, int) and first > 1 for first in reading)


def test_decay_visits_every_synapse_that_learns_and_is_counted() -> None:
    x, _ = samples(16, 12, 3)
    made = compile(graph("relu", 12, 10, 3), rule="kolen-pollack(every=3)", calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    counted = machine.run(made.coding.inputs(x), samples=16).counters  # no teacher: no error
    program = made.program
    groups = [program.group(p.synapses) for p in program.plasticity]
    assert [group.name for group in groups] == ["to_hidden0", "to_fc1", "back_hidden0"]
    synapses = sum(program.tensors[group.weight].size for group in groups)
    inputs = program.tensors["to_hidden0.weight"].size + program.tensors["to_fc1.weight"].size
    assert counted.total("updates_visited") > 2 * synapses
    back = counted.to_json()["by_component"]
    assert isinstance(back, dict)
    assert back["back_hidden0.learning"]["updates_visited"] == 2 * (synapses - inputs)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_units_of_every_activation_learn_by_trying(activation: str) -> None:
    x, y = samples(1300, 12, 3)
    rule = "node-perturbation(rate=-4)"
    made = compile(graph(activation, 12, 10, 3), rule=rule, calibration=x[:100])
    machine = NativeEngine().open(made.program, rounding="independent")
    machine.run(made.coding.inputs(x[:1100], y[:1100]), samples=1100)
    weights = {group.weight: machine.read(group.weight) for group in made.program.synapses}
    start = made.program.tensors["to_hidden0.weight"]
    assert (weights["to_hidden0.weight"] != start).mean() > 0.5
    assert accuracy(made, x[1100:], y[1100:], weights=weights) > 0.85


def quiet(activation: str, rule: str, x: Real) -> tuple[Compiled, Recording]:
    """Return a network with two hidden layers and a run of it that changes no weight."""
    made = compile(graph(activation, 12, 10, 8, 3), rule=rule, calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    probes = tuple(f"{name}.s" for name in ("hidden0", "hidden1"))
    inputs = made.coding.inputs(x, np.arange(len(x)) % 3)
    return made, machine.run(inputs, samples=len(x), learn=False, probes=probes)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_clean_pass_is_the_inference_of_a_rule_without_noise(activation: str) -> None:
    x, _ = samples(20, 12, 3)
    (_, plain), (made, noisy) = (quiet(activation, r, x) for r in ("dfa", "node-perturbation"))
    assert np.array_equal(noisy.answers, plain.answers)
    for counter in ("syn_ops", "spikes_in", "neuron_steps", "steps"):
        counted = (run.counters.total(counter, phase="inference") for run in (noisy, plain))
        assert len(set(counted)) == 1, counter
    assert noisy.counters.total("rng_draws") == 20 * 18
    table = dict(made.program.schedule.events)
    period = made.program.schedule.period
    for name in ("hidden0", "hidden1"):
        sent = noisy.values[f"{name}.s"][:, :-1]
        tried = sent[table[f"noisy %{name}"] - 1 :: period]
        clean = sent[table[f"fire %{name}"] - 1 :: period]
        assert (tried != clean).mean() > 0.2


def test_traces_belong_to_the_clean_pass_where_a_unit_was_silent_in_it_too() -> None:
    x, y = samples(40, 12, 3)
    rule = "node-perturbation(amplitude=6)"
    made = compile(graph("relu", 12, 10, 8, 3), rule=rule, calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    probes = ("hidden0.s", "to_hidden1.x1")
    found = machine.run(made.coding.inputs(x, y), samples=40, probes=probes).values
    table, period = dict(made.program.schedule.events), made.program.schedule.period
    tried = found["hidden0.s"][table["noisy %hidden0"] - 1 :: period]
    clean = found["hidden0.s"][table["fire %hidden0"] - 1 :: period]
    heard = (tried != 0) | (clean != 0)
    assert ((tried != 0) & (clean == 0)).sum() > 10, "the case that needs care"
    assert np.abs(found["to_hidden1.x1"] - half_payload(clean))[heard].max() <= period


def test_every_hidden_unit_hears_the_sum_of_the_losses_of_both_passes() -> None:
    x, y = samples(20, 12, 3)
    rule = "node-perturbation"
    made = compile(graph("relu", 12, 10, 8, 3), rule=rule, calibration=x)
    machine = ReferenceEngine().open(made.program, rounding="independent")
    heard = ("hidden0.before", "hidden1.before", "hidden0.third", "hidden1.third")
    found = machine.run(made.coding.inputs(x, y), samples=20, probes=("fc2.e", *heard)).values
    table, period = dict(made.program.schedule.events), made.program.schedule.period
    for when, names in (("noisy %fc2", heard[:2]), ("fire %fc2", heard[2:])):
        loss = found["fc2.e"][table[when] - 1 :: period].sum(axis=1)
        assert loss.all()
        for name in names:
            assert (found[name][period - 1 :: period] == loss[:, None]).all(), name


@pytest.mark.parametrize(("name", "early"), [("noisy", 2), ("heard", 4), ("fire", 6)])
def test_a_unit_that_acts_before_its_messages_arrive_is_refused(name: str, early: int) -> None:
    program = compile(graph("relu", 6, 5, 4, 3), rule="node-perturbation").program
    first, second, last = program.populations
    constants = {**dict(second.constants), name: early}
    odd = replace(second, constants=tuple(constants.items()))
    found = list(problems_of(replace(program, populations=(first, odd, last))))
    assert [problem.code for problem in found] == ["HB0436"]


def test_what_units_learn_by_trying_is_the_gradient_in_the_mean() -> None:
    """One hidden layer of N units, the same sample again and again, weights held.

    The mean of g points down the gradient, f' W^T e; what it scatters by, summed over the units, is
    N - 1 times the square of its mean, for small perturbations of +1 or -1.
    """
    x, _ = samples(64, 12, 3)
    repeats, units = 4000, 8
    made = compile(graph("tanh", 12, units, 3), rule=GENTLE, calibration=x)
    machine = NativeEngine().open(made.program, rounding="independent")
    inputs = made.coding.inputs(np.tile(x[:1], (repeats, 1)), np.zeros(repeats, np.int64))
    probes = ("hidden0.y2", "hidden0.y3", "hidden0.i", "fc1.d")
    found = machine.run(inputs, samples=repeats, learn=False, probes=probes).values
    table, period = dict(made.program.schedule.events), made.program.schedule.period
    g = (found["hidden0.y2"] - found["hidden0.y3"])[period - 1 :: period].astype(np.float64)
    assert "hidden0.slope" not in made.program.tensors, "no unit asks for its derivative"
    known = compile(graph("tanh", 12, units, 3), rule="dfa", calibration=x).program.tensors
    slope = known["hidden0.slope"][found["hidden0.i"][table["fire %hidden0"] - 1]]
    back = made.program.tensors["to_fc1.weight"][:, :-1].T.astype(np.int64)
    gradient = (back @ found["fc1.d"][table["fire %fc1"] - 1]) * slope
    mean, scatter = g.mean(axis=0), float(g.var(axis=0).sum())
    assert degrees_between(mean, gradient) < 6
    square = float(mean @ mean) - scatter / repeats  # what the mean's own scatter adds is taken off
    assert scatter / square == pytest.approx(units - 1, rel=0.15)


@pytest.mark.parametrize("rule", ["kolen-pollack", "node-perturbation"])
def test_a_network_without_hidden_units_sends_nothing_back(rule: str) -> None:
    made = compile(graph("relu", 6, 3), rule=rule).program
    assert [p.neuron.name for p in made.populations] == ["error"]
    assert [p.synapses for p in made.plasticity] == ["to_fc0"]


def test_the_same_seed_gives_the_same_program_and_another_seed_another() -> None:
    net = graph("relu", 6, 5, 3)
    one, same = compile(net, settings=Settings(seed=1)), compile(net, settings=Settings(seed=1))
    other = compile(net, settings=Settings(seed=2))
    assert one.sha256 == same.sha256 != other.sha256


def test_new_weights_replace_those_of_the_file_on_request() -> None:
    net = graph("relu", 6, 5, 3)
    kept, fresh = compile(net), compile(net, settings=Settings(init="random"))
    name = "to_hidden0.weight"
    assert not np.array_equal(kept.program.tensors[name], fresh.program.tensors[name])


def test_calibration_data_that_do_not_fit_are_refused() -> None:
    with pytest.raises(HebbiteError, match="HB0130"):
        compile(graph("relu", 6, 5, 3), calibration=np.zeros((4, 7)))


def test_an_onnx_file_compiles() -> None:
    made = compile(MODEL)
    sizes = [population.size for population in made.program.populations]
    assert sizes == [32, 16, 10]
    assert replace(made.settings) == Settings()
