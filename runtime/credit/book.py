"""Writes down the credit of a training while it goes on, beside its curve.

In: a session as it learns. Out: a `CreditCurve`: what the rule's update and the exact gradient had
in common after the first epoch and after the last, on the first training samples. It is measured on
a snapshot, so neither weights nor random streams of the training move, and by one thread, so that
the last bits do not depend on the machine's. No validation or test sample is looked at.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.rules.errors import UnsupportedError
from hebbite.runtime.counters import Counters
from hebbite.runtime.credit.curve import (
    CreditCurve,
    CreditMoment,
    LayerMarks,
    Sheet,
    marks_of,
)
from hebbite.runtime.credit.measures import measure
from hebbite.runtime.credit.moment import Moment, chip_layers, real_layers
from hebbite.runtime.credit.threads import one_thread
from hebbite.runtime.curve import why_without
from hebbite.runtime.datasets import Dataset
from hebbite.runtime.session import Session
from hebbite.runtime.training import Watch

SAMPLES = 256
"""Training samples that gradient and updates are taken over, the first ones; fewer if an epoch has
fewer."""
UNCOUNTED = "answers that are no spike counts have no real-valued model yet"
SPIKING = "comparisons measure credit of graded units; hebbite credit measures these, {} units"


def moments_of(epochs: int) -> tuple[int, ...]:
    """Return the epochs after which is measured: the first and the last."""
    return (1, epochs) if epochs > 1 else (1,)


class CreditBook:
    """Measures the credit of a training; its `watch` is what `train` calls."""

    def __init__(self, dataset: Dataset, *, samples: int, epochs: int) -> None:
        count = min(samples, SAMPLES)
        self._x = dataset.x_train[:count].astype(np.float64)
        self._y = dataset.y_train[:count]
        self._at = moments_of(epochs)
        self._epoch = 0
        self._draws = 1
        self._reason = ""
        self._moments: list[CreditMoment] = []

    @property
    def watch(self) -> Watch:
        """What to call before the first epoch and after every one."""
        return self._see

    def _see(self, session: Session, counters: Counters | None) -> None:
        if counters is None:
            return
        self._epoch += 1
        if self._epoch in self._at and not self._reason:
            self._measure(session.snapshot())

    def _measure(self, model: Compiled) -> None:
        if model.settings.neuron != "graded":
            counts = model.program.readout.count
            self._reason = SPIKING.format(model.settings.neuron) if counts else UNCOUNTED
            return
        self._reason = why_without(model)
        if self._reason:
            return
        moment = Moment(model, self._x, self._y)
        try:
            with one_thread():
                self._moments.append(marks_at(moment, self._epoch))
        except UnsupportedError as error:
            if error.code not in ("HB0470", "HB0471", "HB0473"):
                raise
            self._reason = error.problems[0].what
        else:
            self._draws = moment.sampled

    def curve(self) -> CreditCurve:
        """Return what was measured."""
        samples = 0 if self._reason else len(self._x)
        return CreditCurve(tuple(self._moments), samples, self._draws, self._reason)


def marks_at(moment: Moment, epoch: int) -> CreditMoment:
    """Return the marks of a moment in both arithmetics.

    Raises:
        UnsupportedError: HB0470 or HB0471 without a real-valued model of the rule or the network,
            HB0473 for a network that never settles.
    """
    sheets = []
    for layers, moments, gradient in (real_layers(moment), chip_layers(moment)):
        rows = tuple(LayerMarks(layer.name, marks_of(layer.measures)) for layer in layers)
        sheets.append(Sheet(marks_of(measure(moments, gradient)), rows))
    return CreditMoment(epoch, *sheets)
