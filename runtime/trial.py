"""One training of a comparison: made ready by one process, done by any.

In: a compiled model, a data set by name and a plan of training. Out: an `Outcome`. What decides the
outcome is hashed into a key, so that a training need not be done twice; see `jobs`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Training, producer
from hebbite.rules.errors import InputFileError, Problem
from hebbite.runtime.counters import COUNTERS, PHASES, Counters, components_of
from hebbite.runtime.credit.book import CreditBook, moments_of
from hebbite.runtime.credit.build import forward_groups
from hebbite.runtime.credit.curve import CreditCurve, from_plain, to_plain
from hebbite.runtime.curve import Curve, CurveBook, why_without
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.session import Session
from hebbite.runtime.training import train
from hebbite.runtime.window import Window, window_from_plain, window_of, window_to_plain

ROOMS = ("rules", "compiler", "runtime")
LEARNT_FROM = ("x_train", "y_train", "x_validation", "y_validation")
"""The parts of a data set by which settings may be chosen."""
PARTS = (*LEARNT_FROM, "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class Trial:
    """A training to do. ``data`` is a name or a path, ``data_sha256`` what was found there."""

    model: Compiled
    data: str
    data_sha256: str
    training: Training
    split: str
    chance: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training came to: a rule, an objective, a target and a seed."""

    model: Compiled
    dataset: str
    split: str
    chance: float
    before: float
    after: float
    curve: Curve
    credit: CreditCurve
    samples: int
    samples_per_epoch: int
    wall_s: float
    window: Window

    @property
    def validation(self) -> tuple[float, ...]:
        """Accuracy on the validation part after every epoch."""
        return self.curve.validation[1:]

    @property
    def counters(self) -> Counters:
        """Counts of the whole training."""
        return self.curve.until(len(self.curve.counters))


def run_trial(trial: Trial) -> Outcome:
    """Train, whatever was done before.

    Raises:
        InputFileError: HB0229 if the data is no longer what the trial was made for.
    """
    plan = trial.training
    dataset = unchanged(trial.data, seed=plan.split_seed, sha256=trial.data_sha256)
    began = time.perf_counter()
    book = CurveBook(trial.model, dataset, samples=plan.samples)
    credit = CreditBook(dataset, samples=plan.samples, epochs=plan.epochs)

    def watch(session: Session, counters: Counters | None) -> None:
        book.watch(session, counters)
        credit.watch(session, counters)

    trained = train(trial.model, dataset, plan, watch=watch)
    return _outcome(
        trial,
        before=trained.before,
        after=trained.after,
        curve=book.curve(trained.plan.validation),
        credit=credit.curve(),
        window=window_of(trained.model, dataset, plan),
        wall_s=time.perf_counter() - began,
    )


def _outcome(
    trial: Trial,
    *,
    before: float,
    after: float,
    curve: Curve,
    credit: CreditCurve,
    window: Window,
    wall_s: float,
) -> Outcome:
    plan = trial.training
    return Outcome(
        model=trial.model,
        dataset=plan.data,
        split=trial.split,
        chance=trial.chance,
        before=before,
        after=after,
        curve=curve,
        credit=credit,
        samples=plan.samples * plan.epochs,
        samples_per_epoch=plan.samples,
        wall_s=wall_s,
        window=window,
    )


def key_of(trial: Trial) -> str:
    """Return the sha256 of everything that decides the outcome of a trial.

    That is program, coding, rule, objective, settings, data, samples, epochs, engine, rounding and
    seed, and the version and the sources of hebbite; what data and model are called is not.
    """
    model, plan = trial.model, trial.training
    decides = {
        "program": plan.trained_sha256,
        "coding": asdict(model.coding),
        "rule": model.rule.text,
        "objective": model.objective.text,
        "settings": asdict(model.settings),
        "data": trial.data_sha256,
        "samples": plan.samples,
        "epochs": plan.epochs,
        "engine": plan.engine,
        "rounding": plan.rounding,
        "seed": plan.seed,
        "split_seed": plan.split_seed,
        "producer": producer(),
        "sources": sources_sha256(),
    }
    return hashlib.sha256(canonical(decides).encode()).hexdigest()


