"""Objective, rule and network: whether what is to be improved can be told to those that learn."""

from __future__ import annotations

from collections.abc import Iterator

from hebbite.compiler.graph import Graph
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule

SHORTEST_REWARDED = 4
"""Steps of a sample in which a spike can earn a reward that comes in the last step."""


def problems_of_objective(
    graph: Graph, rule: LearningRule, objective: Objective, settings: Settings
) -> tuple[Problem, ...]:
    """Return why they do not go together (HB0407, HB0408, HB0413, HB0414)."""
    return (
        *_reward(rule, objective, settings),
        *_head(graph, objective),
        *_together(graph, rule, objective, settings),
    )


def _reward(rule: LearningRule, objective: Objective, settings: Settings) -> Iterator[Problem]:
    """A reward is earned by the right class, and comes in the last step of a sample."""
    at = f"rule {rule.name}"
    if rule.signal == "reward" and objective.name != "classification":
        what = f"{objective.name} knows no right answer that could be rewarded"
        yield Problem("HB0408", what, at, hint="--objective classification")
    if rule.signal == "reward" and settings.window < SHORTEST_REWARDED:
        what = f"{settings.window} steps are too few to spike, earn and hear of it"
        yield Problem("HB0408", what, at, hint=f"window={SHORTEST_REWARDED}")


def _head(graph: Graph, objective: Objective) -> list[Problem]:
    if graph.head and objective.name not in ("classification", "reward"):
        what = f"the model ends in {graph.head}, which is a classifier's head"
        hint = "--objective classification"
        return [Problem("HB0407", what, f"return ... {{head={graph.head}}}", hint=hint)]
    return []


def _together(
    graph: Graph, rule: LearningRule, objective: Objective, settings: Settings
) -> Iterator[Problem]:
    """Yield why a rule, a network and an objective do not go together (HB0413, HB0414)."""
    at = f"objective {objective}"
    source = rule.feedback.source
    if rule.signal == "goodness" and objective.name != "classification":
        what = f"'{rule.name}' follows an objective of its own in every layer, from labels alone"
        yield Problem("HB0413", what, at, hint="--objective classification")
    if rule.signal == "relaxation" and _beyond_labels(objective):
        what = f"'{rule.name}' nudges by squared errors, from labels or real targets, and alone"
        yield Problem("HB0413", what, at, hint="--objective classification")
    if rule.signal != "error" or not rule.runs_on_chip:
        return
    if source == "reward" and objective.teaches != "reward":
        what = f"'{rule.name}' learns from rewards, and this objective gives none"
        yield Problem("HB0413", what, at, hint="--objective reward")
    if objective.judged_by_host and source in ("perturbation", "target"):
        what = f"'{rule.name}' needs targets before the outputs are known; here the host makes them"
        yield Problem("HB0413", what, at, hint="--rule dfa")
    if objective.one_sided and source == "perturbation":
        what = f"'{rule.name}' sends its losses, and knows squared errors alone"
        yield Problem("HB0413", what, at, hint="--objective classification")
    if settings.neuron != "graded" and _beyond_labels(objective):
        what = "spiking units learn from labels or real targets, by squared errors, and alone"
        yield Problem("HB0413", what, at, hint="--objective classification, or --neuron graded")
    elif objective.hidden:
        yield from _hidden_terms(graph, rule, at)
    sizes = [graph.producers[name].outputs[0].size for name in graph.outputs]
    inputs = [node.outputs[0].size for node in graph.ordered() if node.op == "input"]
    if objective.teaches in ("input", "next-input") and sizes != inputs:
        what = f"outputs that stand for inputs must be as many: {sizes} and {inputs}"
        yield Problem("HB0414", what, at)


def _beyond_labels(objective: Objective) -> bool:
    special = objective.one_sided or objective.judged_by_host or objective.hidden
    return bool(special) or objective.teaches != "labels"


def _hidden_terms(graph: Graph, rule: LearningRule, at: str) -> Iterator[Problem]:
    if rule.learns != "all" or rule.feedback.source == "perturbation":
        what = f"'{rule.name}' gives hidden units no error that a hidden term could be added to"
        yield Problem("HB0413", what, at, hint="--rule dfa")
    for node in graph.ordered():
        if node.op == "tanh":
            what = "a payload with a sign has no rate: hidden terms need relu or sigmoid units"
            yield Problem("HB0414", what, str(node), node.origin)
