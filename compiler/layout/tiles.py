"""Settles parts on the tiles of one chip: robust taboo search.

Cost is the sum over pairs of parts of messages x hops, and of what each part sends to other chips
(``pull``). In every step, of all moves of a part to a free place and of all exchanges of two parts,
the one that costs least is made, be it for the worse; the way back is barred for a number of steps
that is drawn anew each time. The best placement seen is kept. Costs are exact integers:

    M_pt     = sum_q s_pq d(t_q, t) + pull_pt            (part p on tile t, all others as they are)
    move     = M_pt - M_p,t_p
    exchange = M_p,t_q - M_p,t_p + M_q,t_p - M_q,t_q + 2 s_pq d(t_p, t_q)

E. Taillard, "Robust taboo search for the quadratic assignment problem", Parallel Computing 17(4-5),
1991, doi 10.1016/S0167-8191(05)80147-4.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words

Long = NDArray[np.int64]
STREAM = zlib.crc32(b"tiles of a chip")
BLOCK = 256
"""Terms of bars that are drawn at once."""
MOST = 50
"""Times its patience that a search lasts at most."""
NEVER = np.iinfo(np.int64).max // 2


def settle(
    messages: Long, ways: Long, start: Long, *, pull: Long, each: int, seed: int, patience: int
) -> Long:
    """Return a tile for every part, int64 (parts,), that costs no more than ``start``.

    ``messages`` both ways together, symmetric int64 (parts, parts) without a diagonal; ``ways``
    between tiles, symmetric int64 (tiles, tiles); ``pull`` int64 (parts, tiles). A tile takes
    ``each`` parts. The search ends after ``patience`` steps without a gain.
    """
    search = _Search(messages, ways, start, pull, each)
    best, lowest, cost = start, 0, 0
    step, last = 0, patience
    while step < last:
        if step % BLOCK == 0:
            terms = _terms(len(start), seed, step)
        delta = search.step(step, lowest - cost, int(terms[step % BLOCK]))
        if delta is None:
            break
        step, cost = step + 1, cost + delta
        if cost < lowest:
            best, lowest = search.tile.copy(), cost
            last = min(step + patience, MOST * patience)
    return best


def _terms(parts: int, seed: int, first: int) -> Long:
    """Return for how many steps a move is barred: 0.9 to 1.1 x parts, as published."""
    low, high = max(2, 9 * parts // 10), 11 * parts // 10 + 2
    return low + words(BLOCK, seed=seed, stream=STREAM, time=first) % (high - low + 1)


class _Search:
    """Tiles of all parts, and what every move would cost."""

    def __init__(self, messages: Long, ways: Long, start: Long, pull: Long, each: int) -> None:
        tiles = len(ways)
        self.tile = start.copy()
        self._sent, self._ways = messages, ways
        self._free = each - np.bincount(start, minlength=tiles).astype(np.int64)
        self._cost = messages @ ways[start] + pull
        self._twice = 2 * messages * ways[np.ix_(start, start)]
        self._barred = np.full(pull.shape, -1, np.int64)  # (part, tile): the last step
        self._parts = np.arange(len(start), dtype=np.int64)

    def step(self, number: int, wanted: int, term: int) -> int | None:
        """Make the cheapest move or exchange and return its cost; None if there is none.

        A barred one is made only if it costs less than ``wanted``; the way back is barred for
        ``term`` steps.
        """
        move = self._cost - self._cost[self._parts, self.tile][:, None]
        barred = self._barred >= number
        meet, back = move[:, self.tile], barred[:, self.tile]
        exchange = meet + meet.T + self._twice
        exchange[back & back.T & (exchange >= wanted)] = NEVER
        exchange[self.tile[:, None] == self.tile] = NEVER
        move[barred & (move >= wanted)] = NEVER
        move[:, self._free == 0] = NEVER
        move[self._parts, self.tile] = NEVER
        part, other = divmod(int(exchange.argmin()), len(self.tile))
        alone, goal = divmod(int(move.argmin()), len(self._ways))
        swapped, moved = int(exchange[part, other]), int(move[alone, goal])
        if min(swapped, moved) == NEVER:
            return None
        if moved <= swapped:
            self._move(alone, goal, number + term)
            return moved
        home, goal = int(self.tile[part]), int(self.tile[other])
        self._move(part, goal, number + term)
        self._move(other, home, number + term)
        return swapped

    def _move(self, part: int, goal: int, until: int) -> None:
        home = self.tile[part]
        self._barred[part, home] = until
        self._free[home] += 1
        self._free[goal] -= 1
        self.tile[part] = goal
        self._cost += self._sent[:, part, None] * (self._ways[goal] - self._ways[home])
        self._twice[part] = 2 * self._sent[part] * self._ways[goal, self.tile]
        self._twice[:, part] = self._twice[part]
