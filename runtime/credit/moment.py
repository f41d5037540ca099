"""One moment of training, measured: the real update of the rule, and the integer one of the chip.

In: a compiled model with the weights as they stand, and samples. Out: the figures of both, ready to
become rows. The gradient of the real row is that of the twin at its own activity, so that predicted
and realised changes of F belong together; that of the chip's row is taken at the recorded activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import feedback_of, forward_groups, twin_of, working_rate
from hebbite.runtime.credit.chip import ChipUpdate, chip_update
from hebbite.runtime.credit.measures import angle_between, inner, measure
from hebbite.runtime.credit.moments import Moments, Update, standing
from hebbite.runtime.credit.record import (
    draws_random,
    payload_inputs,
    payload_targets,
    record,
)
from hebbite.runtime.credit.row import Arithmetic, Figures, LayerRow, Step, Travelled
from hebbite.runtime.credit.shares import Shares, path_integrated
from hebbite.runtime.credit.signals import Batch, updates_of
from hebbite.runtime.credit.twin import SURROGATE, Activity, Twin

SMALL_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class Moment:
    """A model, samples x (samples, features...) and what they are taught; ``draws``: how often a
    program whose neurons draw random numbers is run."""

    compiled: Compiled
    x: Samples
    y: NDArray[np.generic]
    draws: int = 8

    surrogate = SURROGATE

    def figures(self, arithmetic: Arithmetic) -> Figures:
        """Return all figures of this moment, of the real update or of the chip's."""
        found = real_layers(self) if arithmetic == "real" else chip_layers(self)
        layers, moments, gradient = found
        step, shares = step_of(self, moments)
        angles = feedback_angles(self.compiled)
        rows = tuple(
            replace(row, feedback_angle_deg=angles.get(row.name))
            for row in with_shares(layers, shares)
        )
        return Figures(rows, measure(moments, gradient), step)

    def travelled(self, start: Moment, epoch: int) -> Travelled:
        """Return what the change of the weights since ``start``, after ``epoch``, brought."""
        pairs = list(zip(start.twin.layers, self.twin.layers, strict=True))
        step = [new.weight - old.weight for old, new in pairs]
        shares = path_integrated(start.twin, start.inputs, start.targets, step)
        return Travelled(
            since_epoch=epoch,
            delta_f=-shares.decrease,
            shares=tuple((layer.name, shares.layer(i)) for i, (layer, _) in enumerate(pairs)),
            misassigned=shares.misassigned(),
            residual=shares.residual,
        )

    @cached_property
    def value(self) -> float:
        """F, the mean over samples."""
        return self.twin.value(self.inputs, self.targets)

    @cached_property
    def twin(self) -> Twin:
        """The differentiable twin at these weights."""
        return twin_of(self.compiled)

    @cached_property
    def inputs(self) -> Real:
        """Input payloads, (samples, inputs)."""
        return payload_inputs(self.compiled, self.x)

    @cached_property
    def targets(self) -> Real:
        """Targets of the outputs in payloads, (samples, outputs)."""
        return payload_targets(self.compiled, self.y)

    @cached_property
    def activity(self) -> Activity:
        """The twin's own activity."""
        return self.twin.forward(self.inputs)

    @cached_property
    def gradient(self) -> tuple[Real, ...]:
        """-dF/dW of every layer, at the twin's own activity."""
        return self.twin.gradient(self.activity, self.targets)

    @cached_property
    def rate(self) -> float:
        """eta of `build.working_rate`."""
        return working_rate(self.compiled)

    @cached_property
    def updates(self) -> tuple[Update | None, ...]:
        """What the rule proposes, layer by layer."""
        feedback = feedback_of(self.compiled, self.twin)
        batch = Batch(self.twin, self.inputs, self.targets, self.activity, feedback)
        return updates_of(self.compiled.rule, batch)

    @cached_property
    def real_moments(self) -> tuple[Moments, ...]:
        """Moments of the rule's real update."""
        return tuple(
            update.moments() if update is not None else standing(layer.weight.shape)
            for update, layer in zip(self.updates, self.twin.layers, strict=True)
        )

    @property
    def sampled(self) -> int:
        """How often the program is run: once if its neurons draw nothing."""
        return self.draws if draws_random(self.compiled.program) else 1


