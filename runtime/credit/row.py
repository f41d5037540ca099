"""Rows of a credit report: one rule, seed and moment of training, in one arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hebbite.runtime.credit.measures import Measures

Arithmetic = Literal["real", "chip"]
"""``real``: the rule as its paper writes it. ``chip``: the integer update that is written."""


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    sample_angle_deg    mean over samples of the angle between u_n and the sample's own gradient
    delta_angle_deg     angle between the learning signals d and the exact ones, all samples
    credit_share        part of the step's change of F that this layer brought, path-integrated
    misassigned         part of its synapses' shares that raised F
    neurons             the same shares neuron by neuron
    feedback_angle_deg  between stored feedback weights and W^T, integers both
    floor_drift_steps   what floors take from a synapse that is reached, in weight steps an epoch
    arithmetic_angle_deg between the chip's update and the real one of the same rule
    """

    name: str
    measures: Measures
    sample_angle_deg: float | None = None
    delta_angle_deg: float | None = None
    credit_share: float | None = None
    misassigned: float | None = None
    neurons: tuple[float, ...] = ()
    feedback_angle_deg: float | None = None
    floor_drift_steps: float | None = None
    arithmetic_angle_deg: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "name": self.name,
            **self.measures.to_json(),
            "sample_angle_deg": self.sample_angle_deg,
            "delta_angle_deg": self.delta_angle_deg,
            "credit_share": self.credit_share,
            "misassigned": self.misassigned,
            "neuron_credit_shares": list(self.neurons),
            "feedback_angle_deg": self.feedback_angle_deg,
            "floor_drift_steps": self.floor_drift_steps,
            "arithmetic_angle_deg": self.arithmetic_angle_deg,
        }


@dataclass(frozen=True)
class Step:
    """What one mean update does to F, squared payload units a sample.

    ``predicted`` -<g, dw>, ``realised`` F(w + dw) - F(w), ``small``: the same of a thousandth of
    the step, times 1000; ``misassigned`` over all synapses; ``residual`` of the path integral.
    Spiking units answer small steps in jumps or not at all: there only the prediction is known,
    and shares are those of first order.
    """

    predicted: float
    misassigned: float | None
    realised: float | None = None
    small: float | None = None
    residual: float | None = None


@dataclass(frozen=True)
class Figures:
    """All figures of one moment in one arithmetic: layer by layer, in all, and of one step."""

    layers: tuple[LayerRow, ...]
    total: Measures
    step: Step


@dataclass(frozen=True)
class Travelled:
    """What the weights written since the last moment brought.

    ``delta_f``: change of F over the samples of the report; ``shares``: layer -> part of it;
    ``misassigned`` and ``residual`` as in `Step`. Without a path there is the change alone.
    """

    since_epoch: int
    delta_f: float
    shares: tuple[tuple[str, float | None], ...] = ()
    misassigned: float | None = None
    residual: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {**vars(self), "shares": dict(self.shares)}


@dataclass(frozen=True)
class Row:
    """One rule at one moment; ``value`` is F, ``validation`` the accuracy at that moment.

    ``draws``: how often each sample was run, for neurons that draw random numbers; all other
    randomness is averaged exactly.
    """

    rule: str
    rule_text: str
    objective: str
    seed: int
    epoch: int
    arithmetic: Arithmetic
    layers: tuple[LayerRow, ...]
    total: Measures
    step: Step
    rate: float
    value: float
    validation: float
    samples: int
    draws: int
    surrogate: str
    travelled: Travelled | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain data with the keys of ``hebbite credit --json``."""
        return {
            "rule": self.rule,
            "rule_text": self.rule_text,
            "objective": self.objective,
            "seed": self.seed,
            "epoch": self.epoch,
            "arithmetic": self.arithmetic,
            "layers": [layer.to_json() for layer in self.layers],
            "total": self.total.to_json(),
            "delta_f_predicted": self.step.predicted,
            "delta_f_realised": self.step.realised,
            "delta_f_realised_small_step": self.step.small,
            "misassigned": self.step.misassigned,
            "path_residual": self.step.residual,
            "rate": self.rate,
            "objective_value": self.value,
            "validation_accuracy": self.validation,
            "samples": self.samples,
            "draws": self.draws,
            "surrogate": self.surrogate,
            "travelled": self.travelled.to_json() if self.travelled else None,
        }
