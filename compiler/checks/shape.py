"""Rule and network: the shapes of those rules that learn what inputs are like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.lowering.network import Network
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule


@dataclass(frozen=True)
class Shape:
    """What networks a rule takes: numbers of stages, in words, and whether it takes no weights of
    the file but starts empty."""

    stages: tuple[int, ...]
    text: str
    replaces: bool = False


ALONE = "input -> linear, one population that learns"
READ = "input -> linear -> relu -> linear, prototypes and a readout of classes"
SHAPES = {
    "activity": Shape((1,), ALONE),
    "sliding-threshold": Shape((1,), ALONE),
    "winner": Shape((1, 2), f"{ALONE}, or {READ}", replaces=True),
    "prototype": Shape((2,), READ, replaces=True),
}
"""Learning signal -> networks; other signals take any chain."""


def problems_of_shape(
    network: Network, rule: LearningRule, objective: Objective, settings: Settings
) -> list[Problem]:
    """Return why the stages of a network are none for the rule (HB0403, HB0407)."""
    shape = SHAPES.get(rule.signal)
    if shape is None:
        return []
    at, found = f"rule {rule.name}", list[Problem]()
    *hidden, output = network.stages
    if len(network.stages) not in shape.stages or any(s.activation != "relu" for s in hidden):
        sizes = [network.input_size, *(len(stage.weight) for stage in network.stages)]
        what = f"'{rule.name}' does not serve {'-'.join(map(str, sizes))}; it takes {shape.text}"
        found.append(Problem("HB0403", what, at, output.origin))
    elif not shape.replaces and settings.init == "keep" and np.any(output.bias):
        what = f"'{rule.name}' has no use for the bias of '{output.name}'"
        hint = "take it out of the model, or start anew: --init random"
        found.append(Problem("HB0403", what, at, output.origin, hint))
    if hidden and objective.name != "classification":
        what = f"'{rule.name}' learns classes, not the targets of {objective.name}"
        found.append(Problem("HB0407", what, at, hint="--objective classification"))
    return found
