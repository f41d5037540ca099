"""Two currents and a refractory period on every engine: the same values in every register."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.neurons.cuba_lif import CUBA_LIF, cuba_constants
from hebbite.compiler.program.types import (
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import all_probes

PERIOD, SAMPLES, LINES, CELLS = 10, 12, 12, 9
OFFSETS = tuple(range(1, PERIOD + 1))


def program() -> Program:
    """Return cells that excite and inhibit each other, driven by spikes of both kinds."""
    rng = np.random.default_rng(7)
    constants = cuba_constants(
        tau_excite=5,
        tau_inhibit=10,
        tau_mem=20,
        scale=10,
        threshold=20 << 10,
        v_reset=-(10 << 10),
        refractory=3,
    )

    def weight(lines: int, low: int, high: int) -> NDArray[np.int16]:
        return (2 * rng.integers(low, high, (CELLS, lines))).astype(np.int16)

    made = Program(
        name="cuba",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("input", LINES, OFFSETS),),
        populations=(Population("cells", CELLS, CUBA_LIF, constants, (("bias", "bias"),)),),
        synapses=(
            Synapses("excite", "input", "cells", "w", graded=False),
            Synapses("inhibit", "input", "cells", "w_i", port="third", graded=False),
            Synapses("recurrent", "cells", "cells", "w_r", graded=False, delay=2),
            Synapses("lateral", "cells", "cells", "w_l", port="third", graded=False),
        ),
        readout=Readout("cells", "s", PERIOD, count=True),
        tensors={
            "w": weight(LINES, 20, 60),
            "w_i": weight(LINES, -20, 0),
            "w_r": weight(CELLS, 0, 40),
            "w_l": weight(CELLS, -60, 0),
            "bias": rng.integers(-500, 500, CELLS).astype(np.int32),
        },
    )
    verify_program(made, running="test")
    return made


@pytest.mark.parametrize("engine", ["native", "lava"])
def test_every_register_is_that_of_the_reference(engine: str) -> None:
    if engine == "lava" and importlib.util.find_spec("lava") is None:
        pytest.skip("Lava is not installed; `hebbite doctor` prints the line that adds it")
    made = program()
    given = np.random.default_rng(8).random((SAMPLES, PERIOD, LINES)) < 0.2
    sent = {"input": given.astype(np.int8)}
    found = [
        load_engine(name)
        .open(made, rounding="lava-exact")
        .run(sent, samples=SAMPLES, probes=all_probes(made))
        for name in ("reference", engine)
    ]
    spikes = found[0].values["cells.s"]
    assert spikes.any(axis=0).all()
    assert 0.02 < spikes.mean() < 0.25
    assert found[0].values["cells.gi"].min() < 0 < found[0].values["cells.ge"].max()
    for probe, values in found[0].values.items():
        assert np.array_equal(values, found[1].values[probe]), probe
    assert found[0].counters == found[1].counters
