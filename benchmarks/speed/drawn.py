"""Programs by chance, of a size at which their events are what takes the time.

Every seed is one program: a source of 1,024 lines, two or three populations of 500 to 2,000 neurons
behind each other, and one group of synapses within a population. Drawn are what the source sends
(spikes or payloads), neurons (leaky units, or units that send a payload), bias, how each group
joins (a matrix, a list, a convolution), its delay, exponent and weights, and which groups learn by
which sum of products. One population is recorded.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from benchmarks.speed.programs import lif

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Conv2d, Sparse
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
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

PERIOD, SAMPLES = 25, 20
IMAGE = (4, 16, 16)
CHANNELS = 8
RATE, SPREAD = 0.04, 60
"""Messages a line and step for which thresholds are set, and the spread of weights."""
PAYLOAD = 16
"""Mean of a payload; what a weight's exponent takes back."""
SUMS = (
    "dw = 2^-5*x0*y1 - 2^-5*y0*x1",
    "dw = 2^-6*y0*x1 - 2^-6*y0*w",
    "dw = 2^-4*x0*y1*x1 - 2^-7*x0*w",
    "dw = 2^-7*u1*x1*y1",
    "dw = 2^-3*y0*x1 - 1*y0",
)
TRACES = tuple((name, Trace(tau, 32)) for name, tau in (("x1", 10), ("y1", 12)))
PAYING = parse_neuron("""
neuron paying(keep, threshold) {
  table bias
  state v
  always
    v = decay v, keep
    v = add v, a
    drive = each bias
    v = add v, drive
    v = max v, -1000000
    v = min v, 1000000
    fires = gt v, threshold
    size = shr v, 5
    size = max size, 0
    size = min size, 31
    s = mul size, fires
    v = select fires, 0, v
    bap = mov fires
}
""")


class Drawn(NamedTuple):
    """A program, and what its source sends: (samples, steps, lines)."""

    program: Program
    inputs: dict[str, IntArray]


def drawn(seed: int) -> Drawn:
    """Return the program of a seed, verified, and its input."""
    rng = np.random.default_rng((20, seed))
    lines = IMAGE[0] * IMAGE[1] * IMAGE[2]
    graded = bool(rng.integers(2))
    inputs = (rng.random((SAMPLES, PERIOD, lines)) < rng.uniform(0.01, 0.08)).astype(np.uint8)
    if graded:
        inputs *= rng.integers(1, 2 * PAYLOAD, inputs.shape, np.uint8)
    program = Program(
        name=f"drawn{seed}",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("input", lines, tuple(range(1, PERIOD + 1))),),
        populations=(),
        synapses=(),
        readout=Readout("p0", "s", PERIOD, count=True),
        probes=("p0.s",),
    )
    pre = "input"
    for index in range(int(rng.integers(2, 4))):
        program = with_layer(rng, program, f"p{index}", pre, graded=graded)
        graded = program.populations[-1].neuron is PAYING
        pre = f"p{index}"
    program = with_group(rng, program, pre, pre, kind="sparse", density=0.05, graded=graded)
    program = with_learning(rng, program)
    verify_program(program, running="benchmark")
    return Drawn(program, {"input": inputs})


def with_layer(
    rng: np.random.Generator, program: Program, name: str, pre: str, *, graded: bool
) -> Program:
    """Return the program with one more population, and synapses onto it."""
    lines, places = program.lines(pre), IMAGE[1] * IMAGE[2]
    kind = str(rng.choice(("dense", "sparse", "conv2d")[: 3 if lines % places == 0 else 2]))
    size = CHANNELS * places if kind == "conv2d" else int(rng.choice((500, 1000, 2048)))
    density = 1.0 if kind == "dense" else rng.uniform(0.02, 0.1)
    reached = lines // places * 9 if kind == "conv2d" else lines * density
    leak = int(rng.integers(100, 1000))
    spread = SPREAD * math.sqrt(RATE * reached / (1 - (1 - leak / 4096) ** 2))
    threshold = int(rng.uniform(1.8, 2.6) * spread)
    neuron, constants = NEURONS["lif"], lif(0, 4096 - leak, threshold)
    if graded or rng.integers(2):
        neuron, constants = PAYING, (("keep", 4096 - leak), ("threshold", threshold))
    bias = rng.integers(0, 5, size) * int(rng.integers(2))
    made = Population(name, size, neuron, constants, (("bias", f"{name}.bias"),))
    tensors = {**program.tensors, f"{name}.bias": bias.astype(np.int32)}
    grown = replace(program, populations=(*program.populations, made), tensors=tensors)
    return with_group(rng, grown, pre, name, kind=kind, density=density, graded=graded)


def with_group(
    rng: np.random.Generator,
    program: Program,
    pre: str,
    post: str,
    *,
    kind: str,
    density: float,
    graded: bool,
) -> Program:
    """Return the program with one more group of synapses; ``density`` is that of a list."""
    name, lines, size = f"{pre}_{post}", program.lines(pre), program.population(post).size
    group = Synapses(
        name,
        pre,
        post,
        name,
        graded=graded,
        exponent=-4 if graded else 0,
        delay=int(rng.choice((1, 1, 2, 5))),
    )
    tensors: dict[str, IntArray] = {}
    if kind == "conv2d":
        conv = Conv2d((lines // (IMAGE[1] * IMAGE[2]), *IMAGE[1:]), (3, 3), padding=(1, 1, 1, 1))
        tensors[name] = weights(rng, (CHANNELS, conv.taps))
        group = replace(group, connect=conv)
    elif kind == "sparse":
        kept = rng.random((lines, size)) < density
        starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        tensors[f"{name}.starts"] = starts.astype(np.int64)
        tensors[f"{name}.targets"] = np.nonzero(kept)[1].astype(np.int32)
        tensors[name] = weights(rng, (int(starts[-1]),))
        group = replace(group, connect=Sparse(f"{name}.starts", f"{name}.targets"))
    else:
        tensors[name] = weights(rng, (size, lines))
    groups = (*program.synapses, group)
    return replace(program, synapses=groups, tensors={**program.tensors, **tensors})


def weights(rng: np.random.Generator, shape: tuple[int, ...]) -> IntArray:
    """Return even weights around 0."""
    drawn = np.round(rng.normal(0, SPREAD / 2, shape))
    return (2 * np.clip(drawn, -127, 127)).astype(np.int16)


def with_learning(rng: np.random.Generator, program: Program) -> Program:
    """Return the program in which half of the groups that may learn do so."""
    epoch = int(rng.choice((1, 5)))
    may = [
        group.name
        for group in program.synapses
        if group.delay == 1 and not isinstance(group.connect, Conv2d)
    ]
    rules = [
        Plasticity(name, parse_sum(str(rng.choice(SUMS))), epoch, TRACES, factors=2)
        for name in may
        if rng.integers(2)
    ]
    return replace(program, plasticity=tuple(rules))
