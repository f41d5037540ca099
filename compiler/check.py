"""What stands between a request and a program: rule, network, objective and chip held together.

Everything that is wrong is returned at once; nothing is converted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.compiler.lowering.chain import network_of
from hebbite.compiler.lowering.network import Network
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import HebbiteError, Problem
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


def problems_of_request(
    graph: Graph, rule: LearningRule, objective: Objective, settings: Settings
) -> tuple[Problem, ...]:
    """Return every reason why this request has no program (HB0402..HB0407)."""
    target = load_target(settings.target)
    others = (*_rule(rule, settings, target), *_head(graph, objective))
    try:
        network = network_of(graph)
    except HebbiteError as error:
        return (*error.problems, *others)
    return (*others, *_shape(network, rule, objective))


def _shape(network: Network, rule: LearningRule, objective: Objective) -> list[Problem]:
    """Return why the stages of a network are none for a rule that learns what inputs are like."""
    shape = SHAPES.get(rule.signal)
    if shape is None:
        return []
    at, found = f"rule {rule.name}", list[Problem]()
    *hidden, output = network.stages
    if len(network.stages) not in shape.stages or any(s.activation != "relu" for s in hidden):
        sizes = [network.input_size, *(len(stage.weight) for stage in network.stages)]
        what = f"'{rule.name}' does not serve {'-'.join(map(str, sizes))}; it takes {shape.text}"
        found.append(Problem("HB0403", what, at, output.origin))
    elif not shape.replaces and np.any(output.bias):
        what = f"'{rule.name}' has no use for the bias of '{output.name}'"
        hint = "take it out of the model, or start anew: --init random"
        found.append(Problem("HB0403", what, at, output.origin, hint))
    if hidden and objective.name != "classification":
        what = f"'{rule.name}' learns classes, not the targets of {objective.name}"
        found.append(Problem("HB0407", what, at, hint="--objective classification"))
    return found


def _rule(rule: LearningRule, settings: Settings, target: Target) -> list[Problem]:
    at = f"rule {rule.name}"
    if not rule.runs_on_chip:
        return [Problem("HB0402", f"'{rule.name}' runs on no chip: {rule.reason}", at)]
    kind = "graded" if settings.neuron == "graded" else "spiking"
    found: list[Problem] = []
    if kind not in rule.networks:
        what = f"'{rule.name}' does not serve {kind} networks, only {', '.join(rule.networks)}"
        hint = "--neuron lif --encode rate" if kind == "graded" else "--neuron graded --encode none"
        found.append(Problem("HB0403", what, at, hint=hint))
    if kind == "graded" and target.can("binary_only"):
        what = f"{target.name} sends bare spikes; graded units need integer payloads"
        hint = "--target loihi2, or a spike-driven rule: --rule stdp --neuron lif --encode rate"
        found.append(Problem("HB0404", what, at, hint=hint))
    if rule.factors == 3 and not target.can("neuron_traces"):
        what = f"'{rule.name}' needs neurons that write y1..y3; {target.name} has none"
        found.append(Problem("HB0404", what, at, hint="--target loihi2"))
    if kind == "spiking" and settings.encode != "rate":
        what = "LIF units need spikes at the inputs"
        found.append(Problem("HB0406", what, hint="--encode rate"))
    if kind == "graded" and settings.encode != "none":
        what = "graded units take payloads, not a rate code"
        found.append(Problem("HB0406", what, hint="--encode none"))
    return found


def _head(graph: Graph, objective: Objective) -> list[Problem]:
    if graph.head and objective.name != "classification":
        what = f"the model ends in {graph.head}, which is a classifier's head"
        hint = "--objective classification"
        return [Problem("HB0407", what, f"return ... {{head={graph.head}}}", hint=hint)]
    return []
