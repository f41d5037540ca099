"""What a machine takes: bytes a synapse, and no second copy of the weights while it is opened."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.coding import Coding
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import load_compiled, save_compiled
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Dense, Sparse
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.settings import Settings
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import parse_sum
from hebbite.runtime.engines.native import NativeEngine
from hebbite.runtime.engines.native.machine import NativeMachine

LINES, POST = 512, 512
STDP = parse_rule("stdp(up=6, down=6, tau_pre=16, tau_post=16)")
BY_LINE = replace(STDP, dw=parse_sum("dw = 2^-4*x0*y1 - 2^-7*x0*w"))
"""A rule that no event of a neuron starts."""


def program(
    *, lines: int = LINES, post: int = POST, sparse: bool = False, rule: LearningRule | None = None
) -> Program:
    """Return lines to leaky units; a list reaches every neuron too, so that all have 262144."""
    weight = np.random.default_rng(0).integers(-127, 127, (post, lines)).astype(np.int16) * 2
    tensors: dict[str, IntArray] = {"bias": np.zeros(post, np.int32), "w": weight}
    if sparse:
        tensors["w"] = weight.T.reshape(-1)
        tensors["starts"] = np.arange(0, lines * post + 1, post, dtype=np.int64)
        tensors["targets"] = np.tile(np.arange(post, dtype=np.int32), lines)
    lif = (("du_keep", 0), ("dv_keep", 4000), ("threshold", 64 * 1000))
    plastic = () if rule is None else (Plasticity("group", rule.dw, 1, rule.traces, factors=2),)
    connect = Sparse("starts", "targets") if sparse else Dense()
    return Program(
        name="large",
        target="ideal",
        schedule=Schedule(4, 4),
        sources=(Source("in", lines, (1,)),),
        populations=(Population("cells", post, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=(Synapses("group", "in", "cells", "w", graded=False, connect=connect),),
        plasticity=plastic,
        readout=Readout("cells", "s", 4, count=True),
        tensors=tensors,
    )


def bytes_a_synapse(made: Program) -> float:
    """Return the bytes of all arrays of a machine, a synapse."""
    machine = NativeEngine().open(made, rounding="independent")
    machine.run({"in": np.ones((1, 1, LINES), np.int8)}, samples=1)
    return held_by(machine) / (LINES * POST)


def held_by(machine: NativeMachine) -> int:
    """Return the bytes of all arrays; two views of one place are one array."""
    parts = (machine._packed.plan, machine._state, machine._scratch)
    return sum({array.ctypes.data: array.nbytes for part in parts for array in part}.values())


@pytest.mark.parametrize(
    ("sparse", "rule", "limit"),
    [
        (False, None, 1.3),
        (False, STDP, 2.5),
        (True, None, 3.3),
        (True, BY_LINE, 4.5),
        (True, STDP, 4.5),
    ],
    ids=["dense", "dense, plastic", "sparse", "sparse, plastic", "sparse, plastic both ways"],
)
def test_a_synapse_takes_no_more_bytes_than_its_weight_and_who_it_joins(
    sparse: bool, rule: LearningRule | None, limit: float
) -> None:
    assert bytes_a_synapse(program(sparse=sparse, rule=rule)) <= limit


@pytest.mark.parametrize("sparse", [False, True])
def test_a_tag_takes_two_bytes_more(sparse: bool) -> None:
    made = program(sparse=sparse, rule=BY_LINE)
    tag = parse_sum("dt = 2^-2*x0*y1")
    tagged = replace(made, plasticity=(replace(made.plasticity[0], dt=tag),))
    assert bytes_a_synapse(tagged) - bytes_a_synapse(made) == pytest.approx(2, abs=0.01)


def test_a_file_is_loaded_opened_and_run_without_a_second_copy_of_its_weights(
    tmp_path: Path,
) -> None:
    made = program(lines=4096, post=4096)
    coding = Coding("rate", "in", "", 1.0, False, 1, 0, 4096, 64)
    rule, objective = parse_rule("frozen"), parse_objective("classification")
    path = tmp_path / "large.hbt"
    save_compiled(path, Compiled(made, coding, rule, objective, Settings(), "large"))
    size, wanted = made.tensors["w"].nbytes, made.tensors["w"]
    tracemalloc.start()
    try:
        loaded = load_compiled(path).compiled.program
        machine = NativeEngine().open(loaded, rounding="independent")
        machine.run({"in": np.ones((1, 1, 4096), np.int8)}, samples=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * size
    assert np.array_equal(machine.read("w"), wanted)
