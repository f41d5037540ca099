"""What placement gains: the cores of a program beside the linear order and random ones.

Random placements draw from the same cores that the linear order takes, as closely packed as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.layout.cost import Cost, cost_of
from hebbite.compiler.layout.scattered import scattered
from hebbite.compiler.layout.traffic import Messages, traffic_of
from hebbite.compiler.program.types import Program
from hebbite.compiler.targets import load_target

DRAWS = 20
"""Random placements; what is reported is their mean."""


@dataclass(frozen=True)
class PlacementReport:
    """Costs of a program's ``messages`` between its ``parts``, one a core, as it stands
    (``chosen``), in linear order, and placed at random (mean of ``draws``).

    ``measured`` says whether lines sent as often as they were seen to; else each sent once.
    """

    parts: int
    messages: int
    measured: bool
    draws: int
    linear: Cost
    random: Cost
    chosen: Cost

    def saved(self, of: str) -> float | None:
        """Return the share of hops saved of ``linear`` or ``random``; None if that took none."""
        before: Cost = {"linear": self.linear, "random": self.random}[of]
        return 1 - self.chosen.hops / before.hops if before.hops else None

    def to_json(self) -> dict[str, object]:
        """Return parts, messages and the three costs, then what was saved of two."""
        return {
            "parts": self.parts,
            "messages": self.messages,
            "measured": self.measured,
            "draws": self.draws,
            "linear": self.linear.to_json(),
            "random": self.random.to_json(),
            "chosen": self.chosen.to_json(),
            "saved": {of: self.saved(of) for of in ("linear", "random")},
        }


def placement_report(
    program: Program, *, messages: Messages | None = None, seed: int = 0
) -> PlacementReport:
    """Return what the cores of a placed program cost, and what others would.

    ``messages``: how often each line of each group sends; without them, once. ``seed`` draws the
    random placements.

    Raises:
        UsageError: HB0505, the messages do not fit the program.
    """
    traffic, target = traffic_of(program, messages), load_target(program.target)
    sent, parts = traffic.messages, len(traffic.cores)
    drawn = [cost_of(target, sent, scattered(parts, seed=seed, draw=draw)) for draw in range(DRAWS)]
    return PlacementReport(
        parts=parts,
        messages=int(sent.sum()),
        measured=messages is not None,
        draws=DRAWS,
        linear=cost_of(target, sent, np.arange(parts, dtype=np.int64)),
        random=Cost(
            sum(cost.hops_ew for cost in drawn) / DRAWS,
            sum(cost.hops_ns for cost in drawn) / DRAWS,
            sum(cost.interchip for cost in drawn) / DRAWS,
        ),
        chosen=cost_of(target, sent, np.asarray(traffic.cores, np.int64)),
    )
