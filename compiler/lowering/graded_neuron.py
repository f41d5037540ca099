"""The program of each population of a graded network, with what a rule asks of it beyond its error.

In: the number of a stage, its request and its feedback path, and whether the payloads that it
receives have a sign. Out: a neuron program of the library, extended where the rule perturbs, where
feedback weights learn, or where the objective has terms for hidden units.
"""

from __future__ import annotations

from hebbite.compiler.lowering.feedback import FeedbackPath
from hebbite.compiler.lowering.request import Request
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.one_sided import one_sided
from hebbite.compiler.neurons.perturbed import firing_twice, perturbed, scoring
from hebbite.compiler.neurons.reciprocal import resending_signal, showing_activity
from hebbite.compiler.neurons.regulated import regulated
from hebbite.compiler.program.neuron import NeuronProgram


def graded_neuron(
    request: Request, path: FeedbackPath, index: int, *, signed: bool
) -> NeuronProgram:
    """Return the program of stage ``index``; ``signed``: what it receives has a sign."""
    stages = request.network.stages
    stage, last = stages[index], index == len(stages) - 1
    if stage.is_shared:
        kind = ("tanh" if signed else "relu") if stage.kind == "pool" else stage.activation
        return firing_twice(NEURONS[kind]) if path.perturbs else NEURONS[kind]
    neuron = NEURONS["error" if last else stage.activation]
    if last and request.objective.one_sided:
        neuron = one_sided(neuron)
    if not last and request.objective.hidden and path.is_used:
        neuron = regulated(neuron, request.objective.hidden)
    if path.perturbs:
        return scoring(neuron) if last else perturbed(neuron)
    if request.rule.feedback_dw is None or not path.is_used:
        return neuron
    if not last:
        neuron = showing_activity(neuron, signed=stage.activation == "tanh")
    return resending_signal(neuron) if index > path.lowest else neuron
