"""Lawful programs by chance, with data: what engines are compared on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Conv2d, Dense, Sparse
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
from hebbite.compiler.program.verify import problems_of
from hebbite.rules.loihi import check_loihi
from hebbite.rules.sums import Factor, Product, SumOfProducts, SumTarget
from hebbite.rules.traces import Trace, TraceMode

Data = Mapping[str, IntArray]
Sample = tuple[Program, Data, int]
CONNECTED = ("dense", "sparse", "conv2d")
TAKEN_BY_NATIVE = CONNECTED
"""How groups of a program by chance are connected: anyhow, and as native takes them."""
TWO = ("add", "sub", "mul", "min", "max", "eq", "ne", "lt", "ge", "gt", "and", "decay")
REACH = 30000
"""Temporaries of a neuron by chance stay within this, so that no product leaves int32."""


def numbers(draw: st.DrawFn, shape: tuple[int, ...], low: int, high: int) -> NDArray[np.int64]:
    """Return integers from a seed that is drawn, some of them 0: quick to draw and to shrink."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    return rng.integers(low, high + 1, shape) * (rng.random(shape) < 0.8)


def line(draw: st.DrawFn, known: list[str], result: str) -> list[str]:
    """Return one instruction by chance, and what keeps its result small."""
    operand = st.one_of(st.sampled_from(known), st.integers(-300, 300).map(str))
    op = draw(st.sampled_from((*TWO, "shift", "one", "select", "table", "each", "random")))
    if op == "shift":
        kind = draw(st.sampled_from(("shl", "shr", "shrz")))
        text = f"{kind} {draw(operand)}, {draw(st.integers(0, 9))}"
    elif op == "one":
        text = f"{draw(st.sampled_from(('mov', 'neg', 'abs', 'wrap24', 'reset')))} {draw(operand)}"
        text = "reset" if text.startswith("reset") else text
    elif op == "select":
        text = f"select {draw(operand)}, {draw(operand)}, {draw(operand)}"
    elif op == "table":
        text = f"table curve, {draw(operand)}"
    elif op in ("each", "random"):
        text = "each own" if op == "each" else f"random {draw(st.integers(1, 14))}"
    else:
        text = f"{op} {draw(operand)}, {draw(operand)}"
    small = [f"{result} = max {result}, {-REACH}", f"{result} = min {result}, {REACH}"]
    return [f"{result} = {text}", *small]


def neuron_by_chance(draw: st.DrawFn, name: str, period: int) -> NeuronProgram:
    """Return a neuron with one to five instructions by chance between its inputs and outputs."""
    known, states = ["v", "q", "i", "j"], ["v", "q"]
    body = ["always", "i = max a, -30000", "i = min i, 30000", "j = max third, -30000"]
    body += ["j = min j, 30000", "v = decay v, 3000", "v = add v, i"]
    body += ["v = max v, -30000", "v = min v, 30000"]
    for number in range(draw(st.integers(1, 5))):
        result = draw(st.sampled_from(("v", "q", f"t{number}")))
        first = draw(st.integers(0, period))
        last = draw(st.integers(first, period)) if first else 0
        guard = draw(st.sampled_from(("always", f"at {first}..{last}")))
        body += [guard, *line(draw, known, result)]
        known += [] if result in known else [result]
        states += [] if guard == "always" or result in states else [result]
    out = st.sampled_from(known)
    body += ["always", f"s = max {draw(out)}, 0", f"s = min s, {draw(st.sampled_from((1, 254)))}"]
    body += [f"hot = gt {draw(out)}, {draw(st.integers(-50, 99))}", "s = mul s, hot"]
    body += [f"e = shrz {draw(out)}, 8", f"bap = lt {draw(out)}, {draw(st.integers(0, 99))}"]
    body += ["at 1", "y1 = mov 0", "y2 = mov 0", f"at {draw(st.integers(2, period))}..period"]
    body += [f"y1 = max {draw(out)}, 0", "y1 = min y1, 127"]
    body += [f"y2 = max {draw(out)}, 0", "y2 = min y2, 31"]
    text = "\n".join(
        [f"neuron made_{name}() {{", "table curve, own", f"state {', '.join(states)}", *body, "}"]
    )
    return parse_neuron(text)


