"""What a list of synapses does with the messages of a step: one synapse after the other."""

from __future__ import annotations

from numpy import uint16
from numpy.typing import NDArray

from hebbite.runtime.engines.native.language import fetch, kernel
from hebbite.runtime.engines.native.plan import Byte, Long, Short, Small, Word

AHEAD = 4
"""Lines whose synapses are asked for before their turn."""


@kernel
def add_listed(
    due: Word,
    arrived: Byte,
    targets: NDArray[uint16] | Word,
    starts: Long,
    weights: Small | Short | Word,
    ids: Word,
    count: int,
    payload: Word,
    graded: int,
    nonzero: Word,
    up: int,
) -> None:
    """Add what ``count`` lines sent, times 2^up, to ``due`` (neurons,); mark who was reached."""
    for k in range(count):
        soon = starts[ids[min(k + AHEAD, count - 1)]]
        for step in range(3):
            fetch(targets, soon + 32 * step)
            fetch(weights, soon + 32 * step)
        line = ids[k]
        first, last = starts[line], starts[line + 1]
        sent = (payload[line] if graded else 1) << up
        if nonzero[line] == last - first:
            for s in range(first, last):
                due[targets[s]] += weights[s] * sent
                arrived[targets[s]] = 1
        else:
            for s in range(first, last):
                due[targets[s]] += weights[s] * sent
                arrived[targets[s]] |= weights[s] != 0
