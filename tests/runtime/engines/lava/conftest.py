"""Two small programs that between them use every kind of Lava process."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import (
    IntArray,
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

NOISY = parse_neuron("""
neuron noisy(threshold) {
  state v
  always
    n = random 8
    v = add v, a
    v = add v, n
    s = gt v, threshold
    v = select s, 0, v
}
""")


@pytest.fixture
def graded() -> Program:
    """16-12-8-4 graded units; random feedback to h1, feedback that mirrors fc3 to h2."""
    rng = np.random.default_rng(0)
    shapes = {"fc1": (12, 17), "fc2": (8, 13), "fc3": (4, 9), "fb1": (12, 4), "fb2": (8, 4)}
    relu = (("shift", 7), ("feedback_shift", 6), ("feedback", 5))
    error = (("shift", 8), ("margin", 12), ("error_shift", 1), ("fire", 4))
    dw = parse_sum("dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3")
    held, written = Trace(tau=65535, impulse=0, mode="overwrite"), Trace(tau=65535, impulse=0)
    traces = (("x1", held), ("y2", written), ("y3", written))

    def feedback(name: str, post: str, mirror: str = "") -> Synapses:
        return Synapses(
            name, "out", post, name, output="e", port="third", role="feedback", mirror=mirror
        )

    return Program(
        name="graded",
        target="loihi2",
        schedule=Schedule(5, 4),
        sources=(
            Source("image", 16, (1,), ((1, 128),)),
            Source("target", 4, (4,), role="target"),
        ),
        populations=(
            Population("h1", 12, NEURONS["relu"], (*relu, ("fire", 2)), bias=((2, 128),)),
            Population("h2", 8, NEURONS["relu"], (*relu, ("fire", 3)), bias=((3, 128),)),
            Population("out", 4, NEURONS["error"], error),
        ),
        synapses=(
            Synapses("fc1", "image", "h1", "fc1"),
            Synapses("fc2", "h1", "h2", "fc2"),
            Synapses("fc3", "h2", "out", "fc3"),
            feedback("fb1", "h1"),
            feedback("fb2", "h2", mirror="fc3"),
        ),
        readout=Readout("out", "o", 4),
        wires=(Wire("target", "out"),),
        plasticity=tuple(Plasticity(name, dw, 5, traces) for name in ("fc1", "fc2", "fc3")),
        seed=7,
        tensors={
            name: 2 * np.clip(np.rint(rng.normal(0, 20, shape)), -128, 127).astype(np.int16)
            for name, shape in shapes.items()
        },
    )


@pytest.fixture
def graded_data() -> Mapping[str, IntArray]:
    """64 samples; every seventh has no teacher."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (64, 16)) * (rng.random((64, 16)) < 0.6)
    label = rng.integers(0, 4, 64)
    code = np.where(np.arange(4) == label[:, None], 101, 1)
    code[::7] = 0
    return {"image": image, "target": code}


@pytest.fixture
def spiking() -> Program:
    """20-6-4 LIF units: pair STDP, recurrence with delay 7, and a noisy readout."""
    rng = np.random.default_rng(0)
    lif = (("du_keep", 3000), ("dv_keep", 4000), ("threshold", 64 * 1500))
    traces = (("x1", Trace(tau=10, impulse=16)), ("y1", Trace(tau=12, impulse=20)))
    return Program(
        name="spiking",
        target="loihi1",
        schedule=Schedule(12, 12),
        sources=(Source("in", 20, tuple(range(1, 13))),),
        populations=(
            Population("cells", 6, NEURONS["lif"], lif, (("bias", "bias"),)),
            Population("noisy", 4, NOISY, (("threshold", 2000),)),
        ),
        synapses=(
            Synapses("fc", "in", "cells", "fc", exponent=3, graded=False),
            Synapses("rec", "cells", "cells", "rec", exponent=2, graded=False, delay=7),
            Synapses("fo", "cells", "noisy", "fo", exponent=-1),
        ),
        readout=Readout("noisy", "s", 12, count=True),
        plasticity=(
            Plasticity("fc", parse_sum("dw = 2^-2*y0*x1 - 2^-2*x0*y1"), 4, traces, factors=2),
        ),
        seed=11,
        tensors={
            "bias": np.arange(6) * 64,
            "fc": rng.integers(10, 60, (6, 20)),
            "rec": rng.integers(-30, 10, (6, 6)),
            "fo": rng.integers(-20, 60, (4, 6)),
        },
    )


@pytest.fixture
def spiking_data() -> Mapping[str, IntArray]:
    """40 samples of 12 steps; a line sends in one step of ten."""
    rng = np.random.default_rng(3)
    return {"in": (rng.random((40, 12, 20)) < 0.1).astype(np.int64)}
