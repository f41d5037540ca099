"""The curve of a training: what learning improved, and what every epoch of it took.

In: a session as it learns. Out: a `Curve`: the objective and the validation accuracy before the
first epoch and after every one, and the counts of every epoch. Both are measured on a copy of the
network that does not learn, the objective on the training samples, which are what learning
decreases it on. No test sample is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compiled import Compiled
from hebbite.runtime.counters import Counters
from hebbite.runtime.datasets import Dataset
from hebbite.runtime.session import Labels, Session
from hebbite.runtime.teaching import loss_of
from hebbite.runtime.training import Watch

Long = NDArray[np.int64]
UNIT = "squared payload units a sample"


@dataclass(frozen=True, eq=False)
class Curve:
    """How one training went.

    objective   F before the first epoch and after every one, epochs + 1 values in `UNIT`; () where
                the rule follows no objective
    validation  accuracy on the validation part, likewise epochs + 1 values
    counters    counts of every epoch, its validation excepted
    """

    objective: tuple[float, ...]
    validation: tuple[float, ...]
    counters: tuple[Counters, ...]

    def until(self, epochs: int) -> Counters:
        """Return the counts of the first ``epochs`` epochs; of none, zeros."""
        first = self.counters[0]
        nothing = Counters(first.components, np.zeros_like(first.values))
        return reduce(add, self.counters[:epochs], nothing)


class CurveBook:
    """Writes the curve of a training; its `watch` is what `train` calls."""

    def __init__(self, model: Compiled, dataset: Dataset, *, samples: int) -> None:
        self._follows = not why_without(model)
        self._x, self._y = dataset.x_train[:samples], dataset.y_train[:samples]
        self._held = dataset.x_validation, dataset.y_validation
        self._objective: list[float] = []
        self._validation: list[float] = []
        self._counters: list[Counters] = []

    @property
    def watch(self) -> Watch:
        """What to call before the first epoch and after every one."""
        return self._see

    def _see(self, session: Session, counters: Counters | None) -> None:
        if self._follows:
            answers = session.answers(self._x)
            self._objective.append(objective_value(session.model, answers, self._y))
        if counters is None:
            self._validation.append(session.evaluate(*self._held))
        else:
            self._counters.append(counters)

    def curve(self, validation: tuple[float, ...]) -> Curve:
        """Return what was seen; ``validation`` holds the accuracy after every epoch."""
        scores = (*self._validation, *validation)
        return Curve(tuple(self._objective), scores, tuple(self._counters))


def why_without(model: Compiled) -> str:
    """Return why a model has no objective to follow; '' if it has one."""
    if model.rule.signal == "goodness":
        return "every layer follows an objective of its own"
    follows = model.coding.teacher and model.rule.follows_objective
    return "" if follows else "the rule follows no objective"


def objective_value(model: Compiled, answers: Long, y: Labels) -> float:
    """Return F, the mean over samples of the objective, in `UNIT`.

        F = (1 / N) sum_n sum_j phi(|t_nj - o_nj|)

    ``answers`` (N, outputs), ``y`` classes (N,) or real targets (N, outputs); targets t as the host
    injects them (`Coding.codes` less 1), outputs o as the chip has them (`outputs_of`), both in
    payload units; phi: see `hebbite.rules.objectives.objective`.
    """
    return loss_of(model, answers, y)
