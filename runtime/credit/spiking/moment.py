"""One moment of a spiking model, measured: rules of spike times against a surrogate gradient.

The objective is taken of the rates of the output units, o = 127 count / steps. No spiking rule here
follows it by design, so an angle near 90 degrees is the finding, not a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.measures import angle_between, inner, measure
from hebbite.runtime.credit.moments import Moments
from hebbite.runtime.credit.record import payload_targets
from hebbite.runtime.credit.row import Arithmetic, Figures, LayerRow, Step, Travelled
from hebbite.runtime.credit.shares import Shares, first_order
from hebbite.runtime.credit.spiking.build import Shown, show, spiking_twin_of
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.twin import SpikingTwin
from hebbite.runtime.credit.spiking.updates import chip_updates, real_updates


@dataclass(frozen=True, eq=False)
class SpikingMoment:
    """A model, samples x (samples, features...) and classes y; each is shown ``draws`` times."""

    compiled: Compiled
    x: Samples
    y: NDArray[np.generic]
    draws: int = 8
    shape: Surrogate = field(default_factory=Surrogate)

    rate = 1.0
    """The update of a sample is in weight steps as it is."""

    @property
    def surrogate(self) -> str:
        """The name of what stands for the derivative of a spike."""
        return str(self.shape)

    @property
    def sampled(self) -> int:
        """How often each sample is shown."""
        return self.draws

    @cached_property
    def twin(self) -> SpikingTwin:
        """The twin at these weights."""
        return spiking_twin_of(self.compiled, self.shape)

    @cached_property
    def shown(self) -> Shown:
        """What the network did."""
        return show(self.compiled, self.twin, self.x, self.y, rounds=self.draws)

    @cached_property
    def targets(self) -> Real:
        """Targets of the output rates, (samples x rounds, outputs)."""
        return np.repeat(payload_targets(self.compiled, self.y), self.draws, axis=0)

    @cached_property
    def gradient(self) -> tuple[Real, ...]:
        """-dF/dW of every population, by surrogate, at the recorded activity."""
        return self.twin.gradient(self.shown.activity, self.targets)

    @cached_property
    def value(self) -> float:
        """F of the recorded rates."""
        return self.twin.value(self.shown.activity, self.targets)

    @cached_property
    def real_moments(self) -> list[Moments]:
        """Moments of the rule's real update."""
        return real_updates(self.compiled, self.shown)

    def figures(self, arithmetic: Arithmetic) -> Figures:
        """Return all figures of this moment, of the real update or of the chip's."""
        real = arithmetic == "real"
        moments = (
            self.real_moments
            if real
            else chip_updates(self.compiled, self.x, self.y, rounds=self.draws)
        )
        step = [part.mean for part in moments]
        shares = Shares(first_order(self.gradient, step), inner(self.gradient, step))
        rows = [
            LayerRow(
                name=layer.name,
                measures=measure([moments[index]], [self.gradient[index]]),
                credit_share=shares.layer(index),
                misassigned=shares.misassigned(index),
                neurons=_listed(shares.neurons(index)),
            )
            for index, layer in enumerate(self.twin.layers)
        ]
        if not real:
            rows = [
                replace(row, arithmetic_angle_deg=angle_between([mine.mean], [theirs.mean]))
                for row, mine, theirs in zip(rows, moments, self.real_moments, strict=True)
            ]
        found = Step(predicted=-shares.decrease, misassigned=shares.misassigned())
        return Figures(tuple(rows), measure(moments, self.gradient), found)

    def travelled(self, start: SpikingMoment, epoch: int) -> Travelled:
        """Return the change of F since ``start``, after ``epoch``."""
        return Travelled(since_epoch=epoch, delta_f=self.value - start.value)


def _listed(values: Real | None) -> tuple[float, ...]:
    return () if values is None else tuple(float(value) for value in values)
