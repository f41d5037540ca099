"""Folds ``scale`` into the convolution beside it: batch normalisation, and inputs brought to size.

    s (W * x + b) + c  =  (s W) * x + (s b + c)          s, c one number for each output channel
    W * (s x + c) + b  =  (W s) * x + (b + sum W c)      likewise for each input channel

The second needs c = 0 where zeros stand around the image, for these were never scaled. Between a
convolution and its scale may stand a reshape, which the scale then passes. The arithmetic is
float64; a merged array has the type of the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hebbite.compiler.graph import Array, Graph, Node, TensorRef
from hebbite.compiler.ops.base import FloatArray
from hebbite.compiler.passes.base import Pass
from hebbite.compiler.passes.rewriting import arrays_of, numbers, pairs, replaced, stored, typed


@dataclass(frozen=True)
class MergeConv(Pass):
    """A value that somebody else reads, or that is returned, is left as it is, and so is a scale
    that differs within a channel."""

    name: ClassVar[str] = "merge_conv"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph with every scale folded that can be folded."""
        for _ in range(len(graph.nodes) ** 2):
            merged = _once(graph)
            if merged is None:
                break
            graph = merged
        return graph


def _once(graph: Graph) -> Graph | None:
    """Return the graph with one scale folded or moved, None if there is none."""
    beside = pairs(graph)
    for first, second in beside:
        ops = first.op, second.op
        merged: dict[str, Array] | None = None
        if ops == ("conv2d", "scale"):
            merged, keep = _after(graph, first, second), first
        elif ops == ("scale", "conv2d"):
            merged, keep = _before(graph, first, second), second
        elif ops in (("reshape", "scale"), ("flatten", "scale")):
            conv = graph.producers[first.inputs[0]]
            if conv.op == "conv2d" and (conv, first) in beside:
                moved = _moved(graph, conv, first, second)
                if moved is not None:
                    return moved
        if merged is not None:
            return _rewrite(graph, (first, second), keep, merged)
    return None


def _after(graph: Graph, conv: Node, scale: Node) -> dict[str, Array] | None:
    """Return weight and bias of a convolution and the scale behind it as one."""
    factors = _channels(arrays_of(graph, scale), conv.outputs[0].shape[0])
    if factors is None:
        return None
    own = arrays_of(graph, conv)
    weight, dtype = numbers(own["weight"]), own["weight"].dtype
    gain = factors.get("scale", np.ones(len(weight)))
    merged = {"weight": weight * gain[:, None, None, None]}
    if "bias" in own or "bias" in factors:
        bias = numbers(own["bias"]) if "bias" in own else np.zeros(len(weight))
        merged["bias"] = bias * gain + factors.get("bias", 0.0)
    return {key: typed(array, dtype) for key, array in merged.items()}


def _before(graph: Graph, scale: Node, conv: Node) -> dict[str, Array] | None:
    """Return weight and bias of a scale and the convolution behind it as one."""
    channels = scale.outputs[0].shape[0]
    factors = _channels(arrays_of(graph, scale), channels)
    padding = conv.attribute("padding")
    padded = isinstance(padding, tuple) and any(padding)
    if factors is None or (padded and factors.get("bias", np.zeros(1)).any()):
        return None
    own = arrays_of(graph, conv)
    weight, dtype = numbers(own["weight"]), own["weight"].dtype
    per_group = channels // weight.shape[1]
    group = np.arange(len(weight)) * per_group // len(weight)
    read = group[:, None] * weight.shape[1] + np.arange(weight.shape[1])
    merged = {"weight": weight * factors.get("scale", np.ones(channels))[read][..., None, None]}
    bias = numbers(own["bias"]) if "bias" in own else np.zeros(len(weight))
    if "bias" in factors:
        bias = bias + np.einsum("kcij,kc->k", weight, factors["bias"][read])
    if "bias" in own or "bias" in factors:
        merged["bias"] = bias
    return {key: typed(array, dtype) for key, array in merged.items()}


def _channels(arrays: dict[str, Array], channels: int) -> dict[str, FloatArray] | None:
    """Return one number for each channel, None where an array differs within one."""
    flat = {key: numbers(array).reshape(channels, -1) for key, array in arrays.items()}
    if any(np.any(array != array[:, :1]) for array in flat.values()):
        return None
    return {key: array[:, 0] for key, array in flat.items()}


def _rewrite(graph: Graph, old: tuple[Node, Node], keep: Node, merged: dict[str, Array]) -> Graph:
    name = keep.outputs[0].name
    tensors, references = stored(graph, name, merged, old)
    further = tuple(pair for pair in keep.attributes if not isinstance(pair[1], TensorRef))
    node = replace(
        keep,
        inputs=old[0].inputs,
        outputs=(replace(old[1].outputs[0], name=name),),
        attributes=(*references, *further),
    )
    return replaced(graph, old, (node,), tensors, {old[1].outputs[0].name: name})


def _moved(graph: Graph, conv: Node, reshape: Node, scale: Node) -> Graph | None:
    """Return reshape then scale as scale then reshape, None if that would not be folded."""
    inner, outer = conv.outputs[0], reshape.outputs[0]
    arrays = {key: array.reshape(inner.shape) for key, array in arrays_of(graph, scale).items()}
    if _channels(arrays, inner.shape[0]) is None:
        return None
    last = scale.outputs[0]
    tensors, attributes = stored(graph, last.name, arrays, (reshape, scale))
    first = replace(
        scale,
        inputs=reshape.inputs,
        outputs=(replace(inner, name=last.name),),
        attributes=attributes,
    )
    second = replace(reshape, inputs=(last.name,), outputs=(outer,))
    return replaced(graph, (reshape, scale), (first, second), tensors, {last.name: outer.name})
