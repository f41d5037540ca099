"""What a placement costs: hops and changes of chip of all messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.placement import ways
from hebbite.compiler.targets import Target


@dataclass(frozen=True)
class Cost:
    """Messages x hops from column to column (ew) and from row to row (ns), and messages that
    change chip; means, where several placements were drawn."""

    hops_ew: float
    hops_ns: float
    interchip: float

    @property
    def hops(self) -> float:
        """Messages x hops."""
        return self.hops_ew + self.hops_ns

    def at_most(self, other: Cost) -> bool:
        """Whether neither hops nor changes of chip are more than another placement's."""
        return self.interchip <= other.interchip and self.hops <= other.hops

    def saves_on(self, other: Cost) -> bool:
        """Whether one of both is less than another placement's, and the other not more."""
        less = self.interchip < other.interchip or self.hops < other.hops
        return less and self.at_most(other)

    def to_json(self) -> dict[str, float]:
        """Return hops, their two parts, and interchip."""
        return {
            "hops": self.hops,
            "hops_ew": self.hops_ew,
            "hops_ns": self.hops_ns,
            "interchip": self.interchip,
        }


def cost_of(target: Target, messages: NDArray[np.int64], cores: NDArray[np.int64]) -> Cost:
    """Return what ``messages`` from part to part, int64 (parts, parts), cost on these cores."""
    sums = (messages[..., None] * ways(target, cores, cores)).sum(axis=(0, 1))
    return Cost(*(int(count) for count in sums))
