"""e-prop on the chip does what its paper says, measured on the program as it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.settings import Settings
from hebbite.rules.objectives import classification
from hebbite.runtime.credit.measures import angle_between
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.twin import (
    LifLayer,
    SpikeReadout,
    SpikingActivity,
    SpikingTwin,
)
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
Real = NDArray[np.float64]
DIGITS = load_dataset("digits", seed=0)
WINDOW, HIDDEN = 24, 20
SPIKING = Settings(neuron="lif", encode="rate", init="random", window=WINDOW)


def graph(hidden: int = HIDDEN) -> Graph:
    """Return 64-hidden-10; a random start replaces the weights."""
    tensors = {"w": np.ones((hidden, 64)), "v": np.ones((10, hidden))}
    nodes = (
        Node("input", (), (Value("x", (64,)),)),
        Node("linear", ("x",), (Value("a", (hidden,)),), (("weight", TensorRef("w")),)),
        Node("relu", ("a",), (Value("h", (hidden,)),)),
        Node("linear", ("h",), (Value("out", (10,)),), (("weight", TensorRef("v")),)),
    )
    return Graph("net", nodes, tensors, ("out",))


def made(rule: str, settings: Settings = SPIKING) -> Compiled:
    calibration = DIGITS.x_train[:64].astype(np.float64)
    return compile(graph(), rule=rule, settings=settings, calibration=calibration)


def constants(model: Compiled, name: str) -> dict[str, int]:
    return dict(model.program.population(name).constants)


def toward_zero(value: Long, bits: int) -> Long:
    return np.asarray(np.sign(value) * (np.abs(value) >> bits), np.int64)


def before_reset(model: Compiled, values: Mapping[str, Long]) -> Long:
    """Return v of hidden units in every step, before a spike resets it, (steps, units)."""
    v, u = values["h.v"], values["h.u"]
    last = np.vstack([np.zeros_like(v[:1]), v[:-1]])
    keep, bias = constants(model, "h")["dv_keep"], model.program.tensors["h.bias"]
    summed = toward_zero(last * keep, 12) + u + bias
    summed[:: WINDOW + 1] = 0  # the first step of a sample is a reset
    return summed


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("feedback", ["random", "symmetric"])
def test_the_update_is_the_sum_over_steps_of_signal_derivative_and_trace(
    feedback: str, recurrent: bool
) -> None:
    """dw = eta sum_t L_j psi_j xbar_i, in NumPy from what the neurons and lines did."""
    rule = f"eprop(rate=-6, gain=1, steps=8, width=-1, feedback={feedback})"
    model = made(rule, replace(SPIKING, recurrent=recurrent))
    samples, program = 40, model.program
    group = "again_h" if recurrent else "to_h"
    probes = ("h.v", "h.u", "h.s", "out.e", f"{group}.x1", f"{group}.weight", "to_out.weight")
    machine = load_engine("native").open(program, rounding="independent")
    found = machine.run(
        model.coding.inputs(DIGITS.x_train[:samples], DIGITS.y_train[:samples]),
        samples=samples,
        probes=probes,
    ).values
    chip = constants(model, "h")
    psi = np.abs(before_reset(model, found) - chip["threshold"]) <= chip["threshold"] >> 1
    errors = np.vstack([np.zeros_like(found["out.e"][:1]), found["out.e"][:-1]])
    if feedback == "random":
        arrived = errors @ program.tensors["back_h.weight"].astype(np.int64).T
    else:
        copied = found["to_out.weight"].reshape(-1, 10, HIDDEN).transpose(0, 2, 1)
        back = np.concatenate([program.tensors["back_h.weight"][None].astype(np.int64), copied])
        arrived = np.einsum("tk,tjk->tj", errors[1:], back[:-2])
        arrived = np.vstack([np.zeros_like(arrived[:1]), arrived])
    signal = np.clip(toward_zero(arrived, chip["feedback_shift"]), -127, 127)
    learning = (np.arange(len(signal)) % (WINDOW + 1) >= WINDOW + 1 - 8)[:, None]
    credit = np.where(psi & learning, signal, 0)
    trace = found[f"{group}.x1"]
    shape = program.tensors[f"{group}.weight"].shape
    weights = found[f"{group}.weight"].reshape(-1, *shape)
    moved = np.diff(np.concatenate([program.tensors[f"{group}.weight"][None], weights]), axis=0)
    wanted = (credit[:, :, None] * trace[:, None, :] >> 3) * 2.0**-6
    assert (credit != 0).mean() > 0.02
    assert np.abs(weights).max() < 255
    assert np.abs(moved - wanted).max() <= 1.0  # a random bit rounds up or down
    wrong = (moved - wanted).sum(axis=0)
    assert np.abs(wrong).max() < 5 * 0.5 * np.sqrt((wanted != 0).sum(axis=0).max())
    assert abs(wrong.mean()) < 0.5


def twin_of(model: Compiled) -> SpikingTwin:
    """Return the network in real numbers, read out by the chip's integrators."""
    hidden, out = constants(model, "h"), constants(model, "out")
    weight = model.program.tensors["to_h.weight"].astype(np.float64)
    bias = model.program.tensors["h.bias"].astype(np.float64)
    threshold = float(hidden["threshold"])
    layer = LifLayer("h", weight, bias, 0.0, hidden["dv_keep"] / 2**12, threshold, gain=64.0)
    read = model.program.tensors["to_out.weight"] * 64 / 2.0 ** out["shift"]
    readout = SpikeReadout(read.astype(np.float64), out["dv_keep"] / 2**12, every=False)
    return SpikingTwin((layer,), readout, classification(margin=12), Surrogate("boxcar", 1.0))


