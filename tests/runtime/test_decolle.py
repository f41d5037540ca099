"""DECOLLE on the chip: every population learns from a readout of its own, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import Session

DIGITS = load_dataset("digits", seed=0)
SPIKING = Settings(neuron="lif", encode="rate", window=20)
MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
X, Y = DIGITS.x_train[:40].astype(np.float64), DIGITS.y_train[:40]


def made(rule: str) -> Compiled:
    return compile(MODEL, rule=rule, settings=SPIKING, calibration=X)


def test_errors_come_back_through_the_weights_that_the_readout_reads_by() -> None:
    model = made("decolle(rate=-4)")
    learning = {plasticity.synapses for plasticity in model.program.plasticity}
    with Session(model) as session:
        session.run(X, Y, learn=True)
        for name in ("relu1", "relu2"):
            read, back = (session.read(f"{way}_{name}.weight") for way in ("read", "back"))
            assert np.array_equal(read.T, back)
            assert np.array_equal(back, model.program.tensors[f"back_{name}.weight"])
    assert learning == {"to_relu1", "to_relu2", "to_fc3"}


def test_what_the_output_does_changes_nothing_below_it() -> None:
    model = made("decolle(rate=-4)")
    found = []
    for output in (model.program.tensors["to_fc3.weight"], np.zeros((10, 16), np.int16)):
        with Session(model) as session:
            session.write("to_fc3.weight", output)
            session.run(X, Y, learn=True)
            found.append([session.read(f"to_relu{n}.weight") for n in (1, 2)])
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(found[0][0], model.program.tensors["to_relu1.weight"])


def test_a_higher_trigger_visits_fewer_synapses() -> None:
    visited = []
    for trigger in (0, 60, 120):
        with Session(made(f"decolle(rate=-6, trigger={trigger})")) as session:
            session.run(X, Y, learn=True)
            assert session.counters is not None
            visited.append(session.counters.total("updates_visited"))
    assert visited[0] > visited[1] > visited[2] > 0