def real_layers(moment: Moment) -> tuple[tuple[LayerRow, ...], Sequence[Moments], Sequence[Real]]:
    """Return the layer rows of the real update, its moments, and the gradient."""
    twin, exact = moment.twin, moment.twin.deltas(moment.activity, moment.targets)
    gradient = moment.gradient
    rows = tuple(
        LayerRow(
            name=layer.name,
            measures=measure([found], [g]),
            sample_angle_deg=None if update is None else _sample_angle(update, delta),
            delta_angle_deg=None if update is None else _delta_angle(update, delta),
        )
        for layer, found, g, update, delta in zip(
            twin.layers, moment.real_moments, gradient, moment.updates, exact, strict=True
        )
    )
    return rows, moment.real_moments, gradient


def chip_layers(moment: Moment) -> tuple[tuple[LayerRow, ...], Sequence[Moments], Sequence[Real]]:
    """Return the layer rows of the integer update, its moments divided by the rate, and the
    gradient at the recorded activity."""
    compiled, twin = moment.compiled, moment.twin
    draws = moment.sampled
    found = record(compiled, moment.x, moment.y, draws=draws)
    plastic = {p.synapses for p in compiled.program.plasticity}
    updates: list[ChipUpdate | None] = [
        chip_update(compiled, group.name, found, draws=draws) if group.name in plastic else None
        for group in forward_groups(compiled.program)
    ]
    moments = [
        standing(layer.weight.shape) if update is None else scaled(update.moments, 1 / moment.rate)
        for layer, update in zip(twin.layers, updates, strict=True)
    ]
    gradient = twin.gradient(found.activity, np.tile(moment.targets, (draws, 1)))
    rows = tuple(
        LayerRow(
            name=layer.name,
            measures=measure([moments[index]], [gradient[index]]),
            floor_drift_steps=None if update is None else update.drift_steps,
            arithmetic_angle_deg=angle_between(
                [moments[index].mean], [moment.real_moments[index].mean]
            ),
        )
        for index, (layer, update) in enumerate(zip(twin.layers, updates, strict=True))
    )
    return rows, moments, gradient


def scaled(moments: Moments, by: float) -> Moments:
    """Return the moments of ``by`` times the update."""
    square = by * by
    return Moments(
        by * moments.mean, square * moments.square, square * moments.intrinsic,
        square * moments.noise,
    )  # fmt: skip


def step_of(moment: Moment, moments: Sequence[Moments]) -> tuple[Step, Shares]:
    """Return what eta U does to F, and the shares of it."""
    twin, x, target = moment.twin, moment.inputs, moment.targets
    step = [moment.rate * part.mean for part in moments]
    shares = path_integrated(twin, x, target, step)
    small = twin.moved(step, SMALL_STEP).value(x, target) - twin.value(x, target)
    predicted = -inner(moment.gradient, step)
    found = Step(
        predicted=predicted,
        realised=-shares.decrease,
        small=small / SMALL_STEP,
        misassigned=shares.misassigned(),
        residual=shares.residual,
    )
    return found, shares


def with_shares(rows: Sequence[LayerRow], shares: Shares) -> tuple[LayerRow, ...]:
    """Return the rows with the credit shares of a step."""

    def filled(index: int, row: LayerRow) -> LayerRow:
        neurons = shares.neurons(index)
        return replace(
            row,
            credit_share=shares.layer(index),
            misassigned=shares.misassigned(index),
            neurons=() if neurons is None else tuple(float(c) for c in neurons),
        )

    return tuple(filled(index, row) for index, row in enumerate(rows))


def feedback_angles(compiled: Compiled) -> dict[str, float | None]:
    """Return the angle between stored feedback weights and W^T of the layer above, by population.

    Only where they have the same shape: what comes straight from the output past another hidden
    layer stands for no single matrix.
    """
    program = compiled.program
    if compiled.rule.feedback.weights == "none":
        return {}
    above = {group.pre: program.tensors[group.weight] for group in forward_groups(program)}
    found = {}
    for group in program.synapses:
        if group.role == "feedback":
            exact = above[group.post][:, :-1].T.astype(np.float64)
            stored = program.tensors[group.weight].astype(np.float64)
            same = stored.shape == exact.shape
            found[group.post] = angle_between([stored], [exact]) if same else None
    return found


def _sample_angle(update: Update, exact: Real) -> float | None:
    """Return the mean angle between E[d_n] and the exact one: of u_n too, as both have one x."""
    sizes = np.linalg.norm(update.post, axis=1) * np.linalg.norm(exact, axis=1)
    known = sizes > 0
    if not known.any():
        return None
    along = np.einsum("nj,nj->n", update.post, exact)
    cosine = np.clip(along[known] / sizes[known], -1.0, 1.0)
    return float(np.degrees(np.arccos(cosine)).mean())


def _delta_angle(update: Update, exact: Real) -> float | None:
    return angle_between([update.post], [exact])
