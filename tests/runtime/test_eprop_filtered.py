"""e-prop with a filtered eligibility: tags and updates are the sums of the paper, as the chip runs.

Real sums are computed in NumPy from what lines and neurons did, step by step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
Real = NDArray[np.float64]
DIGITS = load_dataset("digits", seed=0)
WINDOW, HIDDEN, SAMPLES, STEPS = 24, 20, 40, 6
PERIOD = WINDOW + 1
SPIKING = Settings(neuron="lif", encode="rate", init="random", window=WINDOW)
RULE = f"eprop-filtered(rate=-6, gain=1, steps={STEPS}, width=-1, tau=24, up=1)"
KEEP = 1 - 5 / 128
"""The chip's scale nearest to exp(-1/24) = 0.9592 is 0.9609."""


def made(rule: str = RULE, settings: Settings = SPIKING, hidden: int = HIDDEN) -> Compiled:
    """Return 64-hidden-10; a random start replaces the weights."""
    tensors = {"w": np.ones((hidden, 64)), "v": np.ones((10, hidden))}
    nodes = (
        Node("input", (), (Value("x", (64,)),)),
        Node("linear", ("x",), (Value("a", (hidden,)),), (("weight", TensorRef("w")),)),
        Node("relu", ("a",), (Value("h", (hidden,)),)),
        Node("linear", ("h",), (Value("out", (10,)),), (("weight", TensorRef("v")),)),
    )
    calibration = DIGITS.x_train[:64].astype(np.float64)
    graph = Graph("net", nodes, tensors, ("out",))
    return compile(graph, rule=rule, settings=settings, calibration=calibration)


def toward_zero(value: Long, bits: int) -> Long:
    return np.asarray(np.sign(value) * (np.abs(value) >> bits), np.int64)


def ran(model: Compiled, group: str) -> dict[str, Long]:
    """Return what a group's synapses and neurons did in every step of SAMPLES samples."""
    probes = ("h.v", "h.u", "h.s", "out.e", *(f"{group}.{r}" for r in ("x1", "t", "weight")))
    machine = load_engine("native").open(model.program, rounding="independent")
    inputs = model.coding.inputs(DIGITS.x_train[:SAMPLES], DIGITS.y_train[:SAMPLES])
    return dict(machine.run(inputs, samples=SAMPLES, probes=probes).values)


def psi_of(model: Compiled, found: dict[str, Long]) -> Long:
    """Return the pseudo-derivative of every hidden unit, (steps, units), from v and u."""
    chip = dict(model.program.population("h").constants)
    last = np.vstack([np.zeros_like(found["h.v"][:1]), found["h.v"][:-1]])
    bias = model.program.tensors["h.bias"].astype(np.int64)
    v = toward_zero(last * chip["dv_keep"], 12) + found["h.u"] + bias
    psi = np.abs(v - chip["threshold"]) <= chip["threshold"] >> 1
    psi[::PERIOD] = False  # the first step of a sample is a reset
    return np.asarray(psi, np.int64)


def filtered(drive: Real) -> Real:
    """Return the sum over the steps of a sample so far, weighed by KEEP^age; (steps, ...)."""
    out = np.zeros_like(drive)
    for step in range(1, len(drive)):
        begins = step % PERIOD in (0, 1)
        out[step] = drive[step] + (0.0 if begins else KEEP * out[step - 1])
    return out


def in_shape(found: dict[str, Long], name: str, model: Compiled, group: str) -> Long:
    shape = model.program.tensors[f"{group}.weight"].shape
    return np.asarray(found[name].reshape(-1, *shape), np.int64)


