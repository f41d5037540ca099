"""Convolutions and pools: units and rules that have a program for shared synapses, and what stays.

A weight that several places share belongs to no single synapse that could learn. A convolution
therefore keeps the weights that it was trained with, under every rule; what stands above it learns.
"""

from __future__ import annotations

from hebbite.compiler.lowering.network import Network, Stage
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem
from hebbite.rules.rule import LearningRule

PAST = ("direct", "broadcast")
"""Deliveries of feedback that reach a population past all others."""
OWN = ("target", "local-readout")
"""Sources of feedback that every population has for itself."""
WITH_SHARED = {
    "graded": ("error",),
    "lif": ("spikes", "error", "reward", "two-phase"),
}
"""Learning signals of the rules that units with shared synapses have a program for."""


def problems_of_shared(
    network: Network, rule: LearningRule, settings: Settings
) -> tuple[Problem, ...]:
    """Return why a network with convolutions or pools has no such program (HB0423, HB0424)."""
    shared = [stage for stage in network.stages if stage.is_shared]
    if not shared:
        return ()
    at = f"rule {rule.name}"
    if rule.signal not in WITH_SHARED.get(settings.neuron, ()):
        what = f"'{shared[0].name}' has shared synapses, which need units that learn from errors"
        hint = "--rule dfa, or linear ops alone"
        return (Problem("HB0423", what, at, shared[0].origin, hint),)
    return tuple(
        _blocked(stage, rule)
        for stage in shared[-1:]
        if rule.learns == "all" and not _goes_past(rule) and _learns_below(network, stage)
    )


def _goes_past(rule: LearningRule) -> bool:
    """Whether what populations learn from reaches each of them by itself."""
    if rule.feedback.source == "perturbation":
        return False
    return rule.feedback.source in OWN or rule.feedback.delivery in PAST


def _learns_below(network: Network, stage: Stage) -> bool:
    below = network.stages[: network.stages.index(stage)]
    return any(not other.is_shared for other in below)


def _blocked(stage: Stage, rule: LearningRule) -> Problem:
    what = f"'{rule.name}' would have to pass '{stage.name}', whose synapses are shared, to teach"
    hint = "--rule dfa, or convolutions below every linear op"
    return Problem("HB0424", f"{what} what is below it", f"%{stage.name}", stage.origin, hint)


def kept_weights(network: Network, rule: LearningRule, settings: Settings) -> tuple[Problem, ...]:
    """Return a note (HB0425) on every convolution that stays as it is where others change."""
    if rule.learns == "none" and settings.init == "keep":
        return ()
    what = "is a convolution: its synapses share their weights and keep those of the file"
    return tuple(
        Problem("HB0425", f"'{stage.name}' {what}", f"%{stage.name}", stage.origin)
        for stage in network.stages
        if stage.kind == "conv2d"
    )
