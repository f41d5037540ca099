"""How many tile hops placement saves, and how long it takes.

python benchmarks/placement.py [--programs mlp,conv,...] [--chips 4]

One JSON line a program: parts (cores that hold something), messages x hops and messages that change
chip in linear order, at random (mean of 20 draws), and as `Arrange` places it; the shares saved;
the seconds of the whole placement in linear order and of `Arrange` alone. Each line of each group
sends one message. Synapses are drawn by a seed; nothing learns and nothing was run on a chip.

deep       64-128-...-128-10, dfa: eight populations on a core each
mlp        784-1000-1000-10, dfa
digits     64-32-10, dfa: what fits one tile has nothing to save
conv       3x32x32, convolutions 3x3 to 16 and 32 channels, each pooled, linear to 128 and 10
reservoir  4,000 leaky units, one synapse in ten at random
local      4,000 leaky units on a grid of 40 x 100 (toroidal by row), probability falling with the
           distance r as 0.9 exp(-r^2 / 128)
random     60 populations of 20 to 200 units; each sends to three others (seeds 0, 1, 2)
chips      300 populations of 20 to 200 units; each sends to three others: three chips
clusters   300 populations in 20 clusters of 15, shuffled; each sends to three of its own cluster
           and to one of any
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Array, Attribute
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.layout import placement_report
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.passes.place import Place
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.types import (
    IntArray,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)

Long = NDArray[np.int64]
DIGITS = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"
LIF = (("du_keep", 0), ("dv_keep", 3500), ("threshold", 64 * 500))
PERIOD = 8
CELLS = 4000


def main() -> None:
    """Print one JSON line a program."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", default=",".join(PROGRAMS))
    options.add_argument("--chips", type=int, default=4)
    chosen = options.parse_args()
    for name in chosen.programs.split(","):
        print(json.dumps({"program": name, **measured(PROGRAMS[name](), chosen.chips)}), flush=True)


def measured(program: Program, chips: int) -> dict[str, object]:
    """Return what placing a program gains, and the seconds."""
    start = time.perf_counter()
    linear = Place(chips=chips, order="linear").apply(program)
    middle = time.perf_counter()
    made = Arrange().apply(linear)
    end = time.perf_counter()
    times = {"linear_s": round(middle - start, 4), "arrange_s": round(end - middle, 4)}
    return {**placement_report(made).to_json(), **times}


def layers(*sizes: int) -> Program:
    """Return a network of linear ops and rectifiers that learns by dfa."""
    build, rng = GraphBuilder("layers"), np.random.default_rng(0)
    last = build.add("input", name="image", attributes={"shape": sizes[:1]})
    for inputs, outputs in pairwise(sizes):
        weight = rng.normal(0, inputs**-0.5, (outputs, inputs))
        last = build.add("linear", (last,), attributes={"weight": weight})
        last = build.add("relu", (last,)) if outputs > 10 else last
    return compile(build.graph(outputs=(last,)), rule="dfa", order="linear").program


def digits() -> Program:
    """Return the untrained network of the 8x8 digits."""
    return compile(DIGITS, rule="dfa", order="linear").program


def conv() -> Program:
    """Return a small convolutional network."""
    build, rng = GraphBuilder("conv"), np.random.default_rng(0)
    last = build.add("input", name="image", attributes={"shape": (3, 32, 32)})
    for channels, more in ((3, 16), (16, 32)):
        weight = rng.normal(0, (9 * channels) ** -0.5, (more, channels, 3, 3))
        kept: dict[str, Attribute | Array] = {"weight": weight, "padding": (1, 1, 1, 1)}
        last = build.add("conv2d", (last,), attributes=kept)
        last = build.add("relu", (last,))
        last = build.add("avg_pool2d", (last,), attributes={"kernel": (2, 2), "stride": (2, 2)})
    last = build.add("flatten", (last,))
    for inputs, outputs in ((2048, 128), (128, 10)):
        weight = rng.normal(0, inputs**-0.5, (outputs, inputs))
        last = build.add("linear", (last,), attributes={"weight": weight})
        last = build.add("relu", (last,)) if outputs > 10 else last
    return compile(build.graph(outputs=(last,)), rule="dfa", order="linear", chips=4).program


