"""What the trainings of a row bought: a decrease of the objective, and an accuracy.

In: the curves of all seeds. Out: the `Gains` that energy is divided by, and plain data for reports.
Both look at training and validation samples only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.runtime.counters import Counters
from hebbite.runtime.curve import UNIT, Curve, why_without
from hebbite.runtime.energy import Gains

LEARNING = "learning, all epochs"
ALL = "inference and learning, up to the epoch that reached it"


@dataclass(frozen=True, eq=False)
class Bought:
    """What the curves of one row, one a seed, come to.

    ``model`` names the objective; ``accuracy`` in (0, 1] is the validation accuracy that is asked
    for, found with a resolution of one epoch.
    """

    model: Compiled
    seeds: tuple[int, ...]
    curves: tuple[Curve, ...]
    accuracy: float

    @property
    def decreases(self) -> tuple[float, ...]:
        """F before training less F after it, one a seed, in `UNIT`; () without an objective."""
        return tuple(
            curve.objective[0] - curve.objective[-1] for curve in self.curves if curve.objective
        )

    @property
    def decrease(self) -> float | None:
        """Mean of `decreases`."""
        return float(np.mean(self.decreases)) if self.decreases else None

    @property
    def objective(self) -> tuple[float, ...]:
        """Mean over seeds of F before the first epoch and after every one."""
        if not self.decreases:
            return ()
        return tuple(map(float, np.mean([curve.objective for curve in self.curves], axis=0)))

    @property
    def epochs(self) -> tuple[int | None, ...]:
        """Epochs until the accuracy was first reached, one a seed; 0: before any, None: never."""
        return tuple(_first(curve.validation, self.accuracy) for curve in self.curves)

    @property
    def reached(self) -> int:
        """How many seeds reached the accuracy."""
        return sum(epochs is not None for epochs in self.epochs)

    def gains(self) -> Gains:
        """Return what joules are divided by, or why they cannot be."""
        total = sum(self.decreases)
        until = self._until()
        return Gains(
            runs=len(self.curves),
            decrease=total if total > 0 else None,
            no_decrease=self._no_decrease(),
            until=until,
            not_reached=self.reach_text if until is None else "",
        )

    def _until(self) -> Counters | None:
        """Return the counts of all seeds until they reached the accuracy, None if one did not."""
        pairs = list(zip(self.curves, self.epochs, strict=True))
        parts = [curve.until(epochs) for curve, epochs in pairs if epochs is not None]
        return reduce(add, parts) if len(parts) == len(pairs) else None

    @property
    def reach_text(self) -> str:
        """How many seeds reached the accuracy."""
        last = len(self.curves[0].counters)
        return (
            f"{self.reached} of {len(self.curves)} seeds reached a validation accuracy of "
            f"{self.accuracy:g} by epoch {last}, the last"
        )

    def _no_decrease(self) -> str:
        values = self.objective
        if not values:
            return why_without(self.model)
        if sum(self.decreases) > 0:
            return ""
        return f"F did not decrease: {values[0]:.6g} before, {values[-1]:.6g} after ({UNIT})"

    def objective_json(self) -> dict[str, object]:
        """Return the curve of F, mean and by seed; null with the reason without an objective."""
        values, objective = self.objective, self.model.objective
        return {
            "name": objective.loss,
            "objective": objective.text,
            "unit": UNIT,
            "part": "training samples",
            "before": values[0] if values else None,
            "per_epoch": list(values[1:]) if values else None,
            "decrease": self.decrease,
            "seeds": [
                {
                    "seed": seed,
                    "before": curve.objective[0],
                    "per_epoch": list(curve.objective[1:]),
                    "decrease": curve.objective[0] - curve.objective[-1],
                }
                for seed, curve in zip(self.seeds, self.curves, strict=True)
                if values
            ],
            "priced_phases": LEARNING,
            "reason": self._no_decrease(),
        }

    def accuracy_json(self) -> dict[str, object]:
        """Return which validation accuracy was reached when; its joules stand in ``energy``."""
        return {
            "accuracy": self.accuracy,
            "part": "validation samples",
            "epochs": list(self.epochs),
            "reached": self.reached,
            "seeds": len(self.curves),
            "resolution_epochs": 1,
            "priced_phases": ALL,
        }


def _first(scores: Sequence[float], accuracy: float) -> int | None:
    return next((epoch for epoch, score in enumerate(scores) if score >= accuracy), None)
