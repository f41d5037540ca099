"""Lava computes what the reference engine says: every probe, count and state, bit by bit."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import IntArray, Population, Program
from hebbite.rules.errors import EngineError
from hebbite.rules.sums import parse_sum
from hebbite.runtime.engines import lava as lava_package
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.lava import LavaEngine
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import Recording, all_probes

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lava") is None, reason="Lava is not installed"
)
Data = Mapping[str, IntArray]


def machines(program: Program) -> tuple[Machine, Machine]:
    return (
        ReferenceEngine().open(program, rounding="lava-exact"),
        LavaEngine().open(program, rounding="lava-exact"),
    )


def assert_same(one: Recording, other: Recording) -> int:
    """Assert equality; return how many integers were compared."""
    assert one.values.keys() == other.values.keys()
    for probe, value in one.values.items():
        np.testing.assert_array_equal(other.values[probe], value, err_msg=probe)
    np.testing.assert_array_equal(other.answers, one.answers)
    assert other.counters == one.counters
    return sum(value.size for value in one.values.values())


def assert_same_state(one: Machine, other: Machine) -> None:
    wanted, found = one.state(), other.state()
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_hidden_units_learn_the_same_with_random_and_mirrored_feedback(
    graded: Program, graded_data: Data
) -> None:
    reference, lava = machines(graded)
    probes = all_probes(graded)
    wanted = reference.run(graded_data, samples=64, probes=probes)
    found = lava.run(graded_data, samples=64, probes=probes)
    assert found.steps == 320
    assert assert_same(wanted, found) > 90_000
    assert_same_state(reference, lava)
    assert np.count_nonzero(wanted.values["h1.y2"]) > 80
    assert all((lava.read(name) != graded.tensors[name]).any() for name in ("fc1", "fc2", "fb2"))
    assert not any(name.startswith("lava.") for name in sys.modules), "Lava stays in the child"


@pytest.mark.parametrize(
    ("dw", "epoch"),
    [
        ("dw = 2^-2*y0*x1 - 2^-2*x0*y1", 4),
        ("dw = 2^-5*y0*x1*w - 3*2^-1*x0*y1 + 2^-6*u1*y1*x1", 2),
    ],
)
def test_lif_units_learn_the_same_by_spike_timing(
    spiking: Program, spiking_data: Data, dw: str, epoch: int
) -> None:
    learning = dataclasses.replace(spiking.plasticity[0], dw=parse_sum(dw), epoch=epoch)
    program = dataclasses.replace(spiking, plasticity=(learning,))
    reference, lava = machines(program)
    probes = (*all_probes(program), "cells.current", "noisy.n")
    wanted = reference.run(spiking_data, samples=40, probes=probes)
    found = lava.run(spiking_data, samples=40, probes=probes)
    assert found.steps == 480
    assert assert_same(wanted, found) > 50_000
    assert_same_state(reference, lava)
    assert 5 < np.count_nonzero(wanted.values["cells.s"]) < 2000
    assert (lava.read("fc") != program.tensors["fc"]).mean() > 0.5


def test_inference_goes_on_from_any_state_before_and_after_learning(
    spiking: Program, spiking_data: Data
) -> None:
    reference, lava = machines(spiking)
    for learn in (False, True, False):
        runs = [
            machine.run({"in": spiking_data["in"][:3]}, samples=3, learn=learn, probes=("cells.v",))
            for machine in (reference, lava)
        ]
        assert_same(*runs)
        assert_same_state(reference, lava)
    assert (lava.read("fc") % 2).any(), "odd weights survive being loaded again"


def test_a_second_learning_run_is_refused(spiking: Program, spiking_data: Data) -> None:
    reference, lava = machines(spiking)
    reference.run({"in": spiking_data["in"][:1]}, samples=1)
    lava.restore(reference.state())
    with pytest.raises(EngineError, match="HB0605: this machine has learnt before"):
        lava.run({"in": spiking_data["in"][:1]}, samples=1)


def test_no_samples_give_an_empty_recording(graded: Program) -> None:
    reference, lava = machines(graded)
    wanted, found = (m.run({}, samples=0, probes=("h1.s",)) for m in (reference, lava))
    assert_same(wanted, found)


def test_a_time_out_names_the_steps_and_the_limit(graded: Program) -> None:
    machine = LavaEngine(timeout=0.2).open(graded, rounding="lava-exact")
    with pytest.raises(EngineError, match=r"HB0602: Lava did not finish 15 steps within 0\.2 s"):
        machine.run({}, samples=3)


def test_a_neuron_that_fails_is_named_at_once(spiking: Program, spiking_data: Data) -> None:
    grow = parse_neuron("neuron grow() {\nstate v\nalways\nv = mul v, 3\nv = add v, 1\n}")
    program = dataclasses.replace(
        spiking, populations=(spiking.populations[0], Population("noisy", 4, grow))
    )
    machine = LavaEngine().open(program, rounding="lava-exact")
    with pytest.raises(EngineError, match=r"(?s)HB0603.*grow: v = mul v, 3 leaves int32"):
        machine.run({"in": spiking_data["in"][:3]}, samples=3, learn=False)


def test_the_folder_that_lava_executes_holds_one_file() -> None:
    folder = Path(lava_package.__file__).parent / "processes"
    assert [path.name for path in folder.glob("*.py")] == ["__init__.py"]