def canonical(document: Mapping[str, object]) -> str:
    """Return JSON that is the same text for the same content; floats come back bit for bit."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def stored_form(outcome: Outcome) -> str:
    """Return what an outcome holds beyond its trial, as canonical JSON; `from_stored` reads it."""
    curve = outcome.curve
    return canonical(
        {
            "before": outcome.before,
            "after": outcome.after,
            "objective": list(curve.objective),
            "validation": list(curve.validation),
            "credit": to_plain(outcome.credit),
            "wall_s": outcome.wall_s,
            "window": window_to_plain(outcome.window),
            "counters": {
                "components": list(curve.counters[0].components),
                "epochs": [counted.values.tolist() for counted in curve.counters],
            },
        }
    )


def from_stored(trial: Trial, text: str) -> Outcome:
    """Return the outcome of a trial from its stored form.

    Raises:
        ValueError, TypeError, LookupError: if the text is no such form.
    """
    found: dict[str, Any] = json.loads(text)
    return _outcome(
        trial,
        before=float(found["before"]),
        after=float(found["after"]),
        curve=_stored_curve(trial, found),
        credit=_stored_credit(trial, found["credit"]),
        window=window_from_plain(trial.model.program, found["window"]),
        wall_s=float(found["wall_s"]),
    )


def _stored_curve(trial: Trial, found: Mapping[str, Any]) -> Curve:
    epochs = trial.training.epochs
    components = components_of(trial.model.program)
    values = np.array(found["counters"]["epochs"], np.int64)
    shape = (epochs, len(components), len(PHASES), len(COUNTERS))
    if tuple(found["counters"]["components"]) != components or values.shape != shape:
        raise ValueError("the counters are of another program")
    objective, validation = (
        tuple(float(value) for value in found[name]) for name in ("objective", "validation")
    )
    points = 0 if why_without(trial.model) else epochs + 1
    if (len(objective), len(validation)) != (points, epochs + 1):
        raise ValueError("the curve is of another training")
    return Curve(objective, validation, tuple(Counters(components, each) for each in values))


def _stored_credit(trial: Trial, found: Mapping[str, Any]) -> CreditCurve:
    curve = from_plain(found)
    wanted = () if curve.reason else moments_of(trial.training.epochs)
    layers = [group.post for group in forward_groups(trial.model.program)]
    sheets = [sheet for moment in curve.moments for sheet in (moment.real, moment.chip)]
    others = [sheet for sheet in sheets if [layer.name for layer in sheet.layers] != layers]
    if tuple(moment.epoch for moment in curve.moments) != wanted or others:
        raise ValueError("the credit is of another training")
    return curve


def unchanged(data: str, *, seed: int, sha256: str, parts: Sequence[str] = PARTS) -> Dataset:
    """Return a data set that is still the one of this fingerprint (HB0229)."""
    dataset = load_dataset(data, seed=seed)
    if sha256_of(dataset, parts=parts) != sha256:
        what = "the data changed while models were trained on it"
        raise InputFileError(Problem("HB0229", what, at=data, hint="start again"))
    return dataset


def sha256_of(dataset: Dataset, *, parts: Sequence[str] = PARTS) -> str:
    """Return the fingerprint of a data set: every sample and label of these parts."""
    digest = hashlib.sha256(f"{dataset.classes}".encode())
    for part in parts:
        values = np.ascontiguousarray(getattr(dataset, part))
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{part} {values.dtype.str} {values.shape}".encode())
        digest.update(values.data)
    return digest.hexdigest()


@cache
def sources_sha256() -> str:
    """Return the fingerprint of the package's sources: another code may give another result."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for room in ROOMS:
        files = {path.relative_to(root).as_posix(): path for path in (root / room).rglob("*.py")}
        for name in sorted(files):
            data = files[name].read_bytes()
            digest.update(f"{name} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def chance_of(dataset: Dataset) -> float:
    """Return what one scores on the test part by always naming the commonest class of training."""
    commonest = np.bincount(dataset.y_train).argmax()
    return float(np.mean(dataset.y_test == commonest))