def population(draw: st.DrawFn, name: str, period: int) -> tuple[Population, dict[str, IntArray]]:
    """Return a population of 1 to 6 neurons, by chance or of the library, and its tables."""
    size = draw(st.integers(1, 6))
    pairs = st.tuples(st.integers(1, period), st.integers(1, 254))
    bias = tuple(draw(st.lists(pairs, max_size=2, unique_by=lambda pair: pair[0])))
    kind = draw(st.sampled_from(("made", "made", "lif", "relu", "sigmoid", "error")))
    tensors: dict[str, IntArray] = {
        f"{name}.curve": numbers(draw, (draw(st.integers(1, 9)),), -500, 500),
        f"{name}.own": numbers(draw, (size,), -500, 500),
    }
    fire = draw(st.integers(2, period))
    constants: tuple[tuple[str, int], ...] = ()
    if kind == "made":
        neuron = neuron_by_chance(draw, name, period)
        own = (("curve", f"{name}.curve"), ("own", f"{name}.own"))
        return Population(name, size, neuron, (), own, bias), tensors
    tables: tuple[tuple[str, str], ...] = (("bias", f"{name}.own"),)
    if kind == "lif":
        keep = (("du_keep", draw(st.integers(0, 4095))), ("dv_keep", draw(st.integers(0, 4096))))
        constants = (*keep, ("threshold", draw(st.integers(0, 60000))))
        return Population(name, size, NEURONS["lif"], constants, tables, bias), tensors
    shift = draw(st.integers(2, 9))
    if kind == "error":
        margin = draw(st.integers(0, 60))
        constants = (("shift", shift), ("margin", margin), ("error_shift", 1), ("fire", fire))
        return Population(name, size, NEURONS["error"], constants, (), bias), tensors
    constants = (("shift", shift), ("feedback_shift", draw(st.integers(0, 7))), ("fire", fire))
    constants = (*constants, ("feedback", draw(st.integers(fire, period))))
    tensors |= {
        f"{name}.activation": numbers(draw, (256,), 0, 254),
        f"{name}.slope": numbers(draw, (256,), 0, 127),
    }
    tables = (("activation", f"{name}.activation"), ("slope", f"{name}.slope"))
    used = tables if kind == "sigmoid" else ()
    return Population(name, size, NEURONS[kind], constants, used, bias), tensors


@cache
def geometries(size: int, post: int) -> tuple[Conv2d, ...]:
    """Return small convolutions from ``size`` lines onto ``post`` neurons, of more than one place
    if there are any."""
    found = []
    sides = [(0, 0), (1, 0), (0, 1), (1, 1)]
    for channels, height in product(range(1, size + 1), repeat=2):
        if size % (channels * height):
            continue
        image = channels, height, size // (channels * height)
        steps = product((1, 2), (1, 2), (1, 2, 3), (1, 2, 3), sides, sides, (1, 2), (1, 2))
        for sy, sx, kh, kw, (top, bottom), (left, right), far, groups in steps:
            edge = top, left, bottom, right
            conv = Conv2d(image, (kh, kw), (sy, sx), edge, (far, 1), groups)
            places = conv.places[0] * conv.places[1]
            fits = min(conv.places) > 0 and not (channels % groups or post % places)
            if fits and not post // places % groups:
                found.append(conv)
    return tuple(conv for conv in found if conv.places != (1, 1)) or tuple(found)


def joined(
    draw: st.DrawFn, program: Program, made: Synapses, kinds: tuple[str, ...]
) -> tuple[Synapses, dict[str, IntArray]]:
    """Return a group with weights, as a matrix, a list or a convolution."""
    post, lines = program.population(made.post).size, program.lines(made.pre, made.output)
    sources = {source.name: source.size for source in program.sources}
    size = sources.get(made.pre) or program.population(made.pre).size
    kind, fitting = draw(st.sampled_from(kinds)), geometries(size, post)
    if kind == "conv2d" and fitting:
        conv = draw(st.sampled_from(fitting))
        shape = post // (conv.places[0] * conv.places[1]), conv.taps + (lines > size)
        weight = numbers(draw, shape, -256, 255).astype(np.int16)
        return dataclasses.replace(made, connect=conv), {made.name: weight}
    weight = numbers(draw, (post, lines), -256, 255).astype(np.int16)
    if kind != "sparse":
        return made, {made.name: weight}
    kept = numbers(draw, (lines, post), 0, 3) > 0
    names = Sparse(f"{made.name}.starts", f"{made.name}.targets")
    return dataclasses.replace(made, connect=names), {
        made.name: weight.T[kept],
        names.starts: np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64),
        names.targets: np.nonzero(kept)[1].astype(np.int32),
    }


