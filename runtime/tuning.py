"""One calibration as a job: the rate and gain of a rule, for one seed of a comparison.

In: a graph, the name of a rule, a data set and a seed. Out: a `Calibration` on the training and
validation parts of that seed; its test part decides nothing, not even the key that the calibration
is kept by.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.compiler.hbt import producer
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.calibrate import Calibration, Course, Trial, best_of, calibrate
from hebbite.runtime.trial import LEARNT_FROM, canonical, sources_sha256, unchanged


@dataclass(frozen=True, eq=False)
class Tuning:
    """A calibration to do. ``data`` is a name or a path, ``data_sha256`` the fingerprint of the
    parts of `LEARNT_FROM` that were found there for ``seed``."""

    graph: Graph
    rule: str
    data: str
    data_sha256: str
    seed: int
    settings: Settings
    course: Course
    rates: tuple[int, ...]
    gains: tuple[int, ...]


def run_tuning(tuning: Tuning) -> Calibration:
    """Calibrate, whatever was done before (HB0229 if the data changed)."""
    unchanged(tuning.data, seed=tuning.seed, sha256=tuning.data_sha256, parts=LEARNT_FROM)
    course = tuning.course
    return calibrate(
        tuning.graph,
        rule=tuning.rule,
        data=tuning.data,
        settings=tuning.settings,
        rates=tuning.rates,
        gains=tuning.gains,
        seeds=(tuning.seed,),
        epochs=course.epochs,
        limit=course.limit,
        objective=course.objective,
        engine=course.engine,
        rounding=course.rounding,
        chips=course.chips,
    )


def key_of(tuning: Tuning) -> str:
    """Return the sha256 of everything that decides a calibration; see `trial.key_of`."""
    decides = {
        "calibration": tuning.rule,
        "graph": _graph_sha256(tuning.graph),
        "course": asdict(tuning.course),
        "settings": asdict(tuning.settings),
        "data": tuning.data_sha256,
        "seed": tuning.seed,
        "rates": tuning.rates,
        "gains": tuning.gains,
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


def stored_form(found: Calibration) -> str:
    """Return what was tried, as canonical JSON; `from_stored` reads it."""
    return canonical({"trials": [asdict(attempt) for attempt in found.trials]})


def from_stored(tuning: Tuning, text: str) -> Calibration:
    """Return a calibration from its stored form.

    Raises:
        ValueError, TypeError, LookupError: if the text is no such form.
    """
    attempts = json.loads(text)["trials"]
    try:
        return best_of(tuning.rule, [_attempt(**attempt) for attempt in attempts])
    except HebbiteError as error:
        raise ValueError("no calibration of this rule") from error


def _attempt(*, rate: int, mantissa: int, gain: int, accuracy: list[float]) -> Trial:
    (score,) = accuracy
    return Trial(int(rate), int(mantissa), int(gain), (float(score),))


def told(tuning: Tuning, found: Calibration) -> str:
    """Return one line about a calibration."""
    return f"{tuning.rule}, seed {tuning.seed}: {found.rule}, validation {found.mean:.4f}"
