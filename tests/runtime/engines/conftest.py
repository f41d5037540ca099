"""Programs by hand, each with one corner of the semantics, for every engine to agree on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.reciprocal import resending_signal, showing_activity
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.neuron import NeuronProgram, parse_neuron
from hebbite.compiler.program.types import (
    IntArray,
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Widths,
    Wire,
)
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.datasets import load_dataset

Data = Mapping[str, IntArray]
Case = tuple[Program, Data]
HELD, WRITTEN = Trace(tau=65535, mode="overwrite"), Trace(tau=65535)
SAMPLES = 12
DIGITS = Path(__file__).parents[3] / "runtime" / "data" / "digits.onnx"

EVERY_OP = parse_neuron("""
neuron every_op(keep, top) {
  table curve, own
  state v, w, turn
  always
    n = random 9
    o = each own
    v = decay v, keep
    v = add v, a
    v = sub v, o
    v = max v, -60000
    v = min v, 60000
    half = shrz v, 1
    floor = shr v, 3
    back = neg floor
    size = abs half
    small = lt size, top
    equal = eq small, third
    other = ne half, floor
    least = ge n, 300
    code = and size, 127
    bent = table curve, floor
    square = mul code, code
    wide = shl square, 6
    w = add w, wide
    w = wrap24 w
    turn = select other, bent, back
    s = select least, code, 0
    y1 = mov code
    bap = mov equal
  at 2..3
    v = reset
  at period
    e = gt v, 0
    y1 = mov 0
  at 0
    v = mov 77
}
""")
WRITER = parse_neuron("""
neuron writer(threshold) {
  state v
  at 1
    y1 = mov 0
    y2 = mov 0
  always
    v = decay v, 3500
    v = add v, a
    s = gt v, threshold
    v = select s, 0, v
    bap = mov s
  at 2..period
    size = abs v
    y1 = and size, 127
    y2 = shr y1, 2
}
""")


def weights(shape: tuple[int, int], *, seed: int, low: int = -200, high: int = 200) -> IntArray:
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int16)


def spikes(period: int, size: int, *, density: float, seed: int = 3) -> IntArray:
    drawn = np.random.default_rng(seed).random((SAMPLES, period, size))
    return (drawn < density).astype(np.int64)


def ramp(low: int, high: int) -> NDArray[np.int64]:
    return np.linspace(low, high, 256).round().astype(np.int64)


def hidden(neuron: str, *, magnitude: int = 0, learned: bool = False) -> Case:
    """A net of two hidden and one output population, feedback at random, a copy, a teacher.

    With ``learned`` the random feedback learns, and both of its ends say what it needs.
    """
    rng = np.random.default_rng(0)
    signed = neuron == "tanh"
    tables = {"activation": ramp(-63, 63) if signed else ramp(0, 254), "slope": ramp(0, 127)}
    used = () if neuron == "relu" else (("activation", "activation"), ("slope", "slope"))
    x1 = "(x1-64)" if signed else "x1"
    dw = parse_sum(f"dw = 2^-4*x0*{x1}*y2 - 2^-4*x0*{x1}*y3")
    traces = (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN))
    plastic = [Plasticity(name, dw, 5, traces) for name in ("fc1", "fc2", "fc3")]
    cell, output = NEURONS[neuron], NEURONS["error"]
    if learned:
        cell, output = showing_activity(cell, signed=signed), resending_signal(output)
        twin = f"dw = 2^-4*x0*(x1-64)*{'(y1-64)' if signed else 'y1'} - 2^-5*u2*w"
        plastic.append(Plasticity("fb1", parse_sum(twin), 5, (("x1", HELD), ("y1", WRITTEN))))
    unit = (("shift", 7), ("feedback_shift", 6), ("feedback", 5))
    error = (("shift", 7), ("margin", 12), ("error_shift", 1), ("fire", 4))

    def back(name: str, post: str, mirror: str = "") -> Synapses:
        return Synapses(
            name, "out", post, name, output="e", port="third", role="feedback", mirror=mirror
        )

    shapes = {"fc1": (5, 7), "fc2": (4, 6), "fc3": (3, 5), "fb1": (5, 3), "fb2": (4, 3)}
    bias = ((2, 64), (5, 128)) if signed else ((2, 128),)
    late = ((3, 64), (5, 128)) if signed else ((3, 128),)
    offsets = (1, 5) if signed else (1,)
    program = Program(
        name=neuron,
        target="loihi2",
        schedule=Schedule(5, 4),
        sources=(
            Source("image", 6, offsets, tuple((offset, 64) for offset in offsets)),
            Source("target", 3, (4,), role="target"),
        ),
        populations=(
            Population("h1", 5, cell, (*unit, ("fire", 2)), used, bias, (0, 1)),
            Population("h2", 4, cell, (*unit, ("fire", 3)), used, late, (40,)),
            Population("out", 3, output, error, cores=(121,)),
        ),
        synapses=(
            Synapses("fc1", "image", "h1", "fc1"),
            Synapses("fc2", "h1", "h2", "fc2"),
            Synapses("fc3", "h2", "out", "fc3"),
            back("fb1", "h1"),
            dataclasses.replace(back("fb2", "h2", mirror="fc3"), magnitude=magnitude),
        ),
        readout=Readout("out", "o", 4),
        wires=(Wire("target", "out"),),
        plasticity=tuple(plastic),
        seed=7,
        tensors={**{n: weights(s, seed=i) for i, (n, s) in enumerate(shapes.items())}, **tables},
    )
    event = rng.integers(-63, 64, (SAMPLES, 1, 6)) if signed else rng.integers(0, 255, (12, 1, 6))
    image = np.concatenate([event, 2 * (event + 64)], axis=1) if signed else event
    code = np.where(np.arange(3) == rng.integers(0, 3, SAMPLES)[:, None], 101, 1)[:, None]
    code[::7] = 0
    return program, {"image": image, "target": code}


def twice() -> Case:
    """A compiled net whose samples have two passes, one of them with noise."""
    data = load_dataset("digits", seed=0)
    x, y = data.x_train[:SAMPLES], data.y_train[:SAMPLES]
    made = compile(DIGITS, rule="node-perturbation(rate=1)", calibration=x)
    return made.program, made.coding.inputs(x, y)


def timing(
    *dw: str,
    epoch: int,
    period: int = 8,
    density: float = 0.5,
    impulse: int = 16,
    target: str = "loihi1",
    bits: int = 8,
    seed: int = 11,
    dt: str = "",
) -> Case:
    """Two LIF populations with pair traces, one group for every rule; ``dt`` for each of them."""
    lif = (("du_keep", 3000), ("dv_keep", 4000), ("threshold", 64 * 500))
    traces = (
        ("x1", Trace(tau=6, impulse=impulse)),
        ("x2", Trace(tau=3, impulse=2 * impulse if impulse < 64 else impulse)),
        ("y1", Trace(tau=9, impulse=impulse + 3 if impulse < 124 else impulse)),
        ("y2", Trace(tau=1, impulse=99)),
    )
    rules = [parse_sum(text) for text in dw]
    names = ("first", "second")[: len(rules)]
    program = Program(
        name="timing",
        target=target,
        schedule=Schedule(period, period),
        sources=(Source("in", 6, tuple(range(1, period + 1)), ((2, 1),)),),
        populations=(
            Population("one", 5, NEURONS["lif"], lif, (("bias", "bias"),)),
            Population("two", 5, NEURONS["lif"], lif, (("bias", "bias"),)),
        ),
        synapses=(
            Synapses("first", "in", "one", "first", exponent=1, graded=False),
            Synapses("second", "one", "two", "second", exponent=2, graded=False),
            Synapses("around", "two", "one", "around", exponent=-2, graded=False, delay=3),
        ),
        readout=Readout("two", "s", period, count=True),
        plasticity=tuple(
            Plasticity(name, rule, epoch, traces, factors=2, dt=parse_sum(dt) if dt else None)
            for name, rule in zip(names, rules, strict=True)
        ),
        widths=Widths(bits),
        seed=seed,
        tensors={
            "first": weights((5, 7), seed=1, low=20, high=120),
            "second": weights((5, 5), seed=2, low=20, high=200),
            "around": weights((5, 5), seed=3),
            "bias": np.arange(5) * 128,
        },
    )
    return program, {"in": spikes(period, 6, density=density)}


def instructions(*, seed: int = 5) -> Case:
    """Every instruction, every delay up to 7, exponents of both signs, two cores."""
    constants = (("keep", 3900), ("top", 4000))
    tables = (("curve", "curve"), ("own", "own"))
    groups = [
        Synapses(f"d{delay}", "loop", "loop", "rec", exponent=delay - 6, delay=delay, graded=False)
        for delay in range(1, 8)
    ]
    program = Program(
        name="instructions",
        target="loihi2",
        schedule=Schedule(6, 3),
        sources=(Source("in", 3, (1, 4)),),
        populations=(Population("loop", 5, EVERY_OP, constants, tables, ((3, 9),), (0, 200)),),
        synapses=(
            Synapses("graded", "in", "loop", "in", exponent=3),
            Synapses("events", "loop", "loop", "events", output="e", port="third", exponent=-8),
            *groups,
        ),
        readout=Readout("loop", "turn", 6),
        seed=seed,
        tensors={
            "in": weights((5, 3), seed=1),
            "events": weights((5, 5), seed=4),
            "rec": weights((5, 6), seed=2),
            "curve": np.arange(9, dtype=np.int32)[::-1] * 50,
            "own": np.array([0, 5, -9, 300, -4000]),
        },
    )
    data = np.random.default_rng(1).integers(-9, 255, (SAMPLES, 2, 3))
    return program, {"in": data}


def writing(dw: str, *, epoch: int, dt: str = "") -> Case:
    """Neurons that write y1 and y2 themselves, and graded lines whose x1 is overwritten."""
    traces = (("x1", HELD), ("x2", Trace(9, 31)), ("y1", WRITTEN), ("y2", WRITTEN))
    program = Program(
        name="writing",
        target="ideal",
        schedule=Schedule(6, 5),
        sources=(Source("in", 6, (1, 2, 5)),),
        populations=(Population("cells", 5, WRITER, (("threshold", 9000),), bias=((4, 1),)),),
        synapses=(
            Synapses("fc", "in", "cells", "fc"),
            Synapses("rec", "cells", "cells", "rec", exponent=3, delay=2),
        ),
        readout=Readout("cells", "v", 6),
        plasticity=tuple(
            Plasticity(name, parse_sum(dw), epoch, traces, dt=parse_sum(dt) if dt else None)
            for name in ("fc", "rec")
        ),
        seed=1,
        tensors={"fc": weights((5, 6), seed=1), "rec": weights((5, 6), seed=2)},
    )
    data = np.random.default_rng(1).integers(0, 255, (SAMPLES, 3, 6))
    return program, {"in": data * (data % 3 > 0)}


def bare(neuron: NeuronProgram = WRITER) -> Case:
    """A population that a wire alone reaches: no synapses at all."""
    program = Program(
        name="bare",
        target="loihi2",
        schedule=Schedule(2, 2),
        sources=(Source("in", 3, (1,)),),
        populations=(Population("cells", 3, neuron, (("threshold", 9),)),),
        synapses=(),
        readout=Readout("cells", "third", 1),
        wires=(Wire("in", "cells"),),
    )
    return program, {"in": np.arange(SAMPLES * 3).reshape(SAMPLES, 1, 3)}


def as_lists(case: Case, *names: str, zeros: bool = False) -> Case:
    """The same case with some groups as lists: about two thirds of their synapses, by chance.

    ``zeros``: one in five of the stored weights is 0.
    """
    program, data = case
    tensors, groups = dict(program.tensors), []
    for group in program.synapses:
        if group.name in names:
            index = f"{group.weight}.starts", f"{group.weight}.targets"
            if index[0] not in tensors:
                tensors |= as_list(tensors[group.weight], group.weight, zeros=zeros)
            group = dataclasses.replace(group, connect=Sparse(*index))
        groups.append(group)
    return dataclasses.replace(program, tensors=tensors, synapses=tuple(groups)), data


def as_list(matrix: IntArray, name: str, *, zeros: bool) -> dict[str, IntArray]:
    """Return the tensors of a list of synapses, by chance, with the weights of a matrix."""
    rng = np.random.default_rng(len(name) + matrix.size)
    kept = rng.random(matrix.shape[::-1]) < 0.67
    weight = matrix.T[kept]
    if zeros:
        weight = weight * (rng.random(weight.size) < 0.8)
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    targets = np.nonzero(kept)[1].astype(np.int32)
    return {name: weight, f"{name}.starts": starts, f"{name}.targets": targets}


def convolved() -> Case:
    """Graded convolutions: strides, padding on three sides, dilation, groups of channels, bias
    lines, a receiver on two cores, and a list beside them that learns."""
    unit = (("shift", 7), ("feedback_shift", 6), ("feedback", 5), ("fire", 2))
    error = (("shift", 7), ("margin", 12), ("error_shift", 1), ("fire", 3))
    dw = parse_sum("dw = 2^-4*x0*x1*y2 - 2^-4*x0*x1*y3")
    traces = (("x1", HELD), ("y2", WRITTEN), ("y3", WRITTEN))
    first = Conv2d((2, 5, 4), (3, 3), stride=(2, 2), padding=(1, 0, 1, 2))
    second = Conv2d((4, 3, 2), (2, 2), dilation=(2, 1), groups=2)
    program = Program(
        name="convolved",
        target="loihi2",
        schedule=Schedule(5, 4),
        sources=(
            Source("image", 40, (1,), ((1, 64),)),
            Source("target", 6, (3,), role="target"),
        ),
        populations=(
            Population("h1", 24, NEURONS["relu"], unit, bias=((2, 128),), cores=(0, 1, 40)),
            Population("out", 6, NEURONS["error"], error, cores=(121, 122)),
        ),
        synapses=(
            Synapses("conv1", "image", "h1", "conv1", connect=first),
            Synapses("conv2", "h1", "out", "conv2", connect=second, exponent=-1),
            Synapses("fc", "h1", "out", "fc"),
            Synapses("back", "out", "h1", "back", output="e", port="third", role="feedback"),
        ),
        readout=Readout("out", "o", 4),
        wires=(Wire("target", "out"),),
        plasticity=(Plasticity("fc", dw, 5, traces),),
        seed=7,
        tensors={
            "conv1": weights((4, 19), seed=1),
            "conv2": weights((6, 9), seed=2),
            "fc": weights((6, 25), seed=3, low=1),
            "back": weights((24, 6), seed=4),
        },
    )
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (SAMPLES, 1, 40)) * (rng.random((SAMPLES, 1, 40)) < 0.7)
    code = np.where(np.arange(6) == rng.integers(0, 6, SAMPLES)[:, None], 101, 1)[:, None]
    return as_lists((program, {"image": image, "target": code}), "fc", "back")


def filtered() -> Case:
    """Spiking convolutions in one dimension, with a bias line and delays; a list learns."""
    lif = (("du_keep", 3000), ("dv_keep", 4000), ("threshold", 64 * 500))
    traces = (("x1", Trace(tau=6, impulse=16)), ("y1", Trace(tau=9, impulse=19)))
    line = Conv2d((2, 1, 3), (1, 3), padding=(0, 1, 0, 1))
    wide = Conv2d((3, 1, 3), (1, 2), stride=(1, 2), padding=(0, 0, 0, 1), groups=3)
    program = Program(
        name="filtered",
        target="loihi1",
        schedule=Schedule(8, 8),
        sources=(Source("in", 6, tuple(range(1, 9)), ((2, 1), (6, 1))),),
        populations=(
            Population("one", 9, NEURONS["lif"], lif, (("bias", "bias.one"),), cores=(0, 1)),
            Population("two", 6, NEURONS["lif"], lif, (("bias", "bias.two"),), cores=(2, 7)),
        ),
        synapses=(
            Synapses("conv", "in", "one", "conv", exponent=1, graded=False, connect=line),
            Synapses("late", "one", "two", "late", graded=False, delay=4, connect=wide),
            Synapses("fc", "one", "two", "fc", exponent=1, graded=False),
        ),
        readout=Readout("two", "s", 8, count=True),
        plasticity=(Plasticity("fc", parse_sum(PAIR), 2, traces, factors=2),),
        seed=11,
        tensors={
            "conv": weights((3, 7), seed=1, low=20, high=160),
            "late": weights((3, 2), seed=2),
            "fc": weights((6, 9), seed=3, low=20, high=200),
            "bias.one": np.arange(9) * 128,
            "bias.two": np.arange(6) * 128,
        },
    )
    return as_lists((program, {"in": spikes(8, 6, density=0.5)}), "fc")


PAIR = "dw = 2^-2*y0*x1 - 2^-2*x0*y1"
CASES: dict[str, Callable[[], Case]] = {
    "relu": lambda: hidden("relu"),
    "tanh": lambda: hidden("tanh"),
    "sigmoid": lambda: hidden("sigmoid"),
    "relu, copied signs": lambda: hidden("relu", magnitude=90),
    "relu, learned feedback": lambda: hidden("relu", learned=True),
    "tanh, learned feedback": lambda: hidden("tanh", learned=True),
    "perturbed": twice,
    "stdp, epoch 1": lambda: timing(PAIR, epoch=1),
    "stdp, epoch 4": lambda: timing(PAIR, "dw = 2^-3*y0*x1 - 2^-3*x0*y1", epoch=4, density=0.8),
    "x2, y2, u2, w": lambda: timing(
        "dw = 2^-4*u2*x2*w - 2^-1*x0*y2", "dw = 3*2^-3*x0*y1*y0 - 2^-6*u1*w", epoch=2
    ),
    "u0, sgn(w-3), (x1-64)": lambda: timing(
        "dw = 2^-1*u0*sgn(w-3) - 5*2^-7*y0*(x1-64)*x2",
        "dw = -2^-2*u0*x0*y0 + 2^0*x0*(y1+9) + 2^-7*y0*(w-100)",
        epoch=8,
    ),
    "saturation": lambda: timing(
        "dw = 2^3*y0*x1 - 2^-3*x0*y1", "dw = -2^4*x0*y1*x1", epoch=4, density=0.9, impulse=127
    ),
    "ideal, 16 bits": lambda: timing(
        "dw = 2^4*y0*x1*(5) - 2^-2*x0*w + 2^-1*u1*(3) - 2^0*u0*x1",
        "dw = 2^5*u3*w*x1",
        epoch=4,
        target="ideal",
        bits=16,
    ),
    "seed above 2^32": lambda: timing(PAIR, epoch=2, seed=(1 << 61) + (5 << 32) + 3),
    "instructions": instructions,
    "instructions, seed above 2^32": lambda: instructions(seed=(9 << 32) + 1),
    "three factors, epoch 3": lambda: writing("dw = 2^-5*x0*x1*y1 - 2^-5*y0*x2*y2", epoch=3),
    "three factors, epoch 6": lambda: writing("dw = 2^-6*u0*x1*y1 - 2^-5*x0*y2*(x2-7)", epoch=6),
    "sparse": lambda: writing("dw = 2^-4*x0*x1*y2 - 2^-4*x0*y0*(w-9)*y1", epoch=6),
    "tags, epoch 1": lambda: timing(
        "dw = 2^-2*u0*t - 2^-2*y0*(t-9)*sgn(w)",
        "dw = 2^-3*x0*t*y1",
        epoch=1,
        dt="dt = 2^1*y0*x1 - 2^1*x0*y1 - 2^-3*u0*t",
    ),
    "tags, epoch 4": lambda: timing(
        "dw = 2^-1*u2*t - 2^-2*x0*y1*sgn(t+3)",
        "dw = 2^-4*y0*x1*t",
        epoch=4,
        dt="dt = 2^2*y0*x1 - 2^3*x0*y1 + 2^-2*u2*w",
    ),
    "tags at their ends": lambda: timing(
        "dw = 2^-5*u0*t - 2^-3*u0*w",
        "dw = 2^-5*y0*x1 - 2^-6*x0*t",
        epoch=2,
        impulse=127,
        dt="dt = -2^5*x0*x1 + 2^6*y0*x1",
    ),
    "tags of neurons that write": lambda: writing(
        "dw = 2^-2*u0*t*y1 - 2^-2*x0*t*y2", epoch=3, dt="dt = 2^0*x0*x2*y2 - 2^-1*x0*y0*t*y1"
    ),
    "lists, delays": lambda: as_lists(
        instructions(), "graded", "events", *(f"d{n}" for n in range(1, 8)), zeros=True
    ),
    "lists that learn, epoch 1": lambda: as_lists(
        timing(PAIR, "dw = 3*2^-3*x0*y1*y0 - 2^-5*u1*x2", epoch=1), "first", "second", "around"
    ),
    "lists that learn, epoch 4": lambda: as_lists(
        timing(PAIR, "dw = 2^-4*u2*x2*y2 - 2^-1*x0*y2", epoch=4, density=0.8), "first", "second"
    ),
    "lists that read w": lambda: as_lists(
        timing("dw = 2^-1*u0*sgn(w-3) - 5*2^-7*y0*x1*w", epoch=8), "first", zeros=True
    ),
    "lists with tags": lambda: as_lists(
        timing(
            "dw = 2^-1*u2*t - 2^-2*x0*y1*sgn(t+3)",
            "dw = 2^-4*y0*x1*t",
            epoch=4,
            dt="dt = 2^2*y0*x1 - 2^3*x0*y1 + 2^-2*u2*w",
        ),
        *("first", "second"),
        zeros=True,
    ),
    "lists of neurons that write": lambda: as_lists(
        writing("dw = 2^-6*u0*x1*y1 - 2^-5*x0*y2*(x2-7)", epoch=6), "fc", "rec", zeros=True
    ),
    "lists, three factors": lambda: as_lists(hidden("relu"), "fc1", "fc2", "fb1"),
    "convolutions": convolved,
    "convolutions in one dimension": filtered,
    "no learning": lambda: (dataclasses.replace(timing(PAIR, epoch=1)[0], plasticity=()), {}),
    "no synapses": bare,
}


@pytest.fixture
def case() -> Callable[[str], Case]:
    """Give a program and 12 samples by the name of the case."""
    return lambda name: CASES[name]()


@pytest.fixture
def case_names() -> tuple[str, ...]:
    """Give every name of a case."""
    return tuple(CASES)
