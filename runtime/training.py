"""Training with checkpoints: epoch by epoch, resumable to the bit.

In: a compiled model, a data set and a plan. Out: what was learnt, and after every epoch the state
that the rest of the training depends on. A training that was stopped and resumed ends with the same
bits as one that was not, on every engine whose random state is known (not on Lava).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Saved, Training
from hebbite.rules.errors import EngineError, InputFileError, Problem, UsageError
from hebbite.runtime.counters import Counters, counted_nothing
from hebbite.runtime.datasets import Dataset
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
Keep = Callable[[Training, Mapping[str, Long]], None]
"""Called after every epoch with how far the training is, and the state."""
Progress = Callable[[int, float], None]
"""Called after every epoch with its number and the validation accuracy."""
Tick = Callable[[int], None]
"""Called about five times a second with the samples shown in all epochs, those done before too; it
raises `StopRequestedError` to stop the training."""
Watch = Callable[[Session, Counters | None], None]
"""Called before the first epoch with None, and after every one with what that epoch counted."""


class StopRequestedError(Exception):
    """Somebody asks a training to stop where it is."""


class TrainingStoppedError(Exception):
    """A training stopped as asked: ``done`` and ``state`` make a checkpoint that goes on."""

    def __init__(self, done: Training, state: Mapping[str, Long]) -> None:
        super().__init__(f"stopped after {done.epochs} epochs and {done.shown} samples")
        self.done = done
        self.state = state


@dataclass(eq=False)
class _Course:
    """How far a training is: epochs that are done with their scores, and samples of the next."""

    plan: Training
    epochs: int = 0
    scores: tuple[float, ...] = ()
    shown: int = 0
    state: Mapping[str, Long] = field(default_factory=dict)

    @property
    def done(self) -> Training:
        """What was done in all. After the last epoch its validation counts as not done."""
        if self.epochs < self.plan.epochs:
            epochs, scores, shown = self.epochs, self.scores, self.shown
        else:
            epochs, scores, shown = self.epochs - 1, self.scores[:-1], self.plan.samples
        return replace(self.plan, epochs=epochs, validation=scores, shown=shown)

    @property
    def samples(self) -> int:
        """Samples shown in all epochs."""
        return self.epochs * self.plan.samples + self.shown


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training did.

    ``before``, ``after``: accuracy on the test part; ``samples``, ``counters``, ``wall_s``: of the
    epochs that were run now; ``plan`` says what was done in all, by the validation of every epoch.
    """

    model: Compiled
    plan: Training
    before: float
    after: float
    samples: int
    counters: Counters
    wall_s: float


def plan_of(
    model: Compiled,
    dataset: Dataset,
    *,
    epochs: int,
    engine: str,
    rounding: str,
    seed: int,
    split_seed: int,
    train_samples: int = 0,
) -> Training:
    """Return the plan of a training from its start; ``train_samples`` 0 takes all there are.

    Raises:
        UsageError: HB0182 if the objective knows no classes, so that nothing has an accuracy.
    """
    goal = model.objective
    if goal.teaches not in ("labels", "reward"):
        what = f"the objective {goal.name} knows no classes: there is no accuracy to measure"
        raise UsageError(Problem("HB0182", what, hint="Session.fit and Session.loss in Python"))
    available = len(dataset.x_train)
    return Training(
        data=dataset.name,
        split_seed=split_seed,
        samples=min(train_samples or available, available),
        epochs=epochs,
        engine=engine,
        rounding=rounding,
        seed=seed,
        trained_sha256=model.sha256,
    )


def train(
    model: Compiled,
    dataset: Dataset,
    plan: Training,
    *,
    resume: Saved | None = None,
    keep: Keep | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    tick: Tick | None = None,
) -> Trained:
    """Train for ``plan.epochs`` epochs in all, from the start or from a checkpoint.

    ``watch`` sees the session as it learns; what it evaluates there moves neither weights nor
    random streams.

    Raises:
        TrainingStoppedError: if ``tick`` asked for it, with what to go on from.
        InputFileError: HB0713 if the checkpoint is of another training, or beyond the plan.
        EngineError: HB0714 to resume on Lava or to keep checkpoints there.
    """
    if plan.engine == "lava" and (resume is not None or keep is not None or plan.epochs > 1):
        what = "Lava's random state can be neither read nor set, so training there cannot go on"
        hint = "--engine native, or one epoch without checkpoints"
        raise EngineError(Problem("HB0714", what, hint=hint))
    test = dataset.x_test.astype(np.float64), dataset.y_test
    course = _start(plan, resume)

    def look(_: int) -> None:
        if tick is not None:
            tick(course.samples)

    with Session(model, engine=plan.engine, rounding=plan.rounding, seed=plan.seed) as session:
        resumed = False
        try:
            before = session.evaluate(*test, tick=look)
            if course.state:
                session.restore(course.state)
            resumed = True
            if watch is not None:
                watch(session, None)
            first = course.samples
            total, wall = _epochs(session, dataset, course, keep, progress, watch, look)
            after = session.evaluate(*test, tick=look)
        except StopRequestedError as request:
            state = session.state() if resumed or not course.state else course.state
            raise TrainingStoppedError(course.done, state) from request
        return Trained(
            model=session.snapshot(),
            plan=replace(plan, validation=course.scores),
            before=before,
            after=after,
            samples=course.samples - first,
            counters=total,
            wall_s=wall,
        )


def _epochs(
    session: Session,
    dataset: Dataset,
    course: _Course,
    keep: Keep | None,
    progress: Progress | None,
    watch: Watch | None,
    look: Tick,
) -> tuple[Counters, float]:
    """Run the epochs that are left, ``course`` with them; return counts and seconds."""
    plan = course.plan
    x = dataset.x_train[: plan.samples].astype(np.float64)
    y = dataset.y_train[: plan.samples]
    held = dataset.x_validation.astype(np.float64), dataset.y_validation
    total, wall = counted_nothing(session.model.program), 0.0

    def shown(samples: int) -> None:
        course.shown = samples
        look(samples)

    for epoch in range(course.epochs, plan.epochs):
        fit = session.fit(x, y, epochs=1, first_epoch=epoch, first_sample=course.shown, tick=shown)
        total, wall = total + fit.counters, wall + fit.wall_s
        score = session.evaluate(*held, tick=look)
        course.epochs, course.scores, course.shown = epoch + 1, (*course.scores, score), 0
        done = replace(plan, epochs=epoch + 1, validation=course.scores)
        if keep is not None:
            keep(done, session.state())
        if watch is not None:
            watch(session, fit.counters)
        if progress is not None:
            progress(epoch + 1, score)
    return total, wall


def _start(plan: Training, resume: Saved | None) -> _Course:
    """Return where a training begins, or goes on."""
    if resume is None:
        return _Course(plan)
    if resume.state is None or resume.training is None:
        raise InputFileError(Problem("HB0713", "this file is no checkpoint: it holds no state"))
    kept = resume.training
    for name in ("trained_sha256", "data", "split_seed", "samples", "rounding", "seed"):
        theirs, ours = getattr(kept, name), getattr(plan, name)
        if theirs != ours:
            what = f"the checkpoint is of another training: {name} {theirs}, now {ours}"
            raise InputFileError(Problem("HB0713", what))
    if kept.epochs >= plan.epochs:
        what = f"the checkpoint has done {kept.epochs} epochs of {plan.epochs}"
        raise InputFileError(Problem("HB0713", what, hint=f"--epochs {kept.epochs + 1}"))
    return _Course(plan, kept.epochs, kept.validation, kept.shown, resume.state)