def reservoir() -> Program:
    """Return units that are joined at random."""
    rng = np.random.default_rng(0)
    return recurrent(np.nonzero(rng.random((CELLS, CELLS)) < 0.1))


def local() -> Program:
    """Return units on a grid that are joined to their neighbours."""
    rng = np.random.default_rng(0)
    x, y = np.divmod(np.arange(CELLS), 40)
    far = np.abs(y[:, None] - y)
    squared = (x[:, None] - x) ** 2 + np.minimum(far, 40 - far) ** 2
    return recurrent(np.nonzero(rng.random((CELLS, CELLS)) < 0.9 * np.exp(-squared / 128)))


def recurrent(ends: tuple[Long, ...]) -> Program:
    """Return a population with a list of synapses from lines to neurons, sorted by line."""
    line, post = ends
    tensors: dict[str, IntArray] = {
        "w": np.ones(len(line), np.int16),
        "starts": np.searchsorted(line, np.arange(CELLS + 1)).astype(np.int64),
        "targets": post.astype(np.int32),
        "bias": np.zeros(CELLS, np.int32),
    }
    loop = Synapses(
        "loop", "cells", "cells", "w", graded=False, connect=Sparse("starts", "targets")
    )
    cells = Population("cells", CELLS, NEURONS["lif"], LIF, (("bias", "bias"),))
    return program_of((cells,), (loop,), tensors)


def graph(pairs: Iterable[tuple[int, int]], sizes: Long) -> Program:
    """Return populations of these sizes, with a dense group for every pair of them."""
    tensors: dict[str, IntArray] = {f"b{n}": np.zeros(s, np.int32) for n, s in enumerate(sizes)}
    groups = []
    for pre, post in sorted(set(pairs)):
        name = f"g{pre}.{post}"
        groups.append(Synapses(name, f"p{pre}", f"p{post}", name, graded=False))
        tensors[name] = np.ones((int(sizes[post]), int(sizes[pre])), np.int16)
    populations = tuple(
        Population(f"p{n}", int(size), NEURONS["lif"], LIF, (("bias", f"b{n}"),))
        for n, size in enumerate(sizes)
    )
    return program_of(populations, tuple(groups), tensors)


def by_chance(count: int, seed: int) -> Program:
    """Return populations that send to three others each."""
    rng = np.random.default_rng(seed)
    pairs = [(pre, int(post)) for pre in range(count) for post in rng.integers(0, count, 3)]
    return graph(pairs, rng.integers(20, 201, count))


def clusters() -> Program:
    """Return 300 populations in 20 clusters."""
    rng = np.random.default_rng(0)
    cluster = rng.permutation(np.arange(300) % 20)
    own = [np.flatnonzero(cluster == cluster[pre]) for pre in range(300)]
    pairs = [(pre, int(post)) for pre in range(300) for post in rng.choice(own[pre], 3)]
    pairs += [(pre, int(post)) for pre, post in enumerate(rng.integers(0, 300, 300))]
    return graph(pairs, rng.integers(20, 201, 300))


def program_of(
    populations: tuple[Population, ...], groups: tuple[Synapses, ...], tensors: dict[str, IntArray]
) -> Program:
    """Return a program with one line of the host."""
    first = populations[0]
    tensors["in"] = np.ones((first.size, 1), np.int16)
    return Program(
        "p",
        "loihi2",
        Schedule(PERIOD, PERIOD),
        sources=(Source("image", 1, (1,)),),
        populations=populations,
        synapses=(Synapses("in", "image", first.name, "in", graded=False), *groups),
        readout=Readout(first.name, "s", PERIOD, count=True),
        tensors=tensors,
    )


PROGRAMS: dict[str, Callable[[], Program]] = {
    "digits": digits,
    "deep": lambda: layers(64, 128, 128, 128, 128, 128, 128, 128, 10),
    "mlp": lambda: layers(784, 1000, 1000, 10),
    "conv": conv,
    "reservoir": reservoir,
    "local": local,
    "random-0": lambda: by_chance(60, 0),
    "random-1": lambda: by_chance(60, 1),
    "random-2": lambda: by_chance(60, 2),
    "chips": lambda: by_chance(300, 0),
    "clusters": clusters,
}

if __name__ == "__main__":
    main()
