"""A small program with everything in it: hidden units, output, feedback, teacher, plasticity."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace


@pytest.fixture
def program() -> Program:
    """5 inputs, 4 hidden units, 3 outputs, learning by direct feedback alignment."""
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> NDArray[np.int16]:
        return (2 * rng.integers(-40, 40, shape)).astype(np.int16)

    dw = parse_sum("dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3")
    held, written = Trace(tau=65535, impulse=0, mode="overwrite"), Trace(tau=65535, impulse=0)
    traces = (("x1", held), ("y2", written), ("y3", written))
    relu = (("shift", 6), ("feedback_shift", 8), ("fire", 2), ("feedback", 4))
    error = (("shift", 7), ("margin", 12), ("error_shift", 3), ("fire", 3))
    return Program(
        name="small",
        target="loihi2",
        schedule=Schedule(4, 3, (("learn", 4),)),
        sources=(
            Source("image", 5, (1,), ((1, 128),), origin="small.onnx, input 'image'"),
            Source("target", 3, (3,), role="target"),
        ),
        populations=(
            Population("hidden", 4, NEURONS["relu"], relu, bias=((2, 128),), cores=(0,)),
            Population("out", 3, NEURONS["error"], error, cores=(1,), origin="node 'fc2'"),
        ),
        synapses=(
            Synapses("to_hidden", "image", "hidden", "to_hidden.weight"),
            Synapses("to_out", "hidden", "out", "to_out.weight"),
            Synapses(
                "back_hidden",
                "out",
                "hidden",
                "back_hidden.weight",
                output="e",
                port="third",
                role="feedback",
            ),
        ),
        wires=(Wire("target", "out"),),
        plasticity=tuple(Plasticity(name, dw, 4, traces) for name in ("to_hidden", "to_out")),
        readout=Readout("out", "v", 3),
        probes=("out.s",),
        seed=7,
        tensors={
            "to_hidden.weight": weight(4, 6),
            "to_out.weight": weight(3, 5),
            "back_hidden.weight": weight(4, 3),
        },
    )
