"""Prototypes that compete: the winner is the exact maximum, and who learns is who should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.lowering.prototypes import rates
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import Recording
from hebbite.runtime.session import Session

Real = NDArray[np.float64]
Long = NDArray[np.int64]
RULES = ("instar", "clp")
INPUTS, UNITS, CLASSES = 6, 5, 3


def graph(units: int = UNITS, classes: int = CLASSES) -> Graph:
    """Return prototypes, and a readout unless there are no classes."""
    rng = np.random.default_rng(5)
    nodes = [
        Node("input", (), (Value("x", (INPUTS,)),)),
        Node("linear", ("x",), (Value("v", (units,)),), (("weight", TensorRef("w")),)),
    ]
    tensors = {"w": rng.normal(size=(units, INPUTS))}
    if not classes:
        return Graph("net", tuple(nodes), tensors, ("v",))
    tensors["c"] = rng.normal(size=(classes, units))
    nodes += [
        Node("relu", ("v",), (Value("units", (units,)),)),
        Node("linear", ("units",), (Value("out", (classes,)),), (("weight", TensorRef("c")),)),
    ]
    return Graph("net", tuple(nodes), tensors, ("out",))


def data(count: int = 40, *, signed: bool = False) -> tuple[Real, Long]:
    rng = np.random.default_rng(1)
    return rng.random((count, INPUTS)) - 0.5 * signed, rng.integers(0, CLASSES, count)


def made(rule: str, *, signed: bool = False, units: int = UNITS) -> Compiled:
    return compile(graph(units), rule=rule, calibration=data(signed=signed)[0])


def ran(model: Compiled, x: Real, y: Long | None, *probes: str) -> Recording:
    """Run samples with learning on the reference engine."""
    machine = ReferenceEngine().open(model.program, rounding="independent")
    return machine.run(model.coding.inputs(x, y), samples=len(x), probes=probes)


@pytest.mark.parametrize("rule", RULES)
def test_the_program_of_a_rule_reads_as_designed(rule: str, golden: Callable[[str], str]) -> None:
    text = print_program(made(rule).program)
    assert text.split("  neuron ")[0].rstrip() == golden(f"program/{rule}")
    assert print_program(parse_program(text, made(rule).program.tensors)) == text


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("signed", [False, True])
def test_exactly_one_unit_wins_and_it_is_the_largest_of_those_in_use(
    rule: str, signed: bool
) -> None:
    model = made(rule, signed=signed)
    (x, y), units = data(signed=signed), model.program.population("units")
    found = ran(model, x, y, "units.v", "units.won", "to_units.weight").values
    period, constants = model.program.schedule.period, dict(units.constants)
    v, won = found["units.v"][period - 1 :: period], found["units.won"][period - 1 :: period]
    used = np.concatenate([np.zeros((1, UNITS)), found["to_units.weight"][:-1, :, -1]]) > 0
    level = np.clip(v >> constants["shift"], 0, constants["highest"])
    key = (level << constants["places"]) + np.arange(UNITS)
    best = np.where(used, key, -1).argmax(axis=1)
    assert np.array_equal(won.sum(axis=1), np.ones(len(x)))
    assert np.array_equal(won.argmax(axis=1)[1:], best[1:])
    assert len(set(best[UNITS:])) > 2


@pytest.mark.parametrize("rule", RULES)
def test_equal_potentials_are_told_apart_by_the_number_of_the_unit(rule: str) -> None:
    model = made(f"{rule}(bits=4)")
    x = np.ones((20, INPUTS))
    found = ran(model, x, np.arange(20) % CLASSES, "units.won").values["units.won"]
    won = found[model.program.schedule.period - 1 :: model.program.schedule.period]
    assert np.array_equal(won.sum(axis=1), np.ones(20))


@pytest.mark.parametrize("signed", [False, True])
def test_the_first_samples_become_the_prototypes_as_they_are(signed: bool) -> None:
    model = made("instar(alpha=0)", signed=signed)
    x, y = data(signed=signed)
    with Session(model, engine="reference") as session:
        session.run(x, y, learn=True)
        weight = session.read("to_units.weight")
    payload = model.coding.events(x)[:UNITS, 0]
    wanted = 2 * payload if signed else 2 * np.rint(payload / 2)
    assert np.array_equal(weight[:, :-1], wanted)


def test_a_novelty_or_a_wrong_class_takes_the_next_unit_and_a_match_takes_none() -> None:
    model = compile(graph(), rule="clp(novelty=100)", calibration=np.eye(INPUTS))
    a, b = np.eye(INPUTS)[0], np.eye(INPUTS)[1]
    close = np.array([1.0, 0.2, 0, 0, 0, 0])
    with Session(model, engine="reference") as session:
        used = []
        for x, y in ((a, 0), (a, 0), (close, 0), (b, 0), (close, 1), (close, 1)):
            session.step(x, y, learn=True)
            used.append(int((session.read("to_units.weight")[:, -1] > 0).sum()))
        assert used == [1, 1, 1, 2, 3, 3]
        assert session.predict(np.stack([a, b, close])).tolist() == [0, 0, 1]
        labels = session.read("to_out.weight")
    assert labels[:, :3].tolist() == [[254, 254, 0], [0, 0, 254], [0, 0, 0]]
    assert not labels[:, 3:].any()


def test_nothing_is_learnt_without_a_teacher_and_nothing_is_forgotten_when_all_are_used() -> None:
    model = made("clp")
    x, y = data(100)
    with Session(model, engine="reference") as session:
        session.run(x[:50], learn=True)
        assert not session.read("to_units.weight").any()
        session.run(x, y, learn=True)
        assert (session.read("to_units.weight")[:, -1] > 0).all()
        labels = session.read("to_out.weight")
        assert sorted(set(labels.ravel())) == [0, 254]
        session.run(x, 2 - y, learn=True)
        assert np.array_equal(session.read("to_out.weight"), labels)


def test_a_prototype_is_the_mean_of_what_it_has_learnt() -> None:
    model = made("clp(novelty=0)")
    x, _ = data(12)
    with Session(model, engine="reference") as session:
        session.run(x, np.zeros(12, np.int64), learn=True)
        weight = session.read("to_units.weight")
    assert (weight[1:] == 0).all()
    mean = model.coding.events(x)[:, 0].mean(axis=0)
    assert np.abs(weight[0, :-1] - mean).max() < 6


def test_a_prototype_of_a_saved_model_moves_at_the_slowest_rate() -> None:
    model = made("clp(novelty=0, slowest=4)")
    x, _ = data(12)
    y = np.zeros(12, np.int64)
    with Session(model, engine="reference") as session:
        session.run(x[:1], y[:1], learn=True)
        saved = session.snapshot()
    with Session(saved, engine="reference") as session:
        before = session.read("to_units.weight")[0, :-1]
        for n in (1, 2):
            session.run(x[n : n + 1], y[:1], learn=True)
            after = session.read("to_units.weight")[0, :-1]
            wanted = before + (model.coding.events(x[n : n + 1])[0, 0] - before) * 4 / 64
            assert np.abs(after - wanted).max() < 2
            before = after


def test_the_rate_of_a_prototype_falls_with_what_it_has_learnt_to_the_slowest() -> None:
    assert rates(8)[:10].tolist() == [8, 32, 21, 16, 13, 11, 9, 8, 8, 8]
    assert rates(0)[-1] == 0


def test_the_readout_learns_how_often_a_unit_wins_for_a_class() -> None:
    model = made("instar(alpha=0)", units=1)
    x, y = np.ones((400, INPUTS)), np.arange(400) % 4 // 3
    with Session(model, engine="reference") as session:
        session.run(x, y, learn=True)
        weight = session.read("to_out.weight")[:, 0]
    assert weight.sum() == pytest.approx(254, abs=12)
    assert weight[0] / 254 == pytest.approx(0.75, abs=0.12)
    assert weight[2] == 0


def test_prototypes_without_a_readout_answer_with_their_potentials() -> None:
    x, _ = data()
    model = compile(graph(classes=0), rule="instar", calibration=x)
    assert (model.coding.teacher, model.coding.outputs) == ("", UNITS)
    with Session(model, engine="reference") as session:
        session.run(x[:UNITS], learn=True)
        assert session.predict(x[:UNITS]).tolist() == list(range(UNITS))


def test_a_sample_takes_a_step_a_bit_of_the_competition() -> None:
    assert [made(rule).program.schedule.period for rule in RULES] == [
        4 + 12 + 3 + 1,
        4 + 12 + 3 + 2,
    ]
    assert made("clp(bits=8)", units=33).program.schedule.period == 4 + 8 + 6 + 2
