"""Finds the value of an ONNX graph that the network computes, before labels are made from it.

Classifiers of scikit-learn return a label and a map of probabilities, both made from one value
(ArgMax, ArrayFeatureExtractor, ZipMap, Normalizer). The graph is cut at that value.
"""

from __future__ import annotations

from hebbite.compiler.frontends.onnx.view import GraphView, NodeView

_ML = "ai.onnx.ml"
_FORWARDS = {
    "Identity": 0,
    "Cast": 0,
    "Reshape": 0,
    "Squeeze": 0,
    "Flatten": 0,
    f"{_ML}.ArrayFeatureExtractor": 1,
}
"""Ops between a choice and an output, with the operand that carries the choice."""


def network_outputs(graph: GraphView) -> tuple[str, ...]:
    """Return the values that the graph computes, each once; a single one is the rule."""
    return tuple(dict.fromkeys(_before_tail(graph, name) for name in graph.outputs))


def _before_tail(graph: GraphView, output: str) -> str:
    answer = position = output
    seen: set[str] = set()
    while position in graph.producers and position not in seen:
        seen.add(position)
        node = graph.producers[position]
        operand = _FORWARDS.get(node.type, 0)
        if len(node.inputs) <= operand:
            break
        if node.type == f"{_ML}.LinearClassifier":
            if position == node.outputs[0] and len(node.outputs) > 1:
                answer = node.outputs[1]
            break
        if _chooses(node) or _keeps_probabilities(graph, node.index):
            answer = node.inputs[0]
        elif node.type not in _FORWARDS:
            break
        position = node.inputs[operand]
    return _without_identity(graph, answer)


def _chooses(node: NodeView) -> bool:
    """Say whether a node chooses the best class, or names the classes."""
    axis = node.integer("axis", 0) in (1, -1)
    return node.type == f"{_ML}.ZipMap" or (node.type == "ArgMax" and axis)


def _keeps_probabilities(graph: GraphView, index: int) -> bool:
    """Say whether a node divides probabilities, which sum to 1 already, by their sum."""
    node = graph.nodes[index]
    if node.type != f"{_ML}.Normalizer" or node.word("norm") != "L1":
        return False
    before = graph.producers.get(_without_identity(graph, node.inputs[0]))
    return before is not None and (
        before.type == "Softmax" or before.word("post_transform") == "SOFTMAX"
    )


def _without_identity(graph: GraphView, name: str) -> str:
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        node = graph.producers.get(name)
        if node is not None and node.type == "Identity" and node.inputs:
            name = node.inputs[0]
    return name
