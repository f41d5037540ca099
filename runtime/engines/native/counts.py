"""How many weights of a line are not 0, for that many synapses compute when it sends.

What learns or follows another group is counted when a line sends whose weights changed since it was
counted last, and not while they change: ``nonzero`` is `UNKNOWN` meanwhile. `recounted` does
without, where rows are added anyway.
"""

from __future__ import annotations

from hebbite.runtime.engines.native import views as at
from hebbite.runtime.engines.native.language import apart, kernel, marked, ones, part
from hebbite.runtime.engines.native.plan import (
    DENSE,
    FORGOTTEN,
    G_KIND,
    G_NONZERO,
    G_SIZE,
    G_STARTS,
    G_STORE,
    G_VARIES,
    G_WEIGHT,
    SHORTS,
    Short,
    Small,
    Word,
)

UNKNOWN = -1
BEHIND = 64
"""Weights that are read behind the last one of a store."""


@part
def synapses_of(m: int, g: int, i: int) -> tuple[int, int]:
    """Return the first synapse of line ``i``, and how many it has."""
    size = at.groups(m)[g, G_SIZE]
    if at.groups(m)[g, G_KIND] == DENSE:
        return i * size, size
    start = at.groups(m)[g, G_STARTS] + i
    return at.starts(m)[start], at.starts(m)[start + 1] - at.starts(m)[start]


@kernel
def count_lines(m: int, g: int, ids: Word, count: int) -> None:
    """Count the weights of the lines ``ids`` of a group whose weights change."""
    nonzero, base = at.nonzero(m)[at.groups(m)[g, G_NONZERO] :], at.groups(m)[g, G_WEIGHT]
    for k in range(count):
        i = ids[k]
        if nonzero[i] == UNKNOWN:
            element, size = synapses_of(m, g, i)
            if at.groups(m)[g, G_STORE] == SHORTS:
                nonzero[i] = filled(at.shorts(m)[base + element :], size)
            else:
                nonzero[i] = filled(at.words(m)[base + element :], size)


@apart
def filled(weights: Small | Short | Word, size: int) -> int:
    """Return how many of the first ``size`` weights are not 0; at most `BEHIND` more are read."""
    count, whole = 0, size // 64
    for q in range(whole):
        count += ones(marked(weights, q))
    return count + ones(marked(weights, whole) & (1 << size % 64) - 1)


@kernel
def forget_lines(m: int, g: int, ids: Word, count: int) -> None:
    """Have the first ``count`` lines of ``ids`` counted when they send next."""
    nonzero = at.nonzero(m)[at.groups(m)[g, G_NONZERO] :]
    if at.groups(m)[g, G_VARIES] == FORGOTTEN:
        for k in range(count):
            nonzero[ids[k]] = UNKNOWN


@kernel
def forget_all(m: int, g: int, lines: int) -> None:
    """Have all ``lines`` of a group counted when they send next."""
    first = at.groups(m)[g, G_NONZERO]
    if at.groups(m)[g, G_VARIES] == FORGOTTEN:
        at.nonzero(m)[first : first + lines] = UNKNOWN
