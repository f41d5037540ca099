"""What every candidate predicts of every step, set against what the step changed.

For layer l and step t, D the change of the weights and u the prediction of a candidate, before its
rate: the sum over the K samples of the step of what the rule proposes, at the weights before it (of
the exact gradient: K times the mean gradient). All that inference needs of the two are inner
products, so no prediction is kept:

    change |D|^2,   along <D, u>,   size |u|^2

and the same of a control u', the prediction from the samples of another step, half the recording
away, at the weights of this one: what it explains as well as u does not come from the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compiled import Compiled
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import forward_groups, twin_of
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.record import payload_inputs, payload_targets
from hebbite.runtime.credit.signals import Batch, updates_of
from hebbite.runtime.credit.twin import Activity, Twin
from hebbite.runtime.infer.candidates import Candidate, feedback_for
from hebbite.runtime.infer.recording import Labels, LearningRecording

Prediction = tuple[Real | None, ...]
"""u of every layer, (out, in); None where the candidate says that nothing learns."""


@dataclass(frozen=True, eq=False)
class Products:
    """``along`` <D, u> and ``size`` |u|^2, each (candidates, steps, layers)."""

    along: Real
    size: Real


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that is known of T steps.

    layers     names, from the first
    synapses   (layers,): how many weights each has
    learns     (candidates, layers): which layers a candidate says to learn
    change     (T, layers): |D|^2
    own        products with the prediction from the step's own samples
    control    the same with those of another step
    """

    layers: tuple[str, ...]
    synapses: NDArray[np.int64]
    learns: NDArray[np.bool_]
    change: Real
    own: Products
    control: Products

    def part(self, steps: slice) -> Evidence:
        """Return what is known of some steps alone."""

        def cut(products: Products) -> Products:
            return Products(products.along[:, steps], products.size[:, steps])

        return replace(
            self, change=self.change[steps], own=cut(self.own), control=cut(self.control)
        )


@dataclass(frozen=True, eq=False)
class Situation:
    """Samples and the weights that met them: the recorded model, its twins with these and with the
    first weights, input payloads, classes or targets, activity of the twin on these inputs."""

    model: Compiled
    twin: Twin
    start: Twin
    inputs: Real
    y: Labels
    activity: Activity


def evidence_of(
    recording: LearningRecording, candidates: Sequence[Candidate]
) -> tuple[Evidence, Real]:
    """Return the evidence, and the inner products of the predictions with each other, summed over
    steps, (layers, candidates, candidates).

    Raises:
        UnsupportedError: HB0471 for spiking networks, HB0470 and HB0483 for rules whose prediction
            is not known.
    """
    groups = forward_groups(recording.model.program)
    start, steps = twin_of(recording.model), recording.steps
    shape = (len(candidates), steps, len(groups))
    own, control = (Products(np.zeros(shape), np.zeros(shape)) for _ in range(2))
    change = np.zeros(shape[1:], np.float64)
    gram = np.zeros((len(groups), len(candidates), len(candidates)), np.float64)
    for step in range(steps):
        moved = [recording.change(group.name, step) for group in groups]
        change[step] = [np.vdot(part, part) for part in moved]
        for source, products in ((step, own), ((step + steps // 2) % steps, control)):
            there = situation(recording, start, step, samples=source)
            found = [prediction(candidate, there) for candidate in candidates]
            for index, part in enumerate(moved):
                flat = _flat([layers[index] for layers in found], part.size)
                products.along[:, step, index] = flat @ part.ravel()
                products.size[:, step, index] = np.einsum("cn,cn->c", flat, flat)
                gram[index] += flat @ flat.T if products is own else 0.0
    learns = np.array([candidate.learns(len(groups)) for candidate in candidates])
    synapses = np.array([len(layer.weight.ravel()) for layer in start.layers], np.int64)
    names = tuple(group.post for group in groups)
    return Evidence(names, synapses, learns, change, own, control), gram


def situation(recording: LearningRecording, start: Twin, step: int, *, samples: int) -> Situation:
    """Return the weights before a step with the samples of a step, which may be another one."""
    model = recording.before(step)
    twin = twin_of(model)
    inputs = payload_inputs(model, recording.x[samples])
    return Situation(model, twin, start, inputs, recording.y[samples], twin.forward(inputs))


def prediction(candidate: Candidate, there: Situation) -> Prediction:
    """Return u of every layer: the sum over samples of what the candidate proposes."""
    goal, rule = candidate.objective, candidate.rule
    twin = replace(there.twin, objective=goal)
    coding = replace(there.model.coding, target_rate=goal.target_rate)
    target = payload_targets(replace(there.model, coding=coding), there.y)
    samples = len(there.inputs)
    if rule is None:
        return tuple(samples * g for g in twin.gradient(there.activity, target))
    feedback = feedback_for(rule, there.model, twin, there.start)
    batch = Batch(twin, there.inputs, target, there.activity, feedback)
    *hidden, readout = updates_of(rule, batch)
    proposed = (*hidden, None if readout is None else _told(there, batch))
    return tuple(None if u is None else samples * u.moments().mean for u in proposed)


def _told(there: Situation, batch: Batch) -> Update:
    """Return the update of the readout from the errors that it is told, by `Settings.error_shift`:
    whole multiples of 2^error_shift, so that smaller errors teach it nothing."""
    unit = 2.0**there.model.settings.error_shift
    twin, activity = batch.twin, there.activity
    error = unit * np.trunc(twin.objective.error(activity.output, batch.target) / unit)
    slope = twin.layers[-1].activation.slope(activity.v[-1])
    return Update(error * slope, activity.inputs[-1])


def _flat(parts: Sequence[Real | None], size: int) -> Real:
    """Return predictions of one layer as rows, (candidates, synapses); 0 where nothing learns."""
    return np.stack([np.zeros(size) if part is None else part.ravel() for part in parts])
