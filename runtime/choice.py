"""Which text of a rule is compared: as it was typed, with its defaults, or calibrated.

In: the rules of a plan. Out: a `Choice` each, in order: a text for every seed. A calibration is
done once for each name of a rule and each seed, with the first objective and target of the plan, on
that seed's own training and validation samples, and kept in the store of finished jobs like any
other work. Never does a seed choose for another: its training part could hold the other's test
samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.rules.registry import parse_rule
from hebbite.runtime.calibrate import GAINS, RATES, Calibration, Course
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.plan import Plan
from hebbite.runtime.sensitivity import has_rate
from hebbite.runtime.trial import LEARNT_FROM, sha256_of
from hebbite.runtime.tuning import Tuning, from_stored, key_of, run_tuning, stored_form, told
from hebbite.runtime.workers import Count, Kind, all_results

Say = Callable[[str], None]
_BARE = re.compile(r"\s*[\w-]+\s*(\(\s*\))?\s*")


@dataclass(frozen=True)
class Choice:
    """The full text of a rule for every seed of a plan, and where its options come from.

    ``source`` is ``default``, ``given`` (options were typed) or ``calibrated``; ``calibrations``
    has one a seed, or none.
    """

    texts: tuple[str, ...]
    source: str
    calibrations: tuple[Calibration, ...] = ()

    @property
    def text(self) -> str | None:
        """The one text of all seeds; None if they differ."""
        return self.texts[0] if len(set(self.texts)) == 1 else None

    def to_json(self, seeds: Sequence[int]) -> dict[str, object]:
        """Return plain data: the source, and of calibrations what was tried on what.

        ``accuracy``: validation accuracy of the chosen texts, mean over ``seeds``.
        """
        found = self.calibrations
        if not found:
            return {"source": self.source, "calibration": None}
        trials = [attempt for calibration in found for attempt in calibration.trials]
        tried = {
            "rates": sorted({attempt.rate for attempt in trials}),
            "gains": sorted({attempt.gain for attempt in trials}),
            "seeds": list(seeds),
            "epochs": Course().epochs,
            "part": "validation samples of the seed itself",
            "accuracy": float(np.mean([calibration.mean for calibration in found])),
            "per_seed": [calibration.mean for calibration in found],
        }
        return {"source": self.source, "calibration": tried}


def choices_of(
    graph: Graph,
    plan: Plan,
    *,
    jobs: int = 1,
    store: JobStore | None,
    fresh: bool,
    progress: Say | None = None,
    note: Say | None = None,
    count: Count | None = None,
) -> tuple[Choice, ...]:
    """Return the choice of every rule of the plan, calibrated where the plan asks for it."""
    choices = typed(plan)
    if not plan.calibrate:
        return choices
    work = _tunings(graph, plan, choices)
    kind = Kind("calibrations", run_tuning, key_of, stored_form, from_stored, told)
    done = all_results(
        kind, work, jobs, store, fresh=fresh, progress=progress, note=note, count=count
    )
    found = {(job.rule, job.seed): made for job, made in zip(work, done, strict=True)}
    return tuple(_chosen(choice, plan.seeds, found) for choice in choices)


def typed(plan: Plan) -> tuple[Choice, ...]:
    """Return the rules as they were typed; nothing is calibrated."""
    return tuple(
        Choice(
            (parse_rule(text).text,) * len(plan.seeds),
            "default" if _BARE.fullmatch(text) else "given",
        )
        for text in plan.rules
    )


def by_text(texts: Sequence[str], seeds: Sequence[int], *, always: bool = False) -> str:
    """Return the texts of seeds as one line, each once: ``A``, or ``seeds 0, 2: A; seed 1: B``.

    ``always`` names the seeds even if their text is one.
    """
    if len(set(texts)) == 1 and not always:
        return texts[0]
    of: dict[str, list[str]] = {}
    for text, seed in zip(texts, seeds, strict=True):
        of.setdefault(text, []).append(str(seed))
    return "; ".join(
        f"seed{'s' * (len(known) > 1)} {', '.join(known)}: {text}" for text, known in of.items()
    )


def _chosen(
    choice: Choice, seeds: Sequence[int], found: Mapping[tuple[str, int], Calibration]
) -> Choice:
    name = _to_calibrate(choice)
    if not name:
        return choice
    made = tuple(found[name, seed] for seed in seeds)
    return Choice(tuple(each.rule for each in made), "calibrated", made)


def _to_calibrate(choice: Choice) -> str:
    """Return the name of an error-driven rule that was typed without options, else ''."""
    name = parse_rule(choice.texts[0]).name if choice.source == "default" else ""
    return name if name and has_rate(name) else ""


def _tunings(graph: Graph, plan: Plan, choices: Sequence[Choice]) -> list[Tuning]:
    """Return the calibrations to do: of every rule that needs one, for every seed once."""
    names = filter(None, dict.fromkeys(map(_to_calibrate, choices)))
    settings = replace(plan.settings, target=plan.targets[0])
    known = {
        seed: sha256_of(load_dataset(plan.data, seed=seed), parts=LEARNT_FROM)
        for seed in plan.seeds
    }
    return [
        Tuning(graph, name, plan.data, sha256, seed, replace(settings, seed=seed), _course(plan),
               RATES, GAINS)
        for name in names
        for seed, sha256 in known.items()
    ]  # fmt: skip


def _course(plan: Plan) -> Course:
    return Course(
        limit=plan.train_samples or None,
        objective=plan.objectives[0],
        engine=plan.engine,
        rounding=plan.rounding,
        chips=plan.chips,
    )
