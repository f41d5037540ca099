"""From a compiled model to its differentiable twin, feedback weights and working rate.

The twin has the program's stored weights, shifts and clips. What a table holds (tanh, logistic) is
replaced by the function that the table was made from.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.lowering.quantise import TABLE_SIZE, TOP_PAYLOAD, TOP_SIGNED
from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import Population, Program, Source, Synapses
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.rules.objectives.objective import TOP
from hebbite.rules.sums import effective_scale
from hebbite.runtime.credit.activations import Activation, Clipped, Logistic, Real, Tanh
from hebbite.runtime.credit.twin import Layer, Twin

TRACE_OF_PAYLOAD = 0.5
"""x1 of an unsigned payload: its half; a signed one is read from x1 as it is."""


def twin_of(compiled: Compiled) -> Twin:
    """Return the twin of a graded model.

    Raises:
        UnsupportedError: HB0471 if the model is no chain of graded units that learn from errors.
    """
    refuse_without_twin(compiled)
    program = compiled.program
    layers = tuple(
        Layer(
            name=group.post,
            weight=program.tensors[group.weight].astype(np.float64),
            bias=float(payload_at(program, group.pre, fire_offset(program, group.pre))),
            activation=_activation(compiled, program.population(group.post)),
        )
        for group in forward_groups(program)
    )
    return Twin(layers, compiled.objective)


def refuse_without_twin(compiled: Compiled) -> None:
    """Refuse a model whose answers are no graded outputs, whose rule has no error, or whose
    objective no twin has (HB0471)."""
    _refuse_lists(compiled)
    rule = compiled.rule
    if compiled.settings.neuron == "graded" and not rule.follows_objective:
        what = f"'{rule.name}' follows no objective and sends no error: there is no credit to judge"
        raise UnsupportedError(Problem("HB0471", what, f"rule {rule.text}", hint="--rule dfa"))
    if compiled.settings.neuron != "graded":
        what = f"only graded units have such a twin; these are {compiled.settings.neuron} units"
        hint = "--neuron graded --encode none --rule dfa"
        raise UnsupportedError(Problem("HB0471", what, f"program @{compiled.model}", hint=hint))
    if compiled.rule.signal == "goodness":
        what = f"'{compiled.rule.name}' has no output to compare; every layer has its own objective"
        raise UnsupportedError(Problem("HB0471", what, f"program @{compiled.model}"))
    goal = compiled.objective
    if goal.judged_by_host or goal.hidden:
        why = "the host makes the errors" if goal.judged_by_host else "it has hidden terms"
        what = f"credit is judged for errors of outputs that the chip makes itself; here {why}"
        hint = "--objective classification"
        raise UnsupportedError(Problem("HB0471", what, f"objective {goal}", hint=hint))


def refuse_uncounted(compiled: Compiled) -> None:
    """Refuse a model of spiking units whose answers are no spike counts (HB0471)."""
    _refuse_lists(compiled)
    readout = compiled.program.readout
    if not readout.count:
        neuron = compiled.program.population(readout.population).neuron.name
        what = f"only answers that are spike counts have such a twin; these are {neuron} units'"
        what += f" {readout.register}"
        hint = "--rule stdp, or --neuron graded --encode none --rule dfa"
        raise UnsupportedError(Problem("HB0471", what, f"program @{compiled.model}", hint=hint))


def _refuse_lists(compiled: Compiled) -> None:
    """Refuse synapses that are no matrix: a twin multiplies by matrices (HB0471)."""
    for group in compiled.program.synapses:
        if not isinstance(group.connect, Dense):
            what = f"a twin has matrices of weights; %{group.name} is {group.connect}"
            raise UnsupportedError(Problem("HB0471", what, f"program @{compiled.model}"))


def forward_groups(program: Program) -> tuple[Synapses, ...]:
    """Return the groups of synapses that lead from the input to the output, in this order."""
    return tuple(group for group in program.synapses if group.role == "forward")


def fire_offset(program: Program, name: str) -> int:
    """Return the offset at which a source or a population sends its payload."""
    return dict(program.schedule.events)[f"fire %{name}"]


def payload_at(program: Program, name: str, offset: int) -> int:
    """Return what the bias line of a source or population sends at an offset; 0 for nothing."""
    parts: tuple[Source | Population, ...] = (*program.sources, *program.populations)
    part = next(part for part in parts if part.name == name)
    return dict(part.bias).get(offset, 0)


def feedback_of(compiled: Compiled, twin: Twin) -> dict[str, Real]:
    """Return B of every hidden population, in units in which W^T is the exact path.

    Copied weights are W^T as they stand. Learned ones are in the steps of W^T, which they follow.
    The scale of random weights and of signs is no part of their rule: they get the root mean square
    of the path that they stand for, W^T or, sent directly from the output, the product of all
    matrices and scales in between.
    """
    back = {group.post: group for group in compiled.program.synapses if group.role == "feedback"}
    return {
        layer.name: _feedback(compiled, twin, index, back[layer.name])
        for index, layer in enumerate(twin.layers[:-1])
        if layer.name in back and compiled.rule.feedback.weights != "none"
    }


def working_rate(compiled: Compiled) -> float:
    """Return eta: the mean change of a readout weight is eta times its gradient, in steps.

    eta = m 2^(e - s) x 2^(shift - error_shift): mantissa, exponent and shift of the rule's first
    product, x the trace of a payload of 1, and the shifts of the output unit.
    """
    program = compiled.program
    readout = forward_groups(program)[-1]
    constants = dict(program.population(readout.post).constants)
    dw = next(p.dw for p in program.plasticity if p.synapses == readout.name)
    reads_offset = any(f.variable == "x1" and f.constant for f in dw.products[0].factors)
    trace = 1.0 if reads_offset else TRACE_OF_PAYLOAD
    shift = constants["shift"] - constants["error_shift"]
    return float(effective_scale(dw.products[0]) * trace * 2.0**shift)


def _activation(compiled: Compiled, population: Population) -> Activation:
    scale = 2.0 ** -dict(population.constants)["shift"]
    if population.name == compiled.program.readout.population:
        return Clipped(scale, -TOP, TOP)
    if not population.tables:
        return Clipped(scale, 0.0, float(TOP_PAYLOAD))
    step = compiled.report[f"table_step.{population.name}"]
    reach = dict(population.tables)["activation"]
    assert len(compiled.program.tensors[reach]) == TABLE_SIZE, "tables are ours"
    signed = int(compiled.program.tensors[reach].min()) < 0
    return Tanh(scale * step, TOP_SIGNED) if signed else Logistic(scale * step, TOP_PAYLOAD)


def _feedback(compiled: Compiled, twin: Twin, index: int, group: Synapses) -> Real:
    rule = compiled.rule
    stored = compiled.program.tensors[group.weight].astype(np.float64)
    exact = exact_path(twin, index, direct=rule.feedback.delivery == "direct")
    if rule.feedback.weights == "transpose":
        return exact
    if rule.feedback.weights == "learned":
        return stored
    size = float(np.sqrt(np.mean(stored**2)))
    return stored * (float(np.sqrt(np.mean(exact**2))) / size if size else 0.0)


def exact_path(twin: Twin, index: int, *, direct: bool) -> Real:
    """Return the transposed matrix that B of layer ``index`` stands for."""
    layers = twin.layers[index + 1 :] if direct else twin.layers[index + 1 : index + 2]
    path = layers[0].weight[:, :-1].T
    for below, layer in pairwise(layers):
        slope = float(below.activation.slope(np.ones(1))[0])
        path = slope * (path @ layer.weight[:, :-1].T)
    return path
