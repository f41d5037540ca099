"""A row of a comparison: one rule, objective and target over all seeds.

In: the outcomes of the seeds, and cost profiles. Out: accuracy with its interval, counts a sample,
energy and what it bought, and all of it as plain data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add

import numpy as np

from hebbite.compiler.capacity import footprint
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.bycore import CoreCounts
from hebbite.runtime.choice import Choice, by_text
from hebbite.runtime.counters import COUNTERS, Counters
from hebbite.runtime.credit.curve import CreditMeans
from hebbite.runtime.energy import CostProfile, price, time_per_sample
from hebbite.runtime.gains import Bought
from hebbite.runtime.plan import Plan
from hebbite.runtime.sensitivity import Neighbour
from hebbite.runtime.trial import Outcome

STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
           2.060, 2.056, 2.052, 2.048, 2.045, 2.042)  # fmt: skip
"""97.5 % quantiles of Student's t for 1..30 degrees of freedom (any table of the distribution)."""


@dataclass(frozen=True, eq=False)
class Row:
    """A rule over all seeds; `to_json` gives the ROW of ``hebbite compare --json``.

    ``choice`` says which text of the rule every seed had, and where it comes from; ``neighbours``
    holds the same rule at half and at twice its rate, where the plan asks for it. ``profiles``: the
    target's own chip first.
    """

    outcomes: tuple[Outcome, ...]
    plan: Plan
    profiles: tuple[CostProfile, ...]
    choice: Choice
    neighbours: Mapping[str, Near] = field(default_factory=dict)

    @property
    def model(self) -> Compiled:
        """The compiled model of the first seed."""
        return self.outcomes[0].model

    @property
    def name(self) -> str:
        """Name of the rule."""
        return self.model.rule.name

    @property
    def accuracy(self) -> tuple[float, float, float]:
        """Mean and 95 % interval over seeds; see `interval`."""
        return interval([outcome.after for outcome in self.outcomes])

    @property
    def samples(self) -> int:
        """Samples learnt from, over all seeds."""
        return sum(outcome.samples for outcome in self.outcomes)

    @property
    def counters(self) -> Counters:
        """Counts over all seeds."""
        first, *others = (outcome.counters for outcome in self.outcomes)
        return sum(others, first)

    def per_sample(self, counter: str) -> float:
        """One counter a training sample."""
        return self.counters.total(counter) / self.samples

    @cached_property
    def bought(self) -> Bought:
        """What the trainings bought: a decrease of the objective, an accuracy."""
        curves = tuple(outcome.curve for outcome in self.outcomes)
        return Bought(self.model, self.plan.seeds, curves, self.plan.to_accuracy)

    @cached_property
    def credit(self) -> CreditMeans:
        """How well the rule assigned credit, means over moments and seeds."""
        return CreditMeans(tuple(outcome.credit for outcome in self.outcomes))

    @cached_property
    def window(self) -> CoreCounts | None:
        """A few samples of every seed by core, after training; None if a seed has none."""
        windows = [outcome.window.counts for outcome in self.outcomes]
        known = [window for window in windows if window is not None]
        return reduce(add, known) if len(known) == len(windows) else None

    @cached_property
    def energy(self) -> list[dict[str, object]]:
        """The energy rows of every profile."""
        return [
            row
            for profile in self.profiles
            for row in price(
                self.counters,
                self.model.program,
                profile,
                samples=self.samples,
                samples_per_epoch=self.outcomes[0].samples_per_epoch,
                board_watts=self.plan.board_watts,
                gains=self.bought.gains(),
                window=self.window,
            )
        ]

    @property
    def energy_shown(self) -> Mapping[str, object] | None:
        """The energy row to show: events priced, the sourced total if there is one."""
        dynamic = [energy for energy in self.energy if energy["boundary"] == "dynamic"]
        for total in ("sourced", "assumed"):
            for energy in dynamic:
                if energy["total"] == total and energy["per_visit_j"] is not None:
                    return energy
        return None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        first, model = self.outcomes[0], self.model
        return {
            "model": model.model,
            "rule": model.rule.name,
            "rule_text": self.choice.text,
            "rule_texts": list(self.choice.texts),
            "objective": model.objective.name,
            "bias": "none",
            "target": model.program.target,
            "engine": self.plan.engine,
            "rounding": self.plan.rounding,
            "seeds": list(self.plan.seeds),
            "epochs": self.plan.epochs,
            "samples": first.samples,
            "data": first.dataset,
            "split": first.split,
            "rates": self.choice.to_json(self.plan.seeds),
            "accuracy": self.accuracy_json(),
            "objective_value": self.bought.objective_json(),
            "to_accuracy": self.bought.accuracy_json(),
            "rate_sensitivity": self._sensitivity(),
            "chance": float(np.mean([outcome.chance for outcome in self.outcomes])),
            "per_sample": {name: self.per_sample(name) for name in COUNTERS},
            "energy": self.energy,
            "credit": self.credit.to_json(),
            "locality": model.rule.locality.to_json(),
            "footprint": footprint(model.program).to_json(),
            **self._time(),
            "program_sha256": [outcome.model.sha256 for outcome in self.outcomes],
            "wall_s": sum(outcome.wall_s for outcome in self.outcomes),
        }

    def accuracy_json(self) -> dict[str, object]:
        """Return the accuracy over seeds, before and after, and the validation by epoch."""
        mean, low, high = self.accuracy
        return {
            "mean": mean,
            "low": low,
            "high": high,
            "per_seed": [outcome.after for outcome in self.outcomes],
            "before": float(np.mean([outcome.before for outcome in self.outcomes])),
            "validation": [list(outcome.validation) for outcome in self.outcomes],
            "validation_before": [outcome.curve.validation[0] for outcome in self.outcomes],
        }

    def _sensitivity(self) -> dict[str, object] | None:
        """Return the rule at half and at twice its rate; None if nobody asked."""
        found = {name: near.to_json() for name, near in self.neighbours.items()}
        return dict(found) if found else None

    def _time(self) -> dict[str, object]:
        """Return the time of a sample on the chip, by its own profile or else another chip's."""
        target = self.model.program.target
        order = [profile for profile in self.profiles if profile.time]
        if not order:
            return {"time_per_sample_s": None, "time_reason": "no profile with times"}
        profile = order[0]
        found = time_per_sample(
            self.counters,
            self.model.program,
            profile,
            samples=self.samples,
            window=self.window,
        )
        return {
            "time_per_sample_s": found.band.to_json() if found.band else None,
            "time_profile": profile.name,
            "time_cross_chip": profile.target != target,
            "time_evidence": found.evidence,
            "time_known": "the slowest core of every step" if self.window else "between two bounds",
            "time_reason": found.reason,
        }


