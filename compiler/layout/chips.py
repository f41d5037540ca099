"""Divides parts among chips so that few messages change chip: Kernighan-Lin, chip by chip.

Of two chips the pair of parts whose exchange saves most, or costs least, is exchanged and held;
then the next, until one chip has none left. The first exchanges up to the largest sum stay. A
place that is free takes part as a part without messages, so a chip may give without taking. Every
two chips are gone through until none of them changes.

B. W. Kernighan, S. Lin, "An efficient heuristic procedure for partitioning graphs", Bell System
Technical Journal 49(2), 1970, doi 10.1002/j.1538-7305.1970.tb01770.x.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Long = NDArray[np.int64]
ROUNDS = 10
"""Times that two chips are compared at most; each saves messages, and few are needed."""
HELD = np.iinfo(np.int64).min


def divide(messages: Long, *, chips: int, each: int) -> Long:
    """Return the chip of every part, int64; no chip gets more than ``each``.

    ``messages`` between parts, both ways together: symmetric int64 (parts, parts). The first
    ``each`` parts start on chip 0, the next on chip 1; what is returned sends no more messages
    from chip to chip than that.
    """
    places = chips * each
    padded = np.zeros((places, places), np.int64)
    padded[: len(messages), : len(messages)] = messages
    np.fill_diagonal(padded, 0)
    chip = np.arange(places, dtype=np.int64) // each
    changed = set(range(chips))
    for _ in range(ROUNDS):
        touched, changed = changed, set()
        for one, other in combinations(range(chips), 2):
            if {one, other} & (touched | changed) and _exchange(padded, chip, one, other):
                changed |= {one, other}
        if not changed:
            break
    return chip[: len(messages)]


def _exchange(messages: Long, chip: Long, one: int, other: int) -> bool:
    """Exchange parts of two chips, in ``chip``; return whether that saved a message."""
    left, right = np.flatnonzero(chip == one), np.flatnonzero(chip == other)
    own, across = messages[np.ix_(left, left)], messages[np.ix_(left, right)]
    foreign = messages[np.ix_(right, right)]
    gain_left = across.sum(axis=1) - own.sum(axis=1)
    gain_right = across.sum(axis=0) - foreign.sum(axis=1)
    saved = gain_left[:, None] + gain_right - 2 * across
    free = np.ones(saved.shape, np.bool_)
    exchanges: list[tuple[int, int]] = []
    total = best = kept = 0
    for _ in range(len(left)):
        a, b = divmod(int(np.where(free, saved, HELD).argmax()), len(right))
        total += int(saved[a, b])
        exchanges.append((a, b))
        if total > best:
            best, kept = total, len(exchanges)
        saved += (2 * (own[a] - across[:, b]))[:, None] + 2 * (foreign[b] - across[a])
        free[a], free[:, b] = False, False
    for a, b in exchanges[:kept]:
        chip[left[a]], chip[right[b]] = other, one
    return kept > 0
