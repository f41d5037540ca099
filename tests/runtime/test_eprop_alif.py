"""e-prop of neurons with an adaptive threshold: recursion and update of the paper, in NumPy from
what lines and neurons did, and what a chip has no room for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.check import problems_of_request
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.program.types import TAG
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine

Long = NDArray[np.int64]
Real = NDArray[np.float64]
DIGITS = load_dataset("digits", seed=0)
WINDOW, HIDDEN, SAMPLES, STEPS, BETA, UP = 30, 20, 40, 6, 2, 0
PERIOD = WINDOW + 1
SPIKING = Settings(neuron="lif", encode="rate", init="random", window=WINDOW)
RULE = f"eprop-alif(rate=-5, gain=1, steps={STEPS}, width=-1, beta={BETA}, tau=30, up={UP})"
SHARE = 2.0 ** -(BETA - 1 + 1)
"""b = 2^-(beta + width + 1)."""
RHO = 1 - 2.0**-5
"""The chip's scale nearest to exp(-1/30) = 0.9672 is 0.96875."""


def graph() -> Graph:
    """Return 64-20-10; a random start replaces the weights."""
    tensors = {"w": np.ones((HIDDEN, 64)), "v": np.ones((10, HIDDEN))}
    nodes = (
        Node("input", (), (Value("x", (64,)),)),
        Node("linear", ("x",), (Value("a", (HIDDEN,)),), (("weight", TensorRef("w")),)),
        Node("relu", ("a",), (Value("h", (HIDDEN,)),)),
        Node("linear", ("h",), (Value("out", (10,)),), (("weight", TensorRef("v")),)),
    )
    return Graph("net", nodes, tensors, ("out",))


def made(rule: str = RULE, settings: Settings = SPIKING) -> Compiled:
    calibration = DIGITS.x_train[:64].astype(np.float64)
    return compile(graph(), rule=rule, settings=settings, calibration=calibration)


def ran(model: Compiled) -> dict[str, Long]:
    names = ("v", "u", "s", "m", "y1", "y2", "y3")
    held = ("to_h.x1", "to_h.t", "to_h.weight")
    probes = (*(f"h.{name}" for name in names), *held)
    machine = load_engine("native").open(model.program, rounding="independent")
    inputs = model.coding.inputs(DIGITS.x_train[:SAMPLES], DIGITS.y_train[:SAMPLES])
    found = dict(machine.run(inputs, samples=SAMPLES, probes=probes).values)
    for name in ("t", "weight"):
        found[f"to_h.{name}"] = found[f"to_h.{name}"].reshape(-1, HIDDEN, 64)
    return found


def toward_zero(value: Long, bits: int) -> Long:
    return np.asarray(np.sign(value) * (np.abs(value) >> bits), np.int64)


def before(values: Long) -> Long:
    return np.concatenate([np.zeros_like(values[:1]), values[:-1]])


def psi_of(model: Compiled, found: dict[str, Long]) -> Long:
    """Return the pseudo-derivative about the threshold as it stands, from v, u and its rise."""
    chip = dict(model.program.population("h").constants)
    bias = model.program.tensors["h.bias"].astype(np.int64)
    v = toward_zero(before(found["h.v"]) * chip["dv_keep"], 12) + found["h.u"] + bias
    psi = np.abs(v - chip["threshold"] - found["h.m"]) <= chip["threshold"] >> 1
    psi[::PERIOD] = False
    return np.asarray(psi, np.int64)


def epsilon(psi: Long, trace: Long) -> Real:
    """Return the recursion of the paper as it stands after every step, (steps, units, lines)."""
    seen = np.asarray(psi[:, :, None] * trace[:, None, :], np.float64)
    out = np.zeros_like(seen)
    for step in range(1, len(seen)):
        kept = np.zeros_like(out[0]) if step % PERIOD in (0, 1) else out[step - 1]
        out[step] = seen[step] + (RHO - SHARE * psi[step][:, None]) * kept
    return out