@dataclass(frozen=True, eq=False)
class Near:
    """The rule of a row at another rate: its own row, or the reason why there is none.

    ``neighbours`` has one a seed of ``seeds``; a seed without one leaves the others out too, as
    means over fewer seeds say something else.
    """

    neighbours: tuple[Neighbour, ...]
    seeds: tuple[int, ...]
    row: Row | None

    @property
    def reason(self) -> str:
        """Why there is no row, '' if there is one."""
        lacking = [
            (neighbour.reason, seed)
            for neighbour, seed in zip(self.neighbours, self.seeds, strict=True)
            if neighbour.reason
        ]
        if not lacking:
            return ""
        reasons, seeds = zip(*lacking, strict=True)
        return by_text(reasons, seeds, always=len(seeds) < len(self.seeds))

    def to_json(self) -> dict[str, object]:
        """Return plain data; ``per_decrease_j`` is of the energy row that tables show."""
        row = self.row
        shown = row.energy_shown if row else None
        return {
            "rule_text": row.choice.text if row else None,
            "rule_texts": [neighbour.text or None for neighbour in self.neighbours],
            "accuracy": row.accuracy_json() if row else None,
            "objective_decrease": row.bought.decrease if row else None,
            "per_decrease_j": shown["per_decrease_j"] if shown else None,
            "energy": row.energy if row else [],
            "reason": self.reason or (row.bought.gains().no_decrease if row else ""),
        }


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, low and high of the 95 % t-interval of accuracies, within [0, 1].

        mean -+ t s / sqrt(n),   s the sample standard deviation, t of n - 1 degrees of freedom

    One value says nothing about the spread: the interval is then [0, 1].
    """
    mean = float(np.mean(values))
    freedom = len(values) - 1
    if not freedom:
        return mean, 0.0, 1.0
    quantile = STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96 + 2.5 / freedom
    reach = quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, max(0.0, mean - reach), min(1.0, mean + reach)
