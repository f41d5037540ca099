"""An untrained multilayer perceptron as a graph: for networks that start from random weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_builder import GraphBuilder


def perceptron(name: str, sizes: Sequence[int]) -> Graph:
    """Return linear ops with rectifiers in between; ``sizes`` of the input, hidden and output.

    Every weight is 1 and every bias 0, for ``Settings(init="random")`` to draw.
    """
    build = GraphBuilder(name)
    value = build.add("input", name="image", attributes={"shape": (sizes[0],)})
    for number, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        weights = {"weight": np.ones((outputs, inputs)), "bias": np.zeros(outputs)}
        value = build.add("linear", (value,), name=f"fc{number}", attributes=weights)
        if number < len(sizes) - 1:
            value = build.add("relu", (value,), name="relu")
    return build.graph((value,))