def test_a_threshold_rises_with_every_spike_and_falls_back() -> None:
    model = made()
    found, chip = ran(model), dict(model.program.population("h").constants)
    fallen = toward_zero(before(found["h.m"]) * chip["keep"], 12)
    fired = before(found["h.s"]) * (chip["threshold"] >> BETA)
    inside = np.arange(len(fired)) % PERIOD > 0
    assert np.array_equal(found["h.m"][inside], (fallen + fired)[inside])
    assert not found["h.m"][::PERIOD].any()
    assert found["h.m"].max() > chip["threshold"]
    spikes = found["h.s"].reshape(SAMPLES, PERIOD, HIDDEN)
    assert spikes[:, 2:12].mean() > 1.2 * spikes[:, 20:30].mean()


def test_the_tag_is_the_eligibility_of_the_adaptation() -> None:
    model = made()
    found = ran(model)
    psi = psi_of(model, found)
    wanted = epsilon(psi, found["to_h.x1"]) / 2.0**UP
    held = np.arange(len(psi)) % PERIOD >= 2
    wrong = (found["to_h.t"] - wanted)[held]
    assert np.array_equal(found["h.y1"], 32 * psi)
    assert 0.1 < psi.mean() < 0.9
    assert 20 < wanted.max() < 255
    assert abs(wrong.mean()) < 0.05
    assert wrong.std() < 2.0
    assert wanted[held].std() > 2.5 * wrong.std()


def test_the_update_is_signal_times_trace_less_what_adaptation_takes_off() -> None:
    found = ran(made())
    signal = (found["h.y2"] - found["h.y3"])[:, :, None]
    errors = (np.arange(len(signal)) % PERIOD >= PERIOD - STEPS)[:, None, None]
    signal = np.where(errors, signal, 0)
    tag, trace = before(found["to_h.t"]), found["to_h.x1"][:, None, :]
    seen = (signal * trace >> 3) * 2.0**-5
    taken = (-signal * tag >> 5) * 2.0 ** (-5 + 2 + UP) * SHARE
    start = before(found["to_h.weight"])
    start[0] = made().program.tensors["to_h.weight"]
    moved = found["to_h.weight"] - start
    assert (signal != 0).mean() > 0.015
    assert np.abs(found["to_h.weight"]).max() < 255
    assert (np.abs(moved - seen - taken) > 1).mean() < 1e-3  # y2 fades by 1 now and then
    exact = signal * (trace - SHARE * tag * 2.0**UP) * 2.0**-8
    share = (seen + taken) % 1
    chance = (share * (1 - share)).sum(axis=0).mean()
    dropped = (exact - seen - taken).sum(axis=0)
    asked = exact.sum(axis=0)
    wrong = moved.sum(axis=0) - (asked - dropped)
    assert abs(wrong.mean()) < 0.3
    assert wrong.std() < 1.2 * np.sqrt(chance)
    assert dropped.min() >= 0
    assert dropped.max() < 4 * 2.0**-5 * (signal != 0).sum(axis=0).max()
    assert np.corrcoef(asked.ravel(), seen.sum(axis=0).ravel())[0, 1] < 0.999


def test_at_up_5_no_tag_can_saturate_and_two_states_have_no_room() -> None:
    """Intervals of the recursion itself, at the fastest line, for every time constant and share."""
    top, longest = 127, 62
    largest = 0.0
    for psi, keep in product((0, 1), (1 - 2.0**-7, 1.0)):
        high = 0.0
        for _ in range(longest):
            high = top * 1.0 + (keep - psi * 2.0**-7) * high
        largest = max(largest, high)
    assert largest == top * longest
    assert largest / 2**5 <= TAG.weight_high < largest / 2**4
    bits = int(largest).bit_length()
    assert bits == 13
    assert 2 * bits > TAG.weight + 1


def test_a_filtered_eligibility_is_refused_by_name_with_its_numbers() -> None:
    rule = parse_rule("eprop-alif(filtered=true)")
    (problem,) = problems_of_request(graph(), rule, parse_objective("classification"), SPIKING)
    assert problem.code == "HB0402"
    assert "13 bits" in problem.what
    assert "one tag of 8 bits" in problem.what
    with pytest.raises(UnsupportedError, match="HB0402"):
        made("eprop-alif(filtered=true)")


def test_units_of_two_populations_and_recurrent_ones_adapt() -> None:
    model = made(settings=replace(SPIKING, recurrent=True))
    assert {p.synapses for p in model.program.plasticity if p.dt} == {"to_h", "again_h"}
    assert model.program.population("h").neuron.name == "lif_adaptive"
