"""A graph as a chain of stages: what the lowering of multilayer perceptrons needs.

input -> linear -> activation -> linear -> ... -> linear. Anything else is refused by name, with
every offending node listed.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Graph, Node, TensorRef
from hebbite.compiler.lowering.network import Network, Real, Stage
from hebbite.rules.errors import Problem, UnsupportedError

ACTIVATIONS = ("relu", "tanh", "sigmoid")


def network_of(graph: Graph) -> Network:
    """Return the stages of a verified graph.

    Raises:
        UnsupportedError: HB0405 for every node that a chain of linear ops and activations has not.
    """
    problems = _problems(graph)
    if problems:
        raise UnsupportedError(*problems)
    order = graph.ordered()
    linears = [node for node in order if node.op == "linear"]
    stages = tuple(_stage(graph, node) for node in linears)
    first = order[0]
    value = first.outputs[0]
    return Network(graph.name, value.name, value.size, stages, graph.head, first.origin)


def _problems(graph: Graph) -> tuple[Problem, ...]:
    found: list[Problem] = []
    known = ("input", "linear", "flatten", *ACTIVATIONS)
    for node in graph.ordered():
        if node.op not in known:
            what = f"'{node.op}' cannot be lowered to a chip program"
            hint = f"ops that can: {', '.join(known)}"
            found.append(Problem("HB0405", what, str(node), node.origin, hint))
        elif len(node.inputs) > 1 or len(graph.consumers(node.outputs[0].name)) > 1:
            what = "branches cannot be lowered yet: every value is read once"
            found.append(Problem("HB0405", what, str(node), node.origin))
        elif node.op in ACTIVATIONS and _before(graph, node).op != "linear":
            what = f"'{node.op}' must follow a linear op"
            found.append(Problem("HB0405", what, str(node), node.origin))
        elif node.op == "linear" and _before(graph, node).op == "linear":
            what = "two linear ops in a row: the chip would need a unit without an activation"
            hint = "multiply the two matrices, or put an activation between them"
            found.append(Problem("HB0405", what, str(node), node.origin, hint))
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        what = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs; one of each is needed"
        found.append(Problem("HB0405", what, f"graph @{graph.name}"))
    elif graph.producers[graph.outputs[0]].op != "linear":
        last = graph.producers[graph.outputs[0]]
        what = "the last op must be linear: an objective compares its output with the target"
        found.append(Problem("HB0405", what, str(last), last.origin))
    return tuple(found)


def _before(graph: Graph, node: Node) -> Node:
    return graph.producers[node.inputs[0]]


def _stage(graph: Graph, linear: Node) -> Stage:
    readers = graph.consumers(linear.outputs[0].name)
    activation = next((node for node in readers if node.op in ACTIVATIONS), None)
    name = (activation or linear).outputs[0].name
    bias = linear.attribute("bias")
    return Stage(
        name=name,
        synapses=f"to_{name}",
        weight=_array(graph, linear.attribute("weight")),
        bias=_array(graph, bias) if bias is not None else np.zeros(linear.outputs[0].size),
        activation=activation.op if activation else "none",
        origin=linear.origin,
    )


def _array(graph: Graph, reference: object) -> Real:
    assert isinstance(reference, TensorRef), "the graph is verified"
    return graph.tensors[reference.name].astype(np.float64)
