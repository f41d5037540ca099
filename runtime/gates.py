"""Which synapses a learning epoch visits, and how many products it evaluates there.

In: dw and dt, the lines and neurons that had an event, the number of the epoch. Out: exact counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Ends, grid
from hebbite.rules.sums import SumOfProducts

Long = NDArray[np.int64]


def gates(
    sums: Sequence[SumOfProducts], x0: Long, y0: Long, epoch_number: int, ends: Ends | None = None
) -> tuple[int, int, int]:
    """Return (synapses visited, products evaluated, numbers drawn) of one epoch.

    x0 (lines,) and y0 (neurons,) are 0 or 1; ``epoch_number`` counts from 1; ``ends`` of the
    synapses, None: every line meets every neuron.
    """
    joined = grid(y0.size, x0.size) if ends is None else ends
    terms = [terms_at(update, x0, y0, epoch_number, joined) for update in sums]
    visits = [held != 0 for held in terms]
    union = np.logical_or.reduce(visits)
    drawn = sum(int(visited.sum()) for visited in visits)
    return int(union.sum()), sum(int(held.sum()) for held in terms), drawn


def terms_at(update: SumOfProducts, x0: Long, y0: Long, epoch_number: int, ends: Ends) -> Long:
    """Return how many products hold at every synapse, in the shape of its ends."""
    held = np.zeros(np.broadcast_shapes(ends.line.shape, ends.post.shape), np.int64)
    for product in update.products:
        names = [product.dependency, *(f.variable for f in product.factors if f.is_event)]
        due = all(epoch_number % 2 ** int(n[1:]) == 0 for n in names if n[0] == "u")
        line = x0 != 0 if "x0" in names else np.ones(x0.size, bool)
        neuron = y0 != 0 if "y0" in names else np.ones(y0.size, bool)
        if due:
            held += neuron[ends.post] & line[ends.line]
    return held
