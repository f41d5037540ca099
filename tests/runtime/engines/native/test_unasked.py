"""Where every neuron is active anyway nobody asks whom a list reaches; a state tells it still."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.types import Population, Program, Readout, Schedule, Source, Synapses
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.native.machine import NativeMachine
from hebbite.runtime.engines.native.plan import UNASKED
from hebbite.runtime.engines.registry import load_engine

PERIOD, LINES, POST = 5, 50, 300


def listed(bias: NDArray[np.int32], delay: int = 1) -> Program:
    """Return lines to leaky units by a list some of whose weights are 0."""
    rng = np.random.default_rng(0)
    held = rng.random((LINES, POST)) < 0.1
    weight = rng.integers(-2, 3, held.sum())
    lif = (("du_keep", 0), ("dv_keep", 4000), ("threshold", 2**16))
    connect = Sparse("starts", "targets")
    return Program(
        name="listed",
        target="ideal",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("in", LINES, tuple(range(1, PERIOD + 1))),),
        populations=(Population("cells", POST, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=(
            Synapses("group", "in", "cells", "w", connect=connect, graded=False, delay=delay),
        ),
        readout=Readout("cells", "s", PERIOD, count=True),
        tensors={
            "bias": bias,
            "w": weight.astype(np.int16),
            "starts": np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int64),
            "targets": np.nonzero(held)[1].astype(np.int32),
        },
    )


def events(samples: int) -> dict[str, NDArray[np.int8]]:
    sent = np.random.default_rng(samples).random((samples, PERIOD, LINES)) < 0.05
    return {"in": sent.astype(np.int8)}


def opened(program: Program) -> tuple[NativeMachine, Machine]:
    native, reference = (
        load_engine(name).open(program, rounding="independent") for name in ("native", "reference")
    )
    assert isinstance(native, NativeMachine)
    return native, reference


def assert_same_run(native: NativeMachine, reference: Machine, samples: int) -> None:
    found, wanted = (each.run(events(samples), samples=samples) for each in (native, reference))
    assert np.array_equal(found.counters.values, wanted.counters.values)
    assert np.array_equal(found.answers, wanted.answers)


def assert_same_state(native: NativeMachine, reference: Machine) -> None:
    found, wanted = native.state(), reference.state()
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert np.array_equal(found[name], values), name


ALWAYS = np.full(POST, 7, np.int32)
MOSTLY = np.where(np.arange(POST) == 5, 0, 7).astype(np.int32)


@pytest.mark.parametrize("bias", [ALWAYS, ALWAYS + np.arange(POST, dtype=np.int32), MOSTLY])
@pytest.mark.parametrize("delay", [1, 3])
def test_who_was_active_is_counted_as_the_reference_does(
    bias: NDArray[np.int32], delay: int
) -> None:
    native, reference = opened(listed(bias, delay))
    for samples in (1, 2, 7):
        assert_same_run(native, reference, samples)
        assert_same_state(native, reference)


def test_nobody_asks_where_a_bias_keeps_every_neuron_active() -> None:
    for bias, unasked in ((ALWAYS, True), (0 * ALWAYS, False)):
        native, _ = opened(listed(bias))
        native.run(events(3), samples=3)
        slot = native._packed.layout.slots["group"]
        assert (native._state.full[slot] == UNASKED) == unasked


def test_weights_that_are_replaced_change_nothing_that_is_under_way() -> None:
    native, reference = opened(listed(ALWAYS))
    assert_same_run(native, reference, 2)
    for machine in (native, reference):
        machine.write("w", 0 * machine.read("w"))
    assert_same_state(native, reference)
    assert native.state()["arrived.group"].any()
    assert_same_run(native, reference, 2)
    assert not native.state()["arrived.group"].any()