@pytest.mark.parametrize("recurrent", [False, True])
def test_the_tag_is_the_filtered_sum_of_derivative_and_trace(recurrent: bool) -> None:
    model = made(settings=replace(SPIKING, recurrent=recurrent))
    group = "again_h" if recurrent else "to_h"
    found = ran(model, group)
    psi, trace = psi_of(model, found), found[f"{group}.x1"]
    wanted = filtered((psi[:, :, None] * trace[:, None, :]) / 2.0)
    tag = in_shape(found, f"{group}.t", model, group)
    held = np.arange(len(tag)) % PERIOD >= 2
    wrong = (tag - wanted)[held]
    assert 0.1 < psi.mean() < 0.9
    assert 50 < wanted.max() < 255
    assert abs(wrong.mean()) < 0.05  # rounding is stochastic: without bias
    assert wrong.std() < 2.0  # and it fades: 0.5 / sqrt(1 - KEEP^2) = 1.8
    assert np.abs(tag[::PERIOD]).max() > 0  # a step later all of it is gone
    assert np.corrcoef(tag[held].ravel(), wanted[held].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("recurrent", [False, True])
def test_the_update_is_the_sum_of_errors_that_come_back_and_tags(recurrent: bool) -> None:
    model = made(settings=replace(SPIKING, recurrent=recurrent))
    group = "again_h" if recurrent else "to_h"
    found, program = ran(model, group), model.program
    errors = np.vstack([np.zeros_like(found["out.e"][:1]), found["out.e"][:-1]])
    arrived = errors @ program.tensors["back_h.weight"].astype(np.int64).T
    shift = dict(program.population("h").constants)["feedback_shift"]
    learning = (np.arange(len(errors)) % PERIOD >= PERIOD - STEPS)[:, None]
    signal = np.where(learning, np.clip(toward_zero(arrived, shift), -127, 127), 0)
    tag = in_shape(found, f"{group}.t", model, group)
    before = np.concatenate([np.zeros_like(tag[:1]), tag[:-1]])
    weights = in_shape(found, f"{group}.weight", model, group)
    start = program.tensors[f"{group}.weight"][None].astype(np.int64)
    moved = np.diff(np.concatenate([start, weights]), axis=0)
    wanted = (signal[:, :, None] * before >> 5) * 2.0**-6
    assert (signal != 0).mean() > 0.1
    assert np.abs(weights).max() < 255
    assert not moved[~learning[:, 0]].any()
    assert np.abs(moved - wanted).max() <= 1.1  # a random bit, and y2 that fades by 1 at times
    psi, trace = psi_of(model, found), found[f"{group}.x1"]
    eligibility = filtered((psi[:, :, None] * trace[:, None, :]) / 2.0)
    eligibility = np.concatenate([np.zeros_like(eligibility[:1]), eligibility[:-1]])
    asked = (signal[:, :, None] * eligibility * 2.0**-11).sum(axis=0)
    dropped = (signal[:, :, None] * before * 2.0**-11 - wanted).sum(axis=0)
    wrong = moved.sum(axis=0) - (asked - dropped)
    chance = (wanted % 1 * (1 - wanted % 1)).sum(axis=0).mean()
    assert abs(wrong.mean()) < 0.3
    assert wrong.std() < 1.2 * np.sqrt(chance)
    assert np.abs(asked).std() > np.sqrt(chance)


def test_a_longer_time_constant_remembers_what_happened_earlier() -> None:
    """A line is heard in the first half of a sample alone; errors come in its last steps."""
    moved = {}
    for tau in (4, 24, 96):
        model = made(f"eprop-filtered(rate=-4, gain=1, steps=2, tau={tau}, up=0)")
        inputs = model.coding.inputs(DIGITS.x_train[:SAMPLES], DIGITS.y_train[:SAMPLES])
        inputs[model.coding.source] = inputs[model.coding.source].copy()
        inputs[model.coding.source][:, WINDOW // 3 :, :32] = 0
        machine = load_engine("native").open(model.program, rounding="independent")
        machine.run(inputs, samples=SAMPLES)
        change = machine.read("to_h.weight") - model.program.tensors["to_h.weight"]
        early, late = (float(np.abs(part).mean()) for part in np.split(change, [32], axis=1))
        moved[tau] = early / late
    assert moved[96] > 1.2 * moved[24] > 1.5 * 1.2 * moved[4]


def test_with_the_filter_of_the_readout_hidden_synapses_learn_better_than_frozen_ones() -> None:
    scores = {}
    settings = replace(SPIKING, window=32)
    for rule in ("eprop-filtered", "eprop(learns=readout)"):
        with Session(made(rule, settings)) as session:
            session.fit(DIGITS.x_train, DIGITS.y_train, epochs=3)
            scores[rule] = session.evaluate(DIGITS.x_test, DIGITS.y_test)
    assert scores["eprop-filtered"] > scores["eprop(learns=readout)"] + 0.05


def test_without_a_teacher_tags_move_and_weights_stay() -> None:
    model = made()
    with Session(model) as session:
        found = session.run(DIGITS.x_train[:5], learn=True, probes=("to_h.t",))
        assert found.values["to_h.t"].any()
        for group in model.program.synapses:
            assert np.array_equal(session.read(group.weight), model.program.tensors[group.weight])


def test_tags_are_dense_work_and_the_readout_keeps_none() -> None:
    model = made()
    groups = {p.synapses: p for p in model.program.plasticity}
    assert groups["to_h"].dt == model.rule.dt
    assert groups["to_out"].dt is None
    visits = {}
    for rule in (RULE, f"eprop(rate=-6, gain=1, steps={STEPS}, width=-1)"):
        with Session(made(rule)) as session:
            session.run(DIGITS.x_train[:20], DIGITS.y_train[:20], learn=True)
            assert session.counters is not None
            visits[rule] = session.counters.total("updates_visited")
    filtered_visits, plain_visits = visits.values()
    assert filtered_visits >= 20 * PERIOD * HIDDEN * 64
    assert plain_visits < 20 * STEPS * (HIDDEN * 64 + 10 * HIDDEN)


def test_a_rule_of_your_own_with_a_tag_needs_a_readout_without_one() -> None:
    own = "rule own; dw = 2^-6*y0*t*y2; dt = u0*x1*y1 - 2^-4*u0*t; feedback eprop; networks spiking"
    with pytest.raises(UnsupportedError, match="HB0496"):
        made(own)


def test_the_rule_in_numbers() -> None:
    rule = parse_rule("eprop-filtered(tau=24)")
    assert [str(product) for product in rule.updates[1].products] == [
        "-5*2^-7*u0*t",
        "-u0*t*y2*y3",
        "2^-1*u0*x1*y1",
    ]
