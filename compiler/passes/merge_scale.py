"""Folds ``scale`` into the neighbouring linear op, and pushes it through flatten and reshape.

    W (s x + b) + c  =  (W diag(s)) x + (W b + c)
    s (W x + b) + c  =  (diag(s) W) x + (s b + c)

The arithmetic is float64; a merged array has the type of the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hebbite.compiler.graph import Array, Attribute, Graph, Node, TensorRef, unique_name
from hebbite.compiler.ops.base import FloatArray
from hebbite.compiler.passes.base import Pass


@dataclass(frozen=True)
class MergeScale(Pass):
    """A value that somebody else reads, or that is returned, is left as it is."""

    name: ClassVar[str] = "merge_scale"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with every scale folded that can be folded."""
        for _ in range(len(graph.nodes) ** 2):
            pair = _find(graph)
            if pair is None:
                break
            graph = _rewrite(graph, *pair)
        return graph


def _find(graph: Graph) -> tuple[Node, Node] | None:
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    for node in graph.nodes:
        name = node.outputs[0].name
        if len(readers.get(name, ())) != 1 or name in graph.outputs:
            continue
        (reader,) = readers[name]
        if (node.op == "scale" and reader.op in ("linear", "flatten", "reshape", "scale")) or (
            node.op == "linear" and reader.op == "scale"
        ):
            return node, reader
    return None


def _rewrite(graph: Graph, first: Node, second: Node) -> Graph:
    if second.op in ("flatten", "reshape"):
        return _swap(graph, first, second)
    one, two = _arrays(graph, first), _arrays(graph, second)
    if second.op == "linear":
        merged, keep = _before(one, two), second
    else:
        merged, keep = _after(one, two), first
    name = keep.outputs[0].name
    tensors, attributes = _store(graph, name, merged, (first, second))
    node = Node(
        keep.op, first.inputs, (replace(second.outputs[0], name=name),), attributes, keep.origin
    )
    return _replace(graph, (first, second), (node,), tensors, {second.outputs[0].name: name})


def _before(scale: dict[str, Array], linear: dict[str, Array]) -> dict[str, Array]:
    """Scale, then linear."""
    weight, dtype = _numbers(linear["weight"]), linear["weight"].dtype
    merged = {"weight": weight * _numbers(scale["scale"]) if "scale" in scale else weight}
    if "bias" in scale:
        merged["bias"] = weight @ _numbers(scale["bias"])
    if "bias" in linear:
        merged["bias"] = merged.get("bias", np.zeros(())) + _numbers(linear["bias"])
    return {key: _as(array, dtype) for key, array in merged.items()}


def _after(first: dict[str, Array], scale: dict[str, Array]) -> dict[str, Array]:
    """Linear or scale, then scale."""
    key = "weight" if "weight" in first else "scale"
    dtype = next(iter(first.values())).dtype
    merged = {name: _numbers(array) for name, array in first.items()}
    if "scale" in scale:
        factor = _numbers(scale["scale"])
        across = factor.reshape(-1, 1) if key == "weight" else factor
        merged[key] = merged[key] * across if key in merged else factor
        if "bias" in merged:
            merged["bias"] = merged["bias"] * factor
    if "bias" in scale:
        merged["bias"] = merged.get("bias", np.zeros(())) + _numbers(scale["bias"])
    return {name: _as(array, dtype) for name, array in merged.items()}


def _swap(graph: Graph, scale: Node, reshape: Node) -> Graph:
    """Scale then reshape becomes reshape then scale."""
    inner, outer = scale.outputs[0], reshape.outputs[0]
    arrays = {key: array.reshape(outer.shape) for key, array in _arrays(graph, scale).items()}
    tensors, attributes = _store(graph, inner.name, arrays, (scale, reshape))
    first = replace(reshape, inputs=scale.inputs)
    second = Node(
        "scale", (outer.name,), (replace(outer, name=inner.name),), attributes, scale.origin
    )
    first = replace(first, outputs=(replace(outer, kind=graph.values[scale.inputs[0]].kind),))
    return _replace(graph, (scale, reshape), (first, second), tensors, {outer.name: inner.name})


def _replace(
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
    used = {ref for node in nodes for ref in _refs(node)}
    kept = {name: array for name, array in everything.items() if name in used}
    return replace(graph, nodes=tuple(nodes), tensors=kept, outputs=outputs)


def _store(
    graph: Graph, name: str, arrays: dict[str, Array], old: tuple[Node, Node]
) -> tuple[dict[str, Array], tuple[tuple[str, Attribute], ...]]:
    """Return tensors and attributes of a new node; arrays of other nodes keep their names."""
    taken = {ref for node in graph.nodes if node not in old for ref in _refs(node)}
    names = {key: unique_name(f"{name}.{key}", taken) for key in arrays}
    tensors = {names[key]: array for key, array in arrays.items()}
    return tensors, tuple((key, TensorRef(names[key])) for key in arrays)


def _refs(node: Node) -> tuple[str, ...]:
    return tuple(value.name for _, value in node.attributes if isinstance(value, TensorRef))


def _arrays(graph: Graph, node: Node) -> dict[str, Array]:
    return {
        key: graph.tensors[value.name]
        for key, value in node.attributes
        if isinstance(value, TensorRef)
    }


def _numbers(array: Array) -> FloatArray:
    return np.asarray(array, dtype=np.float64)


def _as(array: FloatArray, dtype: np.dtype[np.generic]) -> Array:
    with np.errstate(all="ignore"):
        return array.astype(dtype if dtype.kind == "f" else np.float64)
