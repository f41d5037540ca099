"""A graph as a chain of stages: what the lowering of multilayer perceptrons needs.

input -> linear -> activation -> linear -> ... -> linear. A stage may hear itself: the value of its
activation, one step late, through a linear op of its own, added before the activation:

    %late  = delay(%h) {steps=1}
    %again = linear(%late) {weight=@u}
    %sum   = add(%fc, %again)
    %h     = relu(%sum)

Anything else is refused by name, with every offending node listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.graph import Graph, Node, TensorRef
from hebbite.compiler.lowering.network import Network, Real, Stage
from hebbite.rules.errors import Problem, UnsupportedError

ACTIVATIONS = ("relu", "tanh", "sigmoid")
KNOWN = ("input", "linear", "flatten", *ACTIVATIONS)


@dataclass(frozen=True)
class Loop:
    """The nodes by which a stage hears itself: delay -> linear -> add, and ``fed`` from below."""

    delay: Node
    linear: Node
    add: Node
    fed: Node
    activation: Node

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that a chain without recurrence has not."""
        return self.delay, self.linear, self.add


def network_of(graph: Graph) -> Network:
    """Return the stages of a verified graph.

    Raises:
        UnsupportedError: HB0405 for every node that a chain of linear ops and activations has not.
    """
    loops = _loops(graph)
    problems = _problems(graph, loops)
    if problems:
        raise UnsupportedError(*problems)
    order = graph.ordered()
    again = [loop.linear for loop in loops]
    stages = tuple(
        _stage(graph, node, loops) for node in order if node.op == "linear" and node not in again
    )
    first = next(node for node in order if node.op == "input")
    value = first.outputs[0]
    return Network(graph.name, value.name, value.size, stages, graph.head, first.origin)


def _loops(graph: Graph) -> tuple[Loop, ...]:
    """Return every activation that hears itself as the module says."""
    found = (_loop(graph, node) for node in graph.ordered() if node.op in ACTIVATIONS)
    return tuple(loop for loop in found if loop is not None)


def _loop(graph: Graph, activation: Node) -> Loop | None:
    add = _before(graph, activation)
    if add.op != "add":
        return None
    sides = [graph.producers[name] for name in add.inputs]
    for again, fed in (sides, sides[::-1]):
        if again.op != "linear" or fed.op != "linear":
            continue
        delay = _before(graph, again)
        own = delay.op == "delay" and _before(graph, delay) == activation
        if own and delay.attribute("steps") == 1:
            return Loop(delay, again, add, fed, activation)
    return None


def _problems(graph: Graph, loops: tuple[Loop, ...]) -> tuple[Problem, ...]:
    found: list[Problem] = []
    closed = [node for loop in loops for node in loop.nodes]
    for node in graph.ordered():
        if node not in closed:
            found += _problem(graph, node, loops)
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        what = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs; one of each is needed"
        found.append(Problem("HB0405", what, f"graph @{graph.name}"))
    elif graph.producers[graph.outputs[0]].op != "linear":
        last = graph.producers[graph.outputs[0]]
        what = "the last op must be linear: an objective compares its output with the target"
        found.append(Problem("HB0405", what, str(last), last.origin))
    return tuple(found)


def _problem(graph: Graph, node: Node, loops: tuple[Loop, ...]) -> list[Problem]:
    """Return what is wrong with a node that closes no loop, at most one problem."""
    looped = [loop.activation for loop in loops]
    readers = [
        reader
        for reader in graph.consumers(node.outputs[0].name)
        if not (node in looped and reader in [loop.delay for loop in loops])
    ]
    what, hint = "", ""
    if node.op in ("add", "delay"):
        what = f"'{node.op}' can be lowered only where a stage hears itself one step late"
        hint = "%late = delay(%h) {steps=1}, %again = linear(%late), %sum = add(%fc, %again), %h = "
        hint += "relu(%sum)"
    elif node.op not in KNOWN:
        what = f"'{node.op}' cannot be lowered to a chip program"
        hint = f"ops that can: {', '.join(KNOWN)}"
    elif len(node.inputs) > 1 or len(readers) > 1:
        what = "branches cannot be lowered yet: every value is read once"
    elif node.op in ACTIVATIONS and node not in looped and _before(graph, node).op != "linear":
        what = f"'{node.op}' must follow a linear op"
    elif node.op == "linear" and _before(graph, node).op == "linear":
        what = "two linear ops in a row: the chip would need a unit without an activation"
        hint = "multiply the two matrices, or put an activation between them"
    return [Problem("HB0405", what, str(node), node.origin, hint)] if what else []


def _before(graph: Graph, node: Node) -> Node:
    return graph.producers[node.inputs[0]]


def _stage(graph: Graph, linear: Node, loops: tuple[Loop, ...]) -> Stage:
    loop = next((loop for loop in loops if loop.fed == linear), None)
    readers = graph.consumers(linear.outputs[0].name)
    plain = next((node for node in readers if node.op in ACTIVATIONS), None)
    activation = loop.activation if loop else plain
    name = (activation or linear).outputs[0].name
    bias = _bias(graph, linear)
    return Stage(
        name=name,
        synapses=f"to_{name}",
        weight=_array(graph, linear.attribute("weight")),
        bias=bias + _bias(graph, loop.linear) if loop else bias,
        activation=activation.op if activation else "none",
        origin=linear.origin,
        recurrent=_array(graph, loop.linear.attribute("weight")) if loop else None,
    )


def _bias(graph: Graph, linear: Node) -> Real:
    bias = linear.attribute("bias")
    return _array(graph, bias) if bias is not None else np.zeros(linear.outputs[0].size)


def _array(graph: Graph, reference: object) -> Real:
    assert isinstance(reference, TensorRef), "the graph is verified"
    return graph.tensors[reference.name].astype(np.float64)
