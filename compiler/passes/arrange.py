"""Moves the parts of a placed program to cores between which their messages take fewer hops.

What stands on one core stays together; only which core that is changes, so nothing that a program
computes does. On several chips the parts are first divided so that few messages change chip, on no
more chips than before. Messages that change chip and hops never become more than in the linear
order; where neither becomes less, the linear order stays. A few more tiles may be taken than by the
linear order, which fills one after the other.

Beyond `MOST_PARTS` parts the linear order stays too: the table of their messages is square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.layout.chips import divide
from hebbite.compiler.layout.cost import cost_of
from hebbite.compiler.layout.linear import moved, parts_of
from hebbite.compiler.layout.tiles import settle
from hebbite.compiler.layout.traffic import Messages, traffic_of
from hebbite.compiler.placement import ways
from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import Target, load_target

Long = NDArray[np.int64]
MOST_PARTS = 2048
"""Sixteen chips of 128 cores."""
ROUNDS = 2
"""Times that each of several chips is settled; a single one needs it once."""
PATIENCE = 4
"""Steps without a gain after which a chip is settled, a part on it; and `STEPS` more."""
STEPS = 40


@dataclass(frozen=True)
class Arrange:
    """``seed`` is that of the search; the same seed gives the same cores everywhere."""

    name: ClassVar[str] = "arrange"

    seed: int = 0

    def apply(self, program: Program, *, messages: Messages | None = None) -> Program:
        """Return the program on other cores; ``messages`` are as often as lines send, if known.

        Raises:
            UsageError: HB0505, the messages do not fit the program.
        """
        target, parts = load_target(program.target), parts_of(program)
        linear = np.arange(len(parts), dtype=np.int64)
        found = linear
        alone = messages is None and len(parts) <= int(target.cores_per_tile)
        if not alone and len(parts) <= MOST_PARTS:
            found = self._arranged(target, traffic_of(program, messages).messages, linear)
        return moved(program, dict(zip(parts, found.tolist(), strict=True)))

    def _arranged(self, target: Target, sent: Long, linear: Long) -> Long:
        """Return a core for every part, at no more than the linear ones cost."""
        each, messages = int(target.cores_per_chip), sent + sent.T
        chips, limit = -(-len(linear) // each), cost_of(target, sent, linear)
        if not limit.hops and not limit.interchip:
            return linear
        starts = [linear]
        if chips > 1:
            starts.insert(0, _numbered(divide(messages, chips=chips, each=each), each))
        for start in starts:
            found = self._settled(target, messages, start)
            if cost_of(target, sent, found).saves_on(limit):
                return found
        return linear

    def _settled(self, target: Target, messages: Long, cores: Long) -> Long:
        """Return the cores after the parts of every chip have been settled on its tiles."""
        chip, each = int(target.cores_per_chip), int(target.cores_per_tile)
        cores = cores.copy()
        chips = np.unique(cores // chip)
        for _ in range(ROUNDS if len(chips) > 1 else 1):
            for number in chips:
                here = cores // chip == number
                tiles = np.arange(number * chip, (number + 1) * chip, each, dtype=np.int64)
                inside = messages[np.ix_(here, here)].copy()
                np.fill_diagonal(inside, 0)
                tile = settle(
                    inside,
                    _hops(target, tiles, tiles),
                    (cores[here] - number * chip) // each,
                    pull=messages[np.ix_(here, ~here)] @ _hops(target, cores[~here], tiles),
                    each=each,
                    seed=self.seed,
                    patience=PATIENCE * int(here.sum()) + STEPS,
                )
                cores[here] = _numbered(tile, each) + number * chip
        return cores


def _hops(target: Target, homes: Long, goals: Long) -> Long:
    found = ways(target, homes, goals)
    return np.asarray(found[..., 0] + found[..., 1], np.int64)


def _numbered(place: Long, each: int) -> Long:
    """Return a core for every part: on each chip, or tile, of ``each`` cores the parts that it
    holds take the first ones, in linear order."""
    cores = np.zeros_like(place)
    for number in np.unique(place):
        here = np.flatnonzero(place == number)
        cores[here] = number * each + np.arange(len(here), dtype=np.int64)
    return cores
