"""EMSTDP on the chip: counts of two phases, and what their difference says of the error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.check import problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.runtime.credit.measures import angle_between
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
Real = NDArray[np.float64]
DIGITS = load_dataset("digits", seed=0)
WINDOW, HIDDEN = 30, 20
PERIOD = 2 * WINDOW
SPIKING = Settings(neuron="lif", encode="rate", init="random", window=WINDOW)
PROBES = ("h.s", "h.h", "h.count", "h.y2", "h.y3", "out.s", "out.e", "out.score", "to_h.x1")


def graph(hidden: int = HIDDEN) -> Graph:
    """Return 64-hidden-10, or 64-10 without hidden units; a random start replaces the weights."""
    nodes = [Node("input", (), (Value("x", (64,)),))]
    tensors, value, size = {}, "x", 64
    if hidden:
        tensors["w"], size = np.ones((hidden, 64)), hidden
        weight = (("weight", TensorRef("w")),)
        nodes.append(Node("linear", ("x",), (Value("a", (hidden,)),), weight))
        nodes.append(Node("relu", ("a",), (Value("h", (hidden,)),)))
        value = "h"
    tensors["v"] = np.ones((10, size))
    weight = (("weight", TensorRef("v")),)
    nodes.append(Node("linear", (value,), (Value("out", (10,)),), weight))
    return Graph("net", tuple(nodes), tensors, ("out",))


def made(rule: str = "emstdp", hidden: int = HIDDEN, settings: Settings = SPIKING) -> Compiled:
    calibration = DIGITS.x_train[:64].astype(np.float64)
    return compile(graph(hidden), rule=rule, settings=settings, calibration=calibration)


def ran(model: Compiled, samples: int, *, taught: bool = True) -> dict[str, Long]:
    """Return probes (samples, period, size) of a network whose weights stay as they are."""
    with Session(model) as session:
        y = DIGITS.y_train[:samples] if taught else None
        found = session.run(DIGITS.x_train[:samples], y, learn=True, probes=PROBES)
    return {name: value.reshape(samples, PERIOD, -1) for name, value in found.values.items()}


def test_without_an_error_both_phases_are_the_same_spikes_and_nothing_is_learnt() -> None:
    model = made()
    found = ran(model, 20, taught=False)
    for name in ("h.s", "out.s"):
        first, second = found[name][:, :WINDOW], found[name][:, WINDOW:]
        assert np.array_equal(first, second)
        assert first.any()
    with Session(model) as session:
        session.run(DIGITS.x_train[:20], learn=True)
        for group in model.program.synapses:
            assert np.array_equal(session.read(group.weight), model.program.tensors[group.weight])


def test_a_unit_tells_the_difference_of_its_counts_and_an_output_that_to_its_target() -> None:
    model = made("emstdp(rate=-7)")
    found, out = ran(model, 30), dict(model.program.population("out").constants)
    unit = out["unit"]
    first, second = found["h.s"][:, :WINDOW].sum(axis=1), found["h.s"][:, WINDOW:].sum(axis=1)
    told = found["h.y2"][:, -1] - found["h.y3"][:, -1]
    assert np.array_equal(found["h.h"][:, -1], first)
    assert np.array_equal(told, np.clip((second - first) << unit, -127, 127))
    assert (told > 0).mean() > 0.05
    assert (told < 0).mean() > 0.05
    count = found["out.s"][:, :WINDOW].sum(axis=1)
    target = 100 * np.eye(10, dtype=np.int64)[DIGITS.y_train[:30]]
    error = np.clip(target - np.minimum(count << unit, 127), -127, 127)
    error *= np.abs(error) >= out["margin"]
    assert np.array_equal(found["out.e"][:, WINDOW - 1], error)
    assert np.array_equal(found["out.e"][:, -2], error)
    assert not found["out.e"][:, -1].any()


def test_the_answer_is_the_largest_count_of_the_free_phase() -> None:
    model = made()
    found = ran(model, 30)
    count = found["out.s"][:, :WINDOW].sum(axis=1)
    score = found["out.score"][:, WINDOW - 1]
    assert np.array_equal((score + 512) >> 10, count)
    answers = score.argmax(axis=1)
    assert np.array_equal(count[np.arange(30), answers], count.max(axis=1))


def mean_update(model: Compiled, name: str, samples: int) -> tuple[Real, dict[str, Long]]:
    """Return the summed update of a group from samples that all meet the same weights."""
    start = {g.weight: model.program.tensors[g.weight] for g in model.program.synapses}
    update = np.zeros(start[f"{name}.weight"].shape)
    parts: list[dict[str, Long]] = []
    probes = ("x.s", *(p for p in PROBES if p.startswith("out") or name == "to_h"))
    with Session(model) as session:
        for n in range(samples):
            for tensor, weight in start.items():
                session.write(tensor, weight)
            x, y = DIGITS.x_train[n : n + 1], DIGITS.y_train[n : n + 1]
            parts.append(dict(session.run(x, y, learn=True, probes=probes).values))
            update += session.read(f"{name}.weight") - start[f"{name}.weight"]
    return update, {key: np.stack([p[key] for p in parts]) for key in parts[0]}


def test_on_one_layer_it_is_the_delta_rule_on_counts() -> None:
    model = made("emstdp(rate=-5)", hidden=0)
    update, found = mean_update(model, "to_out", 200)
    error = found["out.e"][:, WINDOW].astype(np.float64)
    counts = found["x.s"][:, WINDOW:].sum(axis=1).astype(np.float64)
    angle = angle_between([update], [error.T @ counts])
    assert np.abs(update).sum() > 1000
    assert angle is not None
    assert angle < 15


def test_differences_of_hidden_units_point_along_the_errors_that_reach_them() -> None:
    """The mean update is that of B d x where units are near threshold: direct feedback."""
    model = made("emstdp(rate=-5)")
    update, found = mean_update(model, "to_h", 300)
    error = found["out.e"][:, WINDOW].astype(np.float64)
    counts = found["x.s"][:, WINDOW:].sum(axis=1).astype(np.float64)
    back = model.program.tensors["back_h.weight"].astype(np.float64)
    alive = found["h.s"][:, :WINDOW].sum(axis=1) > 0
    wanted = (alive * (error @ back.T)).T @ counts
    angle = angle_between([update], [wanted])
    assert angle is not None
    assert angle < 60
    silent = angle_between([update], [-wanted])
    assert silent is not None
    assert silent > 120


def test_it_learns_better_than_a_readout_of_frozen_units() -> None:
    scores = {}
    for rule in ("emstdp(rate=-5)", "emstdp(rate=-5, learns=readout)"):
        model = made(rule)
        with Session(model) as session:
            session.fit(DIGITS.x_train, DIGITS.y_train, epochs=2)
            scores[rule] = session.evaluate(DIGITS.x_test, DIGITS.y_test)
            moved = session.read("to_h.weight") != model.program.tensors["to_h.weight"]
            assert moved.any() == ("readout" not in rule)
    hidden, readout = scores.values()
    assert readout > 0.2
    assert hidden > readout + 0.05


@pytest.mark.parametrize("window", [1, 2, 32, 62])
def test_phases_that_a_clock_does_not_hold_are_refused(window: int) -> None:
    with pytest.raises(UnsupportedError, match="HB0416"):
        made(settings=replace(SPIKING, window=window))


@pytest.mark.parametrize("window", [3, 31])
def test_the_shortest_and_the_longest_phase_have_a_program(window: int) -> None:
    model = made(settings=replace(SPIKING, window=window))
    assert model.program.schedule.period == 2 * window
    assert model.program.schedule.inference_end == window


def test_an_objective_beyond_labels_and_recurrent_units_are_refused() -> None:
    rule, hears = parse_rule("emstdp"), replace(SPIKING, recurrent=True)
    goal = parse_objective("classification(loss=cross-entropy)")
    assert [p.code for p in problems_of_request(graph(), rule, goal, SPIKING)] == ["HB0413"]
    plain = parse_objective("classification")
    assert [p.code for p in problems_of_request(graph(), rule, plain, hears)] == ["HB0417"]