def test_with_symmetric_feedback_the_mean_update_points_along_the_surrogate_gradient() -> None:
    model = made("eprop(rate=-5, gain=2, steps=1, width=0, feedback=symmetric)")
    start = {g.weight: model.program.tensors[g.weight] for g in model.program.synapses}
    samples = 300
    x, y = DIGITS.x_train[:samples], DIGITS.y_train[:samples]
    update = np.zeros(start["to_h.weight"].shape)
    probes, parts = ("x.s", "h.s", "h.v", "h.u"), []
    with Session(model) as session:
        for n in range(samples):
            for name, weight in start.items():
                session.write(name, weight)
            run = session.run(x[n : n + 1], y[n : n + 1], learn=True, probes=probes)
            update += session.read("to_h.weight") - start["to_h.weight"]
            parts.append(run.values)
    twin = twin_of(model)
    last = WINDOW - 1  # a spike reaches the integrators one step later, so the last one never
    potential = np.stack([before_reset(model, p)[:last] for p in parts], axis=1).astype(np.float64)
    lines, spikes = (
        np.stack([p[name][:last] for p in parts], axis=1).astype(np.float64)
        for name in ("x.s", "h.s")
    )
    activity = SpikingActivity((lines, spikes), (potential,), twin.read(spikes))
    target = 100.0 * np.eye(10)[y]
    (gradient,) = twin.gradient(activity, target)
    assert np.abs(update).sum() > 100
    angle = angle_between([update], [gradient])
    assert angle is not None
    assert angle < 45


def test_recurrent_synapses_learn_and_learning_beats_frozen_features() -> None:
    settings = replace(SPIKING, recurrent=True, window=32)
    scores = {}
    for learns in ("all", "readout"):
        model = made(f"eprop(learns={learns})", settings)
        before = model.program.tensors["again_h.weight"]
        with Session(model) as session:
            session.fit(DIGITS.x_train, DIGITS.y_train, epochs=3)
            changed = float((session.read("again_h.weight") != before).mean())
            scores[learns] = session.evaluate(DIGITS.x_test, DIGITS.y_test)
        assert (changed > 0.5) == (learns == "all")
    assert scores["all"] > scores["readout"] + 0.05


def test_nothing_is_learnt_without_a_teacher_and_errors_in_the_margin_cost_nothing() -> None:
    model = made("eprop")
    with Session(model) as session:
        session.run(DIGITS.x_train[:5], learn=True)
        for group in model.program.synapses:
            assert np.array_equal(session.read(group.weight), model.program.tensors[group.weight])
        assert session.counters is not None
        assert session.counters.total("updates_visited") == 0
