"""Rules beside each other: the same model, data and seeds, trained by each, with what it costs.

In: a model, rules, seeds, a data set. Out: a `Comparison` of one `Row` a rule (and objective and
target): accuracy with its interval over seeds, counts a sample, energy, locality, footprint. A seed
sets the split, the feedback, the order of samples, the rounding, and with ``init=random`` the
weights.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hebbite.compiler.capacity import footprint
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import producer
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.objectives import parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.runtime.counters import COUNTERS, Counters
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.energy import (
    CostProfile,
    list_profiles,
    load_profile,
    price,
    time_per_sample,
)
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.training import plan_of
from hebbite.runtime.trial import Outcome, Trial, chance_of, sha256_of
from hebbite.runtime.workers import all_outcomes

CALIBRATION_SAMPLES = 1000
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
           2.060, 2.056, 2.052, 2.048, 2.045, 2.042)  # fmt: skip
"""97.5 % quantiles of Student's t for 1..30 degrees of freedom (any table of the distribution)."""


@dataclass(frozen=True)
class Plan:
    """What is compared; ``train_samples`` 0 takes all, ``profiles`` () every one there is."""

    rules: tuple[str, ...]
    objectives: tuple[str, ...] = ("classification",)
    targets: tuple[str, ...] = ("loihi2",)
    seeds: tuple[int, ...] = (0,)
    data: str = "digits"
    epochs: int = 10
    train_samples: int = 0
    engine: str = "native"
    rounding: str = "independent"
    settings: Settings = field(default_factory=Settings)
    chips: int = 1
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """A rule over all seeds; `to_json` gives the ROW of ``hebbite compare --json``."""

    outcomes: tuple[Outcome, ...]
    plan: Plan
    profiles: tuple[CostProfile, ...]

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

    def energy(self) -> list[dict[str, object]]:
        """Return the energy rows of every profile."""
        return [
            row
            for profile in self.profiles
            for row in price(
                self.counters,
                self.model.program,
                profile,
                samples=self.samples,
                samples_per_epoch=self.outcomes[0].samples_per_epoch,
            )
        ]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        first, model = self.outcomes[0], self.model
        mean, low, high = self.accuracy
        return {
            "model": model.model,
            "rule": model.rule.name,
            "rule_text": model.rule.text,
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
            "accuracy": {
                "mean": mean,
                "low": low,
                "high": high,
                "per_seed": [outcome.after for outcome in self.outcomes],
                "before": float(np.mean([outcome.before for outcome in self.outcomes])),
                "validation": [list(outcome.validation) for outcome in self.outcomes],
            },
            "chance": float(np.mean([outcome.chance for outcome in self.outcomes])),
            "per_sample": {name: self.per_sample(name) for name in COUNTERS},
            "energy": self.energy(),
            "credit": {"alignment": None, "bias": None, "variance": None},
            "locality": model.rule.locality.to_json(),
            "footprint": footprint(model.program).to_json(),
            **self._time(),
            "program_sha256": [outcome.model.sha256 for outcome in self.outcomes],
            "wall_s": sum(outcome.wall_s for outcome in self.outcomes),
        }

    def _time(self) -> dict[str, object]:
        """Return the time of a sample on the chip, by its own profile or else another chip's."""
        target = self.model.program.target
        order = sorted(self.profiles, key=lambda profile: profile.target != target)
        if not order:
            return {"time_per_sample_s": None, "time_reason": "no profile"}
        profile = order[0]
        found = time_per_sample(self.counters, self.model.program, profile, samples=self.samples)
        return {
            "time_per_sample_s": found.band.to_json() if found.band else None,
            "time_profile": profile.name,
            "time_cross_chip": profile.target != target,
            "time_evidence": found.evidence,
            "time_reason": found.reason,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows and where they come from; `to_json` gives what ``hebbite compare --json`` prints."""

    rows: tuple[Row, ...]
    provenance: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"rows": [row.to_json() for row in self.rows], "provenance": self.provenance}


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


def compare(
    model: str | Path | Graph,
    plan: Plan,
    *,
    jobs: int = 1,
    store: JobStore | None = None,
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Comparison:
    """Train ``model`` by every rule, objective, target and seed of the plan.

    ``jobs`` processes work side by side; their number does not change a result. A script that asks
    for more than one must guard its entry by ``if __name__ == "__main__"``. With a ``store`` what
    was finished before is not done again, unless ``fresh``, and what is finished now is kept; that
    changes no result either. ``note`` is told how many jobs were finished before.

    Raises:
        HebbiteError: whatever is wrong with the request; nothing is trained before it is known.
        EngineError: HB0607 if a process of ``jobs`` died.
    """
    began = time.perf_counter()
    graph = model if isinstance(model, Graph) else load_model(model)
    sha256 = _sha256(model)
    profiles = tuple(load_profile(name) for name in plan.profiles or list_profiles())
    trials = _trials(graph, sha256, plan)
    outcomes = iter(all_outcomes(trials, jobs, store, fresh=fresh, progress=progress, note=note))
    each = len(plan.seeds)
    rows = tuple(
        Row(tuple(itertools.islice(outcomes, each)), plan, profiles)
        for _ in range(len(trials) // each)
    )
    return Comparison(rows, _provenance(sha256, plan, jobs, time.perf_counter() - began))


def _trials(graph: Graph, sha256: str, plan: Plan) -> list[Trial]:
    """Return the trainings of every row, one a seed; all is typed and compiled before any is done.

    A data set is loaded once a seed, and held no longer than it takes to compile.
    """
    if not plan.rules or not plan.seeds or plan.epochs < 1:
        raise UsageError(Problem("HB0107", "comparing needs a rule, a seed and an epoch"))
    rules = [parse_rule(text).text for text in plan.rules]
    objectives = [parse_objective(text).text for text in plan.objectives]
    rows = list(itertools.product(rules, objectives, plan.targets))
    by_seed = [_of_seed(graph, sha256, plan, rows, seed) for seed in plan.seeds]
    return [trials[index] for index in range(len(rows)) for trials in by_seed]


def _of_seed(
    graph: Graph, sha256: str, plan: Plan, rows: Sequence[tuple[str, str, str]], seed: int
) -> list[Trial]:
    dataset = load_dataset(plan.data, seed=seed)
    known = sha256_of(dataset)
    return [
        _trial(graph, sha256, plan, row, dataset=dataset, data_sha256=known, seed=seed)
        for row in rows
    ]


def _trial(
    graph: Graph,
    sha256: str,
    plan: Plan,
    row: tuple[str, str, str],
    *,
    dataset: Dataset,
    data_sha256: str,
    seed: int,
) -> Trial:
    rule, objective, target = row
    compiled = compile(
        graph,
        rule=rule,
        objective=objective,
        settings=replace(plan.settings, target=target, seed=seed),
        calibration=dataset.x_train[:CALIBRATION_SAMPLES].astype(np.float64),
        chips=plan.chips,
    )
    training = plan_of(
        compiled,
        dataset,
        epochs=plan.epochs,
        engine=plan.engine,
        rounding=plan.rounding,
        seed=seed,
        split_seed=seed,
        train_samples=plan.train_samples,
    )
    compiled = replace(compiled, source_sha256=sha256)
    split = _split(dataset, plan)
    return Trial(compiled, plan.data, data_sha256, training, split, chance_of(dataset))


def _split(dataset: Dataset, plan: Plan) -> str:
    if len(plan.seeds) == 1:
        return dataset.split
    sizes = dataset.split.split(":", 1)[-1].strip()
    return f"stratified, a split a seed: {sizes}"


def _sha256(model: str | Path | Graph) -> str:
    data = str(model).encode() if isinstance(model, Graph) else Path(model).read_bytes()
    return hashlib.sha256(data).hexdigest()


def _provenance(sha256: str, plan: Plan, jobs: int, wall_s: float) -> dict[str, object]:
    return {
        "producer": producer(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "source_sha256": sha256,
        "engine": plan.engine,
        "rounding": plan.rounding,
        "seeds": list(plan.seeds),
        "data": plan.data,
        "epochs": plan.epochs,
        "jobs": jobs,
        "profiles": list(plan.profiles or list_profiles()),
        "ran_on": "this computer; no chip was used",
        "wall_s": wall_s,
    }
