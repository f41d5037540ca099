"""Units that try a change and hear whether it helped: every number against the equation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.neuron import execute, new_registers
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.perturbed import perturbed, scoring
from hebbite.compiler.program.neuron import NeuronProgram, check_neuron, parse_neuron
from hebbite.rules.objectives import classification

Long = NDArray[np.int64]
HIDDEN = ("relu", "sigmoid", "tanh")
UNIT = {"shift": 2, "amplitude": 4, "feedback_shift": 3}
TIMES = {"noisy": 2, "heard": 4, "fire": 5, "feedback": 7}
PERIOD = 7
ACTIVATION = {name: np.linspace(0, 254, 256).round().astype(np.int64) for name in HIDDEN}
ACTIVATION["tanh"] = np.linspace(-63, 63, 256).round().astype(np.int64)


def run(
    neuron: NeuronProgram,
    constants: dict[str, int],
    arrivals: dict[tuple[str, int], Long],
    *,
    up: int = 1,
) -> list[dict[str, Long]]:
    """Return the registers after each step; ``arrivals``: (port, offset) -> what arrives then.

    ``up`` is the bit that every draw gives.
    """
    size = next(iter(arrivals.values())).size
    bound = neuron.bind({**constants, **TIMES}, period=PERIOD)
    registers = new_registers(bound, size)
    kind = neuron.name.split("_")[0]
    tables = {"activation": ACTIVATION[kind], "slope": ACTIVATION[kind]} if kind in HIDDEN else {}
    steps = []
    for offset in range(1, PERIOD + 1):
        for port in ("a", "third"):
            registers[port] = arrivals.get((port, offset), np.zeros(size, np.int64))
        execute(
            bound,
            registers,
            offset=offset,
            tables=tables,
            random=lambda _, bits: np.full(size, up, np.int64) << (bits - 1),
        )
        steps.append(dict(registers))
    return steps


def tried(name: str, *, v: Long, change: Long, up: int) -> list[dict[str, Long]]:
    """Return a sample of a hidden unit: v in both passes, and F changes by ``change``."""
    arrivals = {("a", 2): v, ("a", 5): v, ("third", 4): 5000 + change}
    return run(perturbed(NEURONS[name]), UNIT, {**arrivals, ("third", 7): 5000 + 0 * v}, up=up)


@pytest.mark.parametrize("up", [0, 1])
@pytest.mark.parametrize("name", HIDDEN)
def test_a_unit_fires_with_the_change_first_and_then_without(name: str, up: int) -> None:
    v = np.arange(-300, 1300)
    steps = tried(name, v=v, change=0 * v, up=up)
    plain = NEURONS[name]
    alone = {**UNIT, "fire": 5, "feedback": 7}
    for offset, pushed in ((2, v + 16 * (2 * up - 1)), (5, v)):
        bound = plain.bind(alone, period=PERIOD)
        registers = new_registers(bound, v.size)
        registers["a"] = pushed
        execute(
            bound,
            registers,
            offset=5,
            tables={"activation": ACTIVATION[name]},
            random=lambda _, bits: np.full(v.size, bits, np.int64),
        )
        assert np.array_equal(steps[offset - 1]["s"], registers["s"])
    assert len(np.unique(steps[4]["s"])) > 60


@pytest.mark.parametrize("up", [0, 1])
@pytest.mark.parametrize("name", HIDDEN)
def test_a_unit_learns_against_what_made_the_objective_grow(name: str, up: int) -> None:
    change = np.arange(-2000, 2000, 7)
    last = tried(name, v=np.full_like(change, 400), change=change, up=up)[-1]
    xi = 2 * up - 1
    g = np.clip(np.trunc(-change * xi / 8), -127, 127).astype(np.int64)
    assert np.array_equal(last["y2"] - last["y3"], g)
    assert np.array_equal(last["bap"], (g != 0).astype(np.int64))
    assert min(last["y2"].min(), last["y3"].min()) == 0


def test_a_unit_that_sent_the_same_twice_has_no_part_in_the_change() -> None:
    v = np.array([-100, -17, 5000, 400])  # clipped at 0, at 0, at 254, and free
    last = tried("relu", v=v, change=np.full(4, 800), up=1)[-1]
    assert (last["y2"] - last["y3"]).tolist() == [0, 0, 0, -100]


def test_a_unit_that_sent_in_the_noisy_pass_only_sends_a_zero_for_the_trace() -> None:
    v = np.array([-100, -1, 3, 400])
    steps = tried("relu", v=v, change=0 * v, up=1)
    assert steps[1]["s"].tolist() == [0, 3, 4, 104]
    assert steps[4]["s"].tolist() == [0, 0, 0, 100]
    assert steps[-1]["s"].tolist() == [0, 1, 1, 0]


def test_units_with_a_sign_send_the_learning_payload_of_the_clean_pass() -> None:
    v = np.arange(-300, 300, 5)
    steps = tried("tanh", v=v, change=0 * v, up=1)
    assert np.array_equal(steps[-1]["s"], 2 * (steps[4]["s"] + 64))


@pytest.mark.parametrize("margin", [0, 12, 127])
@pytest.mark.parametrize("target", [0, 100, -100])
def test_the_output_sends_twice_the_loss_of_the_objective_in_both_passes(
    margin: int, target: int
) -> None:
    v = np.arange(-160, 160)
    code = np.full_like(v, target + 1)
    constants = {"shift": 0, "margin": margin, "error_shift": 3}
    arrivals = {("a", 2): v, ("a", 5): -v, ("third", 2): code, ("third", 5): code}
    steps = run(scoring(NEURONS["error"]), constants, arrivals)
    goal = classification(margin=margin)
    for offset, value in ((2, v), (5, -v)):
        output = np.clip(value, -127, 127).astype(np.float64)
        wanted = [2 * goal.value(np.array([o]), np.array([float(target)])) for o in output]
        assert np.array_equal(steps[offset - 1]["e"], wanted)
    error = goal.error(np.clip(-v, -127, 127).astype(np.float64), np.full(v.size, float(target)))
    assert np.array_equal(steps[-1]["y2"] - steps[-1]["y3"], np.trunc(error / 8))


def test_without_a_teacher_there_is_no_loss() -> None:
    v = np.arange(-160, 160)
    constants = {"shift": 0, "margin": 0, "error_shift": 3}
    steps = run(scoring(NEURONS["error"]), constants, {("a", 2): v, ("a", 5): -v})
    assert not any(step["e"].any() for step in steps)


@pytest.mark.parametrize("name", [*HIDDEN, "error"])
def test_a_program_of_two_passes_is_lawful_and_prints_and_parses_back(name: str) -> None:
    plain = str(NEURONS[name])
    made = scoring(NEURONS[name]) if name == "error" else perturbed(NEURONS[name])
    assert check_neuron(made) == ()
    assert parse_neuron(str(made)) == made
    assert "slope" not in made.tables
    assert str(NEURONS[name]) == plain
