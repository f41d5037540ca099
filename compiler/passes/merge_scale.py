"""Folds ``scale`` into the neighbouring linear op, and pushes it through flatten and reshape.

    W (s x + b) + c  =  (W diag(s)) x + (W b + c)
    s (W x + b) + c  =  (diag(s) W) x + (s b + c)

The arithmetic is float64; a merged array has the type of the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hebbite.compiler.graph import Array, Graph, Node
from hebbite.compiler.passes.base import Pass
from hebbite.compiler.passes.rewriting import (
    arrays_of,
    numbers,
    pairs,
    replaced,
    stored,
    typed,
)


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
    for node, reader in pairs(graph):
        if (node.op == "scale" and reader.op in ("linear", "flatten", "reshape", "scale")) or (
            node.op == "linear" and reader.op == "scale"
        ):
            return node, reader
    return None


def _rewrite(graph: Graph, first: Node, second: Node) -> Graph:
    if second.op in ("flatten", "reshape"):
        return _swap(graph, first, second)
    one, two = arrays_of(graph, first), arrays_of(graph, second)
    if second.op == "linear":
        merged, keep = _before(one, two), second
    else:
        merged, keep = _after(one, two), first
    name = keep.outputs[0].name
    tensors, attributes = stored(graph, name, merged, (first, second))
    node = Node(
        keep.op, first.inputs, (replace(second.outputs[0], name=name),), attributes, keep.origin
    )
    return replaced(graph, (first, second), (node,), tensors, {second.outputs[0].name: name})


def _before(scale: dict[str, Array], linear: dict[str, Array]) -> dict[str, Array]:
    """Scale, then linear."""
    weight, dtype = numbers(linear["weight"]), linear["weight"].dtype
    merged = {"weight": weight * numbers(scale["scale"]) if "scale" in scale else weight}
    if "bias" in scale:
        merged["bias"] = weight @ numbers(scale["bias"])
    if "bias" in linear:
        merged["bias"] = merged.get("bias", np.zeros(())) + numbers(linear["bias"])
    return {key: typed(array, dtype) for key, array in merged.items()}


def _after(first: dict[str, Array], scale: dict[str, Array]) -> dict[str, Array]:
    """Linear or scale, then scale."""
    key = "weight" if "weight" in first else "scale"
    dtype = next(iter(first.values())).dtype
    merged = {name: numbers(array) for name, array in first.items()}
    if "scale" in scale:
        factor = numbers(scale["scale"])
        across = factor.reshape(-1, 1) if key == "weight" else factor
        merged[key] = merged[key] * across if key in merged else factor
        if "bias" in merged:
            merged["bias"] = merged["bias"] * factor
    if "bias" in scale:
        merged["bias"] = merged.get("bias", np.zeros(())) + numbers(scale["bias"])
    return {name: typed(array, dtype) for name, array in merged.items()}


def _swap(graph: Graph, scale: Node, reshape: Node) -> Graph:
    """Scale then reshape becomes reshape then scale."""
    inner, outer = scale.outputs[0], reshape.outputs[0]
    arrays = {key: array.reshape(outer.shape) for key, array in arrays_of(graph, scale).items()}
    tensors, attributes = stored(graph, inner.name, arrays, (scale, reshape))
    first = replace(reshape, inputs=scale.inputs)
    second = Node(
        "scale", (outer.name,), (replace(outer, name=inner.name),), attributes, scale.origin
    )
    first = replace(first, outputs=(replace(outer, kind=graph.values[scale.inputs[0]].kind),))
    return replaced(graph, (scale, reshape), (first, second), tensors, {outer.name: inner.name})
