"""Which text of a rule is compared: as it was typed, with its defaults, or calibrated.

In: the rules of a plan. Out: a `Choice` each, in order. Calibration trains on training samples and
chooses by validation samples of its own seeds; it is done once for each name of a rule, with the
first objective and target of the plan, and kept in the store of finished jobs like any other work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import producer
from hebbite.rules.errors import HebbiteError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.calibrate import GAINS, RATES, SEEDS, Calibration, Course, best_of, calibrate
from hebbite.runtime.calibrate import Trial as Attempt
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.plan import Plan
from hebbite.runtime.sensitivity import has_rate
from hebbite.runtime.trial import canonical, sha256_of, sources_sha256

Say = Callable[[str], None]
_BARE = re.compile(r"\s*[\w-]+\s*(\(\s*\))?\s*")


@dataclass(frozen=True)
class Choice:
    """The full ``text`` of a rule and where its options come from.

    ``source`` is ``default``, ``given`` (options were typed) or ``calibrated``.
    """

    text: str
    source: str
    calibration: Calibration | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data: the source, and of a calibration what was tried on what."""
        found = self.calibration
        if found is None:
            return {"source": self.source, "calibration": None}
        tried = {
            "rates": sorted({attempt.rate for attempt in found.trials}),
            "gains": sorted({attempt.gain for attempt in found.trials}),
            "seeds": list(SEEDS),
            "epochs": Course().epochs,
            "part": "validation samples",
            "accuracy": found.mean,
        }
        return {"source": self.source, "calibration": tried}


def choices_of(
    graph: Graph,
    plan: Plan,
    *,
    store: JobStore | None,
    fresh: bool,
    progress: Say | None = None,
    note: Say | None = None,
) -> tuple[Choice, ...]:
    """Return the choice of every rule of the plan, calibrated where the plan asks for it."""
    choices = typed(plan)
    if not plan.calibrate:
        return choices
    names = _to_calibrate(choices)
    found: dict[str, Calibration] = {}
    for name in names:
        key = _key(graph, plan, name)
        text = None if store is None or fresh else store.get(key)
        if store is not None and text is not None:
            found[name] = _from_stored(name, text, key, store)
            _tell(note, f"{name} was calibrated before: {found[name].rule}")
            continue
        found[name] = _calibrated(graph, plan, name, progress)
        if store is not None:
            store.put(key, _stored_form(found[name]))
    return tuple(
        Choice(made.rule, "calibrated", made) if (made := found.get(_name(choice))) else choice
        for choice in choices
    )


def typed(plan: Plan) -> tuple[Choice, ...]:
    """Return the rules as they were typed; nothing is calibrated."""
    return tuple(
        Choice(parse_rule(text).text, "default" if _BARE.fullmatch(text) else "given")
        for text in plan.rules
    )


def _name(choice: Choice) -> str:
    return parse_rule(choice.text).name if choice.source == "default" else ""


def _to_calibrate(choices: Iterable[Choice]) -> list[str]:
    names = dict.fromkeys(_name(choice) for choice in choices)
    return [name for name in names if name and has_rate(name)]


def _tell(say: Say | None, text: str) -> None:
    if say is not None:
        say(text)


def _course(plan: Plan) -> Course:
    return Course(
        limit=plan.train_samples or None,
        objective=plan.objectives[0],
        engine=plan.engine,
        rounding=plan.rounding,
        chips=plan.chips,
    )


def _calibrated(graph: Graph, plan: Plan, name: str, progress: Say | None) -> Calibration:
    course = _course(plan)
    return calibrate(
        graph,
        rule=name,
        data=plan.data,
        settings=replace(plan.settings, target=plan.targets[0]),
        rates=RATES,
        gains=GAINS,
        seeds=SEEDS,
        epochs=course.epochs,
        limit=course.limit,
        objective=course.objective,
        engine=course.engine,
        rounding=course.rounding,
        chips=course.chips,
        progress=lambda attempt: _tell(
            progress,
            f"{name}, rate {attempt.rate}, gain {attempt.gain}: validation {attempt.mean:.4f}",
        ),
    )


def _key(graph: Graph, plan: Plan, name: str) -> str:
    """Return the sha256 of everything that decides a calibration; see `trial.key_of`."""
    decides = {
        "calibration": name,
        "graph": _graph_sha256(graph),
        "course": asdict(_course(plan)),
        "settings": asdict(replace(plan.settings, target=plan.targets[0])),
        "data": [sha256_of(load_dataset(plan.data, seed=seed)) for seed in SEEDS],
        "seeds": SEEDS,
        "rates": RATES,
        "gains": GAINS,
        "producer": producer(),
        "sources": sources_sha256(),
    }
    return hashlib.sha256(canonical(decides).encode()).hexdigest()


def _graph_sha256(graph: Graph) -> str:
    digest = hashlib.sha256(str(graph).encode())
    for name in sorted(graph.tensors):
        values = np.ascontiguousarray(graph.tensors[name])
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _stored_form(found: Calibration) -> str:
    return canonical({"trials": [asdict(attempt) for attempt in found.trials]})


def _from_stored(name: str, text: str, key: str, store: JobStore) -> Calibration:
    """Return a calibration from its stored form (HB0716 if it is none)."""
    try:
        attempts = json.loads(text)["trials"]
        return best_of(name, [_attempt(**attempt) for attempt in attempts])
    except (ValueError, TypeError, LookupError, HebbiteError) as error:
        raise store.damaged(key) from error


def _attempt(*, rate: int, mantissa: int, gain: int, accuracy: list[float]) -> Attempt:
    scores = tuple(float(score) for score in accuracy)
    if len(scores) != len(SEEDS):
        raise ValueError("the attempts are of other seeds")
    return Attempt(int(rate), int(mantissa), int(gain), scores)
