"""What stands between a request and a program: rule, network, objective and chip held together.

Everything that is wrong is returned at once; nothing is converted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.graph import Graph
from hebbite.compiler.lowering.chain import network_of
from hebbite.compiler.lowering.network import Network
from hebbite.compiler.lowering.registry import LOWERINGS
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import Target, load_target
from hebbite.rules.errors import HebbiteError, Problem
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import GATES, VARIABLES

WRITTEN = {("graded", "error"): ("x1", "y2", "y3", "w", "t")}
"""(unit, learning signal) -> what a forward synapse may read, where units write that themselves."""

SHORTEST_REWARDED = 4
"""Steps of a sample in which a spike can earn a reward that comes in the last step."""


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
    """Return why this request has no program (HB0402..HB0408, HB0413..HB0417, HB0496)."""
    target = load_target(settings.target)
    others = (
        *_rule(rule, settings, target),
        *_reward(rule, objective, settings),
        *_head(graph, objective),
        *_objective(graph, rule, objective, settings),
    )
    try:
        network = network_of(graph)
    except HebbiteError as error:
        return (*error.problems, *others)
    return (
        *others,
        *_shape(network, rule, objective, settings),
        *_spiking(network, rule, settings),
    )


def _spiking(network: Network, rule: LearningRule, settings: Settings) -> tuple[Problem, ...]:
    by_errors = settings.neuron == "lif" and rule.signal == "error"
    found = [] if by_errors else _recurrence(network, settings)
    return (*found, *(_of_errors(network, rule, settings) if by_errors else ()))


def _recurrence(network: Network, settings: Settings) -> list[Problem]:
    """Refuse populations that hear themselves where their lowering knows no time (HB0417)."""
    hint = "--neuron lif --encode rate --rule eprop"
    needs = "needs LIF units that learn from errors"
    found: list[Problem] = []
    if settings.recurrent:
        found.append(Problem("HB0417", f"the setting 'recurrent' {needs}", hint=hint))
    for stage in network.stages:
        if stage.recurrent is not None:
            what = f"'{stage.name}' hears itself, which {needs}"
            found.append(Problem("HB0417", what, f"%{stage.name}", stage.origin, hint))
    return found


def _of_errors(network: Network, rule: LearningRule, settings: Settings) -> list[Problem]:
    """Return what is wrong with spiking units that are to learn from errors."""
    found: list[Problem] = []
    if rule.steps >= settings.window:
        what = f"learning in the last {rule.steps} steps leaves nothing of {settings.window}"
        hint = f"--set window={rule.steps + 1}, or fewer steps"
        found.append(Problem("HB0416", what, f"rule {rule.name}", hint=hint))
    copies = rule.feedback.weights == "transpose" and rule.feedback.delivery == "direct"
    if copies and rule.learns == "all" and len(network.stages) > 2:
        what = "copied weights of the readout lead to the population below it alone"
        hint = "feedback=random, or one hidden population"
        found.append(Problem("HB0415", what, f"rule {rule.name}", hint=hint))
    return found


def _shape(
    network: Network, rule: LearningRule, objective: Objective, settings: Settings
) -> list[Problem]:
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
    elif not shape.replaces and settings.init == "keep" and np.any(output.bias):
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
    if kind in rule.networks:
        found += _signal(rule, settings, at)
    if kind == "spiking" and settings.encode != "rate":
        what = "LIF units need spikes at the inputs"
        found.append(Problem("HB0406", what, hint="--encode rate"))
    if kind == "graded" and settings.encode != "none":
        what = "graded units take payloads, not a rate code"
        found.append(Problem("HB0406", what, hint="--encode none"))
    return found


def _reward(rule: LearningRule, objective: Objective, settings: Settings) -> Iterator[Problem]:
    """A reward is earned by the right class, and comes in the last step of a sample."""
    at = f"rule {rule.name}"
    if rule.signal == "reward" and objective.name != "classification":
        what = f"{objective.name} knows no right answer that could be rewarded"
        yield Problem("HB0408", what, at, hint="--objective classification")
    if rule.signal == "reward" and settings.window < SHORTEST_REWARDED:
        what = f"{settings.window} steps are too few to spike, earn and hear of it"
        yield Problem("HB0408", what, at, hint=f"window={SHORTEST_REWARDED}")


def _signal(rule: LearningRule, settings: Settings, at: str) -> list[Problem]:
    """Return what the rule reads and nobody writes (HB0403, HB0496)."""
    key = settings.neuron, rule.signal
    found: list[Problem] = []
    if key not in LOWERINGS:
        known = sorted(signal for unit, signal in LOWERINGS if unit == settings.neuron)
        what = f"{settings.neuron} units do not tell their synapses '{rule.signal}'"
        found.append(Problem("HB0403", what, at, hint=f"signal {' | '.join(known)}"))
    written = (*GATES, *WRITTEN.get(key, VARIABLES))
    forward = (rule.dw,) if rule.dt is None else (rule.dw, rule.dt)
    read = dict.fromkeys(variable.name for each in forward for variable in each.variables)
    for name in read:
        if name not in written:
            what = f"{rule.name} reads {name}, which no {settings.neuron} unit writes"
            hint = "graded units write y2 - y3, their error; x1 is the activity that they receive"
            found.append(Problem("HB0496", what, at, hint=hint))
    return found


def _head(graph: Graph, objective: Objective) -> list[Problem]:
    if graph.head and objective.name not in ("classification", "reward"):
        what = f"the model ends in {graph.head}, which is a classifier's head"
        hint = "--objective classification"
        return [Problem("HB0407", what, f"return ... {{head={graph.head}}}", hint=hint)]
    return []


def _objective(
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
