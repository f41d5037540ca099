"""A graph as a chain of stages: what the lowering of multilayer perceptrons needs.

input -> linear -> activation -> linear -> ... -> linear. A stage may hear itself: the value of its
activation, one step late, through a linear op of its own, added before the activation:

    %late  = delay(%h) {steps=1}
    %again = linear(%late) {weight=@u}
    %sum   = add(%fc, %again)
    %h     = relu(%sum)

A convolution stands where a linear op may, except at the end; a pool stands behind an activation,
the input or another pool. Flatten and reshape rename lines and may stand anywhere. Anything else is
refused by name, with every offending node listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.graph import Graph, Node, TensorRef
from hebbite.compiler.lowering.network import Network, Real, Stage
from hebbite.compiler.lowering.quantise import LARGEST_POOL
from hebbite.compiler.ops import Call
from hebbite.compiler.ops.window import image_of, kernel_of, window_of
from hebbite.compiler.program.connectivity import Conv2d
from hebbite.rules.errors import Problem, UnsupportedError

ACTIVATIONS = ("relu", "tanh", "sigmoid")
WEIGHTED = ("linear", "conv2d")
POOLS = ("avg_pool2d", "sum_pool2d")
RENAMES = ("flatten", "reshape")
KNOWN = ("input", *WEIGHTED, *POOLS, *RENAMES, *ACTIVATIONS)


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
        _stage(graph, node, loops)
        for node in order
        if node.op in (*WEIGHTED, *POOLS) and node not in again
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
    else:
        what, hint = _misplaced(graph, node, looped=node in looped)
    return [Problem("HB0405", what, str(node), node.origin, hint)] if what else []


def _misplaced(graph: Graph, node: Node, *, looped: bool) -> tuple[str, str]:
    """Return what is wrong with where a node stands, and what would be right."""
    fed = _fed(graph, node)
    if node.op in ACTIVATIONS and not looped and fed not in WEIGHTED:
        return f"'{node.op}' must follow a linear op or a convolution", ""
    if node.op in WEIGHTED and fed in WEIGHTED:
        what = "two linear ops in a row: the chip would need a unit without an activation"
        return what, "multiply the two matrices, or put an activation between them"
    if node.op in POOLS and fed in WEIGHTED:
        what = f"'{node.op}' before the activation: the chip would need a unit without one"
        return what, f"put the activation before {node.op}"
    kernel = node.attribute("kernel")
    if node.op in POOLS and isinstance(kernel, tuple) and kernel[0] * kernel[1] > LARGEST_POOL:
        what = f"a pool over {kernel[0] * kernel[1]} pixels: its weight would be less than a step"
        return what, f"two pools in a row, each over {LARGEST_POOL} pixels at most"
    padding = node.attribute("padding")
    padded = isinstance(padding, tuple) and any(padding)
    if node.op == "avg_pool2d" and padded and not node.attribute("count_padding"):
        what = "averages over fewer pixels at the border: all places of a chip share one weight"
        return what, "count_padding=1 (count_include_pad in ONNX), or no padding"
    return "", ""


def _before(graph: Graph, node: Node) -> Node:
    return graph.producers[node.inputs[0]]


def _fed(graph: Graph, node: Node) -> str:
    """Return the op before a node that does more than rename lines, "" before an input."""
    while node.inputs:
        node = _before(graph, node)
        if node.op not in RENAMES:
            return node.op
    return ""


def _activation(graph: Graph, node: Node) -> Node | None:
    """Return the activation behind a node, behind what only renames lines too."""
    while True:
        readers = graph.consumers(node.outputs[0].name)
        renaming = next((reader for reader in readers if reader.op in RENAMES), None)
        if renaming is None:
            return next((reader for reader in readers if reader.op in ACTIVATIONS), None)
        node = renaming


def _stage(graph: Graph, node: Node, loops: tuple[Loop, ...]) -> Stage:
    if node.op != "linear":
        return _shared(graph, node)
    loop = next((loop for loop in loops if loop.fed == node), None)
    activation = loop.activation if loop else _activation(graph, node)
    name = (activation or node).outputs[0].name
    bias = _bias(graph, node)
    return Stage(
        name=name,
        synapses=f"to_{name}",
        weight=_array(graph, node.attribute("weight")),
        bias=bias + _bias(graph, loop.linear) if loop else bias,
        activation=activation.op if activation else "none",
        origin=node.origin,
        recurrent=_array(graph, loop.linear.attribute("weight")) if loop else None,
    )


def _shared(graph: Graph, node: Node) -> Stage:
    """Return a convolution, or a pool as one with a group for each channel."""
    call = Call(dict(node.attributes), (graph.values[node.inputs[0]],), graph.tensors)
    image, pools = image_of(call), node.op in POOLS
    if pools:
        kernel = kernel_of(call)
        each = 1.0 / (kernel[0] * kernel[1]) if node.op == "avg_pool2d" else 1.0
        weight = np.full((image[0], kernel[0] * kernel[1]), each)
        bias, groups = np.zeros(image[0]), image[0]
    else:
        array = _array(graph, node.attribute("weight"))
        kernel, weight = array.shape[2:], array.reshape(len(array), -1)
        bias, groups = _bias(graph, node), call.integer("groups", 1)
    window = window_of(call, kernel)
    activation = None if pools else _activation(graph, node)
    name = (activation or node).outputs[0].name
    return Stage(
        name=name,
        synapses=f"to_{name}",
        weight=weight,
        bias=bias,
        activation=activation.op if activation else "none",
        origin=node.origin,
        connect=Conv2d(
            image, window.kernel, window.stride, window.padding, window.dilation, groups
        ),
        kind="pool" if pools else "conv2d",
    )


def _bias(graph: Graph, node: Node) -> Real:
    bias = node.attribute("bias")
    return _array(graph, bias) if bias is not None else np.zeros(node.outputs[0].shape[0])


def _array(graph: Graph, reference: object) -> Real:
    assert isinstance(reference, TensorRef), "the graph is verified"
    return graph.tensors[reference.name].astype(np.float64)
