"""Convolution of an image (cross-correlation, as ONNX and PyTorch do), zeros around it:

    y[k, v, u] = b[k] + sum_cij W[k, c, i, j] x[C/g h(k) + c, sy v + dy i - top, sx u + dx j - left]

x (C, H, W), weight (K, C/g, kh, kw), bias (K,), y (K, OH, OW); stride (sy, sx), padding (top, left,
bottom, right), dilation (dy, dx), h(k) = floor(k g / K) the group of output channel k. See
`hebbite.compiler.ops.window` for OH and OW. ONNX writes it as Conv, with one axis (an image of
height 1) or two.

On a chip it is one group of synapses that share their weights: each position of each channel is a
neuron, and every message of a line costs as many synaptic operations as there are positions that
see it, K/g kh kw at most; one step a layer, as a linear op takes. Shared weights cannot learn.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal
from hebbite.compiler.ops.window import (
    NAMES,
    Attributes,
    emit_window,
    image_of,
    onnx_window,
    window_of,
)

AT_ONCE = 2**23
"""Numbers that are multiplied at once: 64 MB, whatever the number of samples."""


def _shape(call: Call) -> tuple[Shape, ...]:
    weight, bias, groups = call.tensor("weight"), call.tensor("bias"), call.integer("groups", 1)
    channels, height, width = image_of(call)
    if weight is None or weight.ndim != 4 or not weight.size:
        raise Refusal("'weight' must have four axes (K, C/groups, kh, kw), none of them empty")
    made, read = weight.shape[:2]
    if groups < 1 or made % groups or read * groups != channels:
        what = f"a weight {list(weight.shape)} in {groups} groups cannot read {channels} channels"
        raise Refusal(what, hint="K and C are multiples of 'groups'")
    if bias is not None and bias.shape != (made,):
        raise Refusal(f"a bias {list(bias.shape)} does not fit {made} channels")
    return ((made, *window_of(call, weight.shape[2:]).positions(height, width)),)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    weight, bias, groups = call.numbers("weight"), call.numbers("bias"), call.integer("groups", 1)
    assert weight is not None, "verified: conv2d has a weight"
    patches = window_of(call, weight.shape[2:]).patches(arrays[0])
    product = correlate(patches, weight, groups=groups)
    return (product if bias is None else product + bias[:, None, None],)


def correlate(patches: FloatArray, weight: FloatArray, *, groups: int) -> FloatArray:
    """Return sum over (c, i, j) of patches (n, C, OH, OW, kh, kw) with weight (K, C/g, kh, kw)."""
    samples, channels, height, width, kh, kw = patches.shape
    shared = weight.reshape(groups, -1, *weight.shape[1:])
    whole = np.empty((samples, len(weight), height, width))
    some = max(1, AT_ONCE // (channels * height * width * kh * kw))
    for first in range(0, samples, some):
        seen = patches[first : first + some]
        seen = seen.reshape(len(seen), groups, channels // groups, height, width, kh, kw)
        part = np.einsum("ngcyxij,gkcij->ngkyx", seen, shared, optimize=True)
        whole[first : first + some] = part.reshape(-1, *whole.shape[1:])
    return whole


def _from_conv(node: OnnxNode) -> tuple[Emit, ...]:
    weight, bias = node.constant(1, "W"), node.constant(2, "B")
    if weight is None or weight.ndim not in (3, 4):
        axes = "no constant" if weight is None else f"{weight.ndim} axes"
        raise Refusal(f"Conv with a weight of {axes}", hint="Conv over one axis or two")
    kernel = weight.shape[2:]
    if node.attributes.get("kernel_shape", kernel) != kernel:
        raise Refusal(f"kernel_shape differs from that of the weight, {list(kernel)}")
    shared = weight.reshape(*weight.shape[:2], 1, -1) if weight.ndim == 3 else weight
    attributes: Attributes = {"weight": shared}
    if bias is not None:
        attributes["bias"] = bias
    if node.integer("group", 1) != 1:
        attributes["groups"] = node.integer("group", 1)
    window = onnx_window(node, kernel)
    return emit_window(node, "conv2d", window, attributes, channels=len(weight))


CONV2D = Op(
    name="conv2d",
    equation="y = W * x + b, a cross-correlation",
    shape=_shape,
    evaluate=_evaluate,
    required=("weight",),
    optional=("bias", *NAMES, "groups"),
    onnx={"Conv": _from_conv},
)
