"""Rows of the host reference in a credit report: backpropagation through time on a spiking twin.

In: a spiking model, samples. Out: a row at every moment of a training that ran on the host, in real
numbers. Its update is the surrogate gradient itself, so its angle and bias are 0 by definition, and
what varies between samples is the data alone; the surrogate stands in the row, as always.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.measures import inner, measure
from hebbite.runtime.credit.moments import Moments, Part, Stream
from hebbite.runtime.credit.record import payload_targets
from hebbite.runtime.credit.row import LayerRow, Row, Step, Travelled
from hebbite.runtime.credit.shares import Shares, first_order
from hebbite.runtime.credit.spiking.descent import RAN_ON, HostLearner, host_learner
from hebbite.runtime.credit.spiking.twin import SpikingActivity

Labels = NDArray[np.generic]
RATE = 1.0
"""eta of a host training in a report, in weight steps per unit of the gradient."""


@dataclass(frozen=True, eq=False)
class HostTraining:
    """What a report measures: samples to learn from, samples held out, the epochs after which to
    measure, and on how many of the first samples."""

    train: tuple[Samples, Labels]
    held: tuple[Samples, Labels]
    moments: tuple[int, ...]
    measured: int


def host_rows(
    compiled: Compiled, training: HostTraining, *, seed: int
) -> Iterator[tuple[int, list[Row]]]:
    """Train on the host, and yield (epoch, rows) at every moment."""
    learner = host_learner(compiled, rate=RATE, seed=seed)
    x, y = training.train
    before: Row | None = None
    for epoch in range(training.moments[-1] + 1):
        if epoch:
            learner = learner.fit(x, y, epochs=1, first_epoch=epoch - 1)
        if epoch not in training.moments:
            continue
        part = slice(0, training.measured)
        row = _row(learner, x[part], y[part], before, epoch, learner.evaluate(*training.held))
        yield epoch, [row]
        before = row


def _row(
    learner: HostLearner,
    x: Samples,
    y: Labels,
    before: Row | None,
    epoch: int,
    validation: float,
) -> Row:
    twin, compiled = learner.twin, learner.compiled
    activity = twin.forward(learner.spikes(x, first=0))
    target = payload_targets(compiled, y)
    gradient = twin.gradient(activity, target)
    moments = _moments(learner, activity, target)
    predicted = learner.rate * inner(gradient, gradient)
    shares = Shares(first_order(gradient, [learner.rate * g for g in gradient]), predicted)
    value = twin.value(activity, target)
    layers = tuple(
        LayerRow(
            name=layer.name,
            measures=measure([found], [slope]),
            credit_share=shares.layer(index),
            misassigned=shares.misassigned(index),
        )
        for index, (layer, found, slope) in enumerate(
            zip(twin.layers, moments, gradient, strict=True)
        )
    )
    return Row(
        rule=compiled.rule.name,
        rule_text=compiled.rule.text,
        objective=compiled.objective.text,
        seed=learner.seed,
        epoch=epoch,
        arithmetic="real",
        layers=layers,
        total=measure(moments, gradient),
        step=Step(predicted=-predicted, misassigned=shares.misassigned()),
        rate=learner.rate,
        value=value,
        validation=validation,
        samples=len(x),
        draws=1,
        surrogate=f"{twin.surrogate}; {RAN_ON}",
        travelled=None if before is None else Travelled(before.epoch, value - before.value),
    )


def _moments(learner: HostLearner, activity: SpikingActivity, target: Real) -> list[Moments]:
    """Return the moments of the gradients of single samples, layer by layer."""
    found = []
    for layer, du, before in zip(
        learner.twin.layers,
        learner.twin.currents(activity, target),
        activity.spikes,
        strict=False,
    ):
        stream = Stream(layer.weight.shape)
        for sample in range(len(target)):
            update = layer.gain * (du[1:, sample].T @ before[:-1, sample])
            stream.add(Part(update, float(np.vdot(update, update)), 0.0))
        found.append(stream.moments())
    return found
