"""How errors reach populations of LIF units: from the output, or from a readout of their own.

In: a network of stages, its integers and a rule. Out: the populations, groups of synapses and wires
that serve learning alone, and the shift by which a unit reads what arrives. Everything follows from
the rule's `Feedback`: source ``output-error`` needs synapses from the output to every population;
``local-readout`` gives every population integrators with fixed random weights that know the target,
and sends their errors back through the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hebbite.compiler.lowering.feedback import FeedbackPath, random_feedback
from hebbite.compiler.lowering.network import Long, Network
from hebbite.compiler.lowering.quantise import IntegerNetwork, IntegerStage
from hebbite.compiler.lowering.spiking_stage import SpikingStage, readout_shift
from hebbite.compiler.program.types import Synapses
from hebbite.compiler.settings import Settings
from hebbite.rules.rule import LearningRule

Weighted = tuple[Synapses, Long]


@dataclass(frozen=True, eq=False)
class LocalReadout:
    """Integrators ``name`` that read one population, with the shift of their v and their margin."""

    name: str
    shift: int
    margin: int


@dataclass(frozen=True, eq=False)
class Signals:
    """Groups of synapses with their weights, local readouts, and population -> feedback shift."""

    groups: tuple[Weighted, ...] = ()
    readouts: tuple[LocalReadout, ...] = ()
    shifts: dict[str, int] = field(default_factory=dict)


def signals_of(
    network: Network,
    stages: tuple[SpikingStage, ...],
    rule: LearningRule,
    settings: Settings,
    *,
    margin: int,
) -> Signals:
    """Return what brings errors to hidden populations; nothing where these do not learn."""
    if rule.learns != "all" or len(stages) < 2:
        return Signals()
    if rule.feedback.source == "local-readout":
        return _local(network, stages, rule, settings, max(margin, rule.feedback.trigger))
    integers = tuple(IntegerStage(made.weight, 0, (), 1.0, 0.0) for made in stages)
    path = FeedbackPath(network, IntegerNetwork(1.0, False, integers), rule, settings)
    groups = tuple(path.groups())
    return Signals(groups, (), {group.post: path.shift(group, weight) for group, weight in groups})


def _local(
    network: Network,
    stages: tuple[SpikingStage, ...],
    rule: LearningRule,
    settings: Settings,
    margin: int,
) -> Signals:
    outputs = len(network.stages[-1].weight)
    groups: list[Weighted] = []
    readouts: list[LocalReadout] = []
    shifts: dict[str, int] = {}
    for stage, made in zip(network.stages[:-1], stages, strict=False):
        if stage.is_shared:
            continue
        name = f"local_{stage.name}"
        back = random_feedback(stage.name, (made.size, outputs), settings)
        shift = readout_shift(back.T, np.zeros(outputs, np.int32), made.spikes, settings)
        readouts.append(LocalReadout(name, shift, margin))
        groups.append((_synapses(f"read_{stage.name}", stage.name, name), back.T))
        groups.append((_synapses(f"back_{stage.name}", name, stage.name), back))
        shifts[stage.name] = size_of_one_error(back, gain=rule.feedback.gain)
    return Signals(tuple(groups), tuple(readouts), shifts)


def size_of_one_error(weight: Long, *, gain: int) -> int:
    """Return the shift that brings what arrives to a quarter of one error, less the gain."""
    rms = float(np.sqrt(np.mean(weight.astype(np.float64) ** 2))) or 1.0
    return max(round(float(np.log2(rms * np.sqrt(weight.shape[1])))) + 2 - gain, 0)


def _synapses(name: str, pre: str, post: str) -> Synapses:
    back = name.startswith("back_")
    output, port = ("e", "third") if back else ("s", "a")
    return Synapses(name, pre, post, f"{name}.weight", output, port, graded=back, role="feedback")
