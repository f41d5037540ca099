"""Rules beside each other: the same model, data and seeds, trained by each, with what it costs.

In: a model and a plan: rules, seeds, a data set. Out: a `Comparison` of one `Row` a rule (and
objective and target): accuracy with its interval over seeds, counts a sample, energy and what it
bought, locality, footprint.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hebbite.compiler.frontends import load_model
from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import producer
from hebbite.rules.objectives import parse_objective
from hebbite.runtime.choice import Choice, choices_of, typed
from hebbite.runtime.energy import CostProfile, by_closeness, list_profiles, load_profile
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.plan import Cell, Plan, trials_of
from hebbite.runtime.ranking import Pair, pairs_of
from hebbite.runtime.row import Near, Row, interval
from hebbite.runtime.sensitivity import beside, texts_of
from hebbite.runtime.trial import Outcome
from hebbite.runtime.workers import Count, all_outcomes

__all__ = ["Comparison", "Plan", "Row", "compare", "interval"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows and where they come from; `to_json` gives what ``hebbite compare --json`` prints."""

    rows: tuple[Row, ...]
    provenance: dict[str, object]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "rows": [row.to_json() for row in self.rows],
            "cheaper": [pair.to_json() for pair in self.pairs],
            "provenance": self.provenance,
        }

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Which of two rules costs less, as far as every profile agrees."""
        return pairs_of(self.rows)


def compare(
    model: str | Path | Graph,
    plan: Plan,
    *,
    jobs: int = 1,
    store: JobStore | None = None,
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
    note: Callable[[str], None] | None = None,
    count: Count | None = None,
) -> Comparison:
    """Train ``model`` by every rule, objective, target and seed of the plan.

    With ``plan.calibrate`` rates and gains are chosen first, for every seed on its own training and
    validation parts, see `choice`; with ``plan.sensitivity`` every rule is trained at half and at
    twice its rate too. What stands in the plan twice is trained once.

    ``jobs`` processes work side by side; their number does not change a result. A script that asks
    for more than one must guard its entry by ``if __name__ == "__main__"``. With a ``store`` what
    was finished before is not done again, unless ``fresh``, and what is finished now is kept; that
    changes no result either. ``note`` is told how many jobs were finished before, ``count`` how
    many are finished as they are.

    Raises:
        HebbiteError: whatever is wrong with the request; nothing is trained before it is known.
        EngineError: HB0607 if a process of ``jobs`` died.
    """
    began = time.perf_counter()
    graph = model if isinstance(model, Graph) else load_model(model)
    sha256 = _sha256(model)
    plan.check()
    profiles = tuple(load_profile(name) for name in plan.profiles or list_profiles())
    if plan.calibrate:
        trials_of(graph, sha256, plan, _cells(plan, typed(plan)))
    choices = choices_of(
        graph, plan, jobs=jobs, store=store, fresh=fresh, progress=progress, note=note, count=count
    )
    trials = trials_of(graph, sha256, plan, _cells(plan, choices))
    work = list(trials.values())
    done = all_outcomes(work, jobs, store, fresh=fresh, progress=progress, note=note, count=count)
    found = dict(zip(trials, done, strict=True))
    rows = tuple(
        _row(choice, goal, target, found, plan, profiles)
        for choice, goal, target in itertools.product(choices, _objectives(plan), plan.targets)
    )
    return Comparison(rows, _provenance(sha256, plan, jobs, time.perf_counter() - began))


def _objectives(plan: Plan) -> list[str]:
    return [parse_objective(text).text for text in plan.objectives]


def _cells(plan: Plan, choices: Sequence[Choice]) -> list[Cell]:
    """Return everything to train, once each: the rules, and their neighbours if wanted."""
    rules = [choice.texts for choice in choices]
    for texts in rules[:] if plan.sensitivity else ():
        rules += [found for near in beside(texts).values() if (found := texts_of(near))]
    every = itertools.product(rules, _objectives(plan), plan.targets)
    return list(
        dict.fromkeys(
            cell for texts, goal, target in every for cell in _of_seeds(plan, texts, goal, target)
        )
    )


def _of_seeds(plan: Plan, texts: Sequence[str], objective: str, target: str) -> list[Cell]:
    return [
        Cell(text, objective, target, seed) for text, seed in zip(texts, plan.seeds, strict=True)
    ]


def _row(
    choice: Choice,
    objective: str,
    target: str,
    found: Mapping[Cell, Outcome],
    plan: Plan,
    profiles: tuple[CostProfile, ...],
) -> Row:
    def row(chosen: Choice, near: Mapping[str, Near]) -> Row:
        cells = _of_seeds(plan, chosen.texts, objective, target)
        outcomes = tuple(found[cell] for cell in cells)
        closest = by_closeness(profiles, outcomes[0].model.program.target)
        return Row(outcomes, plan, closest, chosen, near)

    near: dict[str, Near] = {}
    for name, neighbours in beside(choice.texts).items() if plan.sensitivity else ():
        texts = texts_of(neighbours)
        other = row(Choice(texts, choice.source), {}) if texts else None
        near[name] = Near(neighbours, plan.seeds, other)
    return row(choice, near)


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
        "to_accuracy": plan.to_accuracy,
        "calibrate": plan.calibrate,
        "sensitivity": plan.sensitivity,
        "jobs": jobs,
        "profiles": list(plan.profiles or list_profiles()),
        "ran_on": "this computer; no chip was used",
        "wall_s": wall_s,
    }
