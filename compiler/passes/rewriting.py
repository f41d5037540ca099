"""Steps that passes share: two neighbouring nodes become others, with arrays of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hebbite.compiler.graph import Array, Attribute, Graph, Node, TensorRef, unique_name
from hebbite.compiler.ops.base import FloatArray


def pairs(graph: Graph) -> list[tuple[Node, Node]]:
    """Return every node with its reader, where it is the only one and the value is not returned."""
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    alone = ((node, readers.get(node.outputs[0].name, [])) for node in graph.nodes)
    return [
        (node, behind[0])
        for node, behind in alone
        if len(behind) == 1 and node.outputs[0].name not in graph.outputs
    ]


def replaced(
    graph: Graph,
    old: tuple[Node, Node],
    new: tuple[Node, ...],
    tensors: dict[str, Array],
    renamed: dict[str, str],
) -> Graph:
    """Put ``new`` where the second of ``old`` stood; later readers follow ``renamed``."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node is old[1]:
            nodes += new
        elif node is not old[0]:
            inputs = tuple(renamed.get(name, name) for name in node.inputs)
            nodes.append(replace(node, inputs=inputs))
    outputs = tuple(renamed.get(name, name) for name in graph.outputs)
    everything = {**graph.tensors, **tensors}
    used = {ref for node in nodes for ref in refs_of(node)}
    kept = {name: array for name, array in everything.items() if name in used}
    return replace(graph, nodes=tuple(nodes), tensors=kept, outputs=outputs)


def stored(
    graph: Graph, name: str, arrays: dict[str, Array], old: tuple[Node, Node]
) -> tuple[dict[str, Array], tuple[tuple[str, Attribute], ...]]:
    """Return tensors and attributes of a new node; arrays of other nodes keep their names."""
    taken = {ref for node in graph.nodes if node not in old for ref in refs_of(node)}
    names = {key: unique_name(f"{name}.{key}", taken) for key in arrays}
    tensors = {names[key]: array for key, array in arrays.items()}
    return tensors, tuple((key, TensorRef(names[key])) for key in arrays)


def refs_of(node: Node) -> tuple[str, ...]:
    """Return the names of the arrays of a node."""
    return tuple(value.name for _, value in node.attributes if isinstance(value, TensorRef))


def arrays_of(graph: Graph, node: Node) -> dict[str, Array]:
    """Return the arrays of a node by attribute."""
    return {
        key: graph.tensors[value.name]
        for key, value in node.attributes
        if isinstance(value, TensorRef)
    }


def numbers(array: Array) -> FloatArray:
    """Return an array as float64."""
    return np.asarray(array, dtype=np.float64)


def typed(array: FloatArray, dtype: np.dtype[np.generic]) -> Array:
    """Return an array as the type of a weight, float64 where that is none of real numbers."""
    with np.errstate(all="ignore"):
        return array.astype(dtype if dtype.kind == "f" else np.float64)