def group(
    draw: st.DrawFn, program: Program, name: str, post: str, kinds: tuple[str, ...]
) -> tuple[Synapses, dict[str, IntArray]]:
    """Return synapses from anywhere onto a population."""
    known = [p.name for p in program.populations]
    pre = draw(st.sampled_from(["in", *known]))
    sends = pre in known and draw(st.integers(0, 3)) == 0
    output = "e" if sends else "s"
    made = program.population(post)
    graded = draw(st.booleans())
    top = 7 if made.neuron.name != "lif" else 0 if graded else 2
    synapses = Synapses(
        name,
        pre,
        post,
        name,
        output=output,
        port=draw(st.sampled_from(("a", "a", "third"))),
        exponent=draw(st.integers(-8, top)),
        delay=draw(st.sampled_from((1, 1, 1, 2, 3, 5, 7))),
        graded=graded,
        role=draw(st.sampled_from(("forward", "feedback"))),
    )
    return joined(draw, program, synapses, kinds)


def rule(draw: st.DrawFn, target: SumTarget, known: list[str], gate: str) -> SumOfProducts:
    """Return one to three products that a Loihi-class chip takes."""
    variables = st.sampled_from((*known, "w", "x0", "y0"))

    def factor(variable: str) -> Factor:
        signed = variable in ("w", "t")
        top = 255 if signed else 1 if variable[1] == "0" else 126
        constant = draw(st.one_of(st.just(0), st.integers(-top, top - 1)))
        return Factor(variable, constant, signed and draw(st.booleans()))

    products = [
        Product(
            draw(st.integers(1, 7)) * draw(st.sampled_from((-1, 1))),
            draw(st.integers(-7, 4)),
            draw(st.sampled_from(("x0", "y0", gate))),
            tuple(factor(v) for v in draw(st.lists(variables, min_size=1, max_size=3))),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return SumOfProducts(target, tuple(products))


def plasticity(draw: st.DrawFn, program: Program, learner: Synapses, epoch: int) -> Plasticity:
    """Return how a group learns, with any traces that its messages allow."""
    factors = draw(st.sampled_from((2, 3)))
    sizes = st.sampled_from((1, 2, 5, 30, 65535))
    overwrites = learner.output == "s"

    def trace(name: str) -> Trace:
        mode: TraceMode = "impulse"
        if name[0] == "x" and overwrites and draw(st.booleans()):
            mode = "overwrite"
        impulse = 0 if mode == "overwrite" else draw(st.integers(0, 127))
        return Trace(draw(sizes), impulse, mode)

    post = program.population(learner.post)
    written = ("y1", "y2") if post.neuron.name.startswith("made") else ("y2", "y3")
    if post.neuron.name == "lif":
        factors = 2
    names = st.sampled_from(("x1", "x2", *written))
    kept = sorted(draw(st.sets(names, min_size=1, max_size=4)))
    gate, traces = f"u{draw(st.integers(0, 3))}", tuple((n, trace(n)) for n in kept)
    if not draw(st.booleans()):
        return Plasticity(learner.name, rule(draw, "dw", kept, gate), epoch, traces, factors)
    dw, dt = (rule(draw, target, [*kept, "t", "t"], gate) for target in ("dw", "dt"))
    return Plasticity(learner.name, dw, epoch, traces, factors, dt)


def fires(program: Program, made: Synapses) -> bool:
    """Whether the time table of a graded sample binds a group, as the program's law has it."""
    alone = dataclasses.replace(program, synapses=(made,))
    return any(problem.code == "HB0436" for problem in problems_of(alone))


def copies(draw: st.DrawFn, program: Program, learners: list[Synapses]) -> list[Synapses]:
    """Return feedback that mirrors a group that learns, if chance and shapes allow."""
    known = [p.name for p in program.populations]
    found = [g for g in learners if g.pre in known and g.output == "s"]
    found = [g for g in found if g.connect == Dense()]
    if not found or not draw(st.booleans()):
        return []
    made = Synapses("copy", found[0].post, found[0].pre, "copy", output="e", port="third")
    lif = program.population(made.post).neuron.name == "lif"
    exponent = draw(st.integers(-8, 0 if lif else 7))
    mirror = dataclasses.replace(
        made,
        mirror=found[0].name,
        magnitude=draw(st.sampled_from((0, 1, 64, 255))),
        exponent=exponent,
        role="feedback",
    )
    return [] if fires(program, mirror) else [mirror]


def parts(draw: st.DrawFn) -> Program:
    """Return a program of a source and one to three populations that nothing connects."""
    period = draw(st.sampled_from((2, 3, 4, 6, 8)))
    end = draw(st.integers(0, period))
    start = draw(st.integers(1, max(end, 1)))
    offsets = tuple(sorted(draw(st.sets(st.integers(1, period), min_size=1))))
    bias = ((1, 7),) if draw(st.booleans()) else ()
    made = [population(draw, f"p{n}", period) for n in range(draw(st.integers(1, 3)))]
    ideal = draw(st.booleans())
    register, counted = draw(st.sampled_from(("v", "s", "bap"))), draw(st.booleans())
    source = Source("in", draw(st.integers(1, 6)), offsets, bias)
    wired = [p.name for p, _ in made if p.size == source.lines]
    return Program(
        name="chance",
        target="ideal" if ideal else "loihi2",
        schedule=Schedule(period, end, inference_start=start),
        sources=(source,),
        populations=tuple(p for p, _ in made),
        synapses=(),
        readout=Readout("p0", register, period, count=counted),
        wires=tuple(Wire("in", name) for name in wired),
        widths=Widths(16 if ideal else 8),
        seed=draw(st.sampled_from((0, 3, 2**32 + 1, 2**61))),
        tensors={name: value for _, tensors in made for name, value in tensors.items()},
    )


def connected(draw: st.DrawFn, program: Program, kinds: tuple[str, ...]) -> Program:
    """Return the program with one to four groups of synapses, if time tables allow them."""
    for number in range(draw(st.integers(1, 4))):
        post = draw(st.sampled_from([p.name for p in program.populations]))
        made, tensors = group(draw, program, f"g{number}", post, kinds)
        grown = dataclasses.replace(program, tensors={**program.tensors, **tensors})
        if not fires(grown, made):
            program = dataclasses.replace(grown, synapses=(*program.synapses, made))
    return program


def learning(draw: st.DrawFn, program: Program) -> Program:
    """Return the program with rules on most of its groups, and sometimes a copy of one."""
    period, ideal = program.schedule.period, program.target == "ideal"
    epoch = draw(st.sampled_from([e for e in range(1, period + 1) if period % e == 0]))
    learners = [g for g in program.synapses if not isinstance(g.connect, Conv2d)]
    learners = [g for g in learners if (g.delay == 1 or ideal) and draw(st.integers(0, 3))]
    rules = [plasticity(draw, program, made, epoch) for made in learners]
    rules = [p for p in rules if not check_loihi(*p.sums)]
    taught = [g for g in learners if g.name in [p.synapses for p in rules]]
    tensors = dict(program.tensors)
    mirrors = copies(draw, program, taught)
    for made in mirrors:
        followed = program.group(made.mirror)
        shape = (program.population(followed.pre).size, program.population(followed.post).size)
        tensors["copy"] = numbers(draw, shape, -256, 255).astype(np.int16)
    groups = (*program.synapses, *mirrors)
    return dataclasses.replace(program, synapses=groups, plasticity=tuple(rules), tensors=tensors)


@st.composite
def lawful(draw: st.DrawFn, kinds: tuple[str, ...]) -> Sample:
    """Return a program, data for 1 to 4 samples, and how many these are."""
    program = learning(draw, connected(draw, parts(draw), kinds))
    assume(not list(problems_of(program)))
    source, samples = program.sources[0], draw(st.integers(1, 4))
    shape = (samples, len(source.offsets), source.size)
    return program, {"in": numbers(draw, shape, 0, 254)}, samples


@pytest.fixture(scope="session")
def programs() -> st.SearchStrategy[Sample]:
    """Give the strategy of lawful programs that native takes."""
    return lawful(TAKEN_BY_NATIVE)


@pytest.fixture(scope="session")
def joined_programs() -> st.SearchStrategy[Sample]:
    """Give the strategy of lawful programs, connected anyhow."""
    return lawful(CONNECTED)
