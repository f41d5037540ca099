"""Averages over windows of an image, each channel by itself:

    y[c, v, u] = 1/N sum_ij x[c, sy v + dy i - top, sx u + dx j - left]

i < kh, j < kw of ``kernel`` (kh, kw); stride, padding and dilation as in
`hebbite.compiler.ops.window`. N = kh kw with ``count_padding=1``; by default N is how many pixels
of the image itself the window sees. ONNX writes it as AveragePool, over one axis or two, as
GlobalAveragePool, or as ReduceMean over all axes of the image.

On a chip it is a population of its own, reached by synapses of one weight w for each channel alone:
one more step a sample, and for every message as many synaptic operations as windows see its line,
one where windows do not overlap. The next op keeps its size; taken into it, the pool would cost kh
kw times its synapses. The units add and shift: with the weight w = 2 floor(2^k / (2 kh kw)), the
payload is floor(w sum / 2^k), k the largest for which w fits a chip's weight, at most 15 for the 24
bits of v, so that a window has at most 2^14 pixels. It stays within the range of the payloads that
come in; the part 1 - w kh kw / 2^k < 2 kh kw / 2^k of that range that is not used is known to the
scale, so the only error is that of the floor, below one payload. Payloads with a sign are halved by
a table after a shift by k - 1, and rounded to the nearest.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal
from hebbite.compiler.ops.window import (
    NAMES,
    Attributes,
    Window,
    emit_window,
    kernel_of,
    onnx_window,
    pooled,
    window_of,
)


def _shape(call: Call) -> tuple[Shape, ...]:
    if call.integer("count_padding", 0) not in (0, 1):
        raise Refusal("'count_padding' is 0 or 1")
    return (pooled(call),)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    window = window_of(call, kernel_of(call))
    total = window.patches(arrays[0]).sum(axis=(-2, -1))
    if call.integer("count_padding", 0):
        return (total / np.prod(window.kernel),)
    seen = window.patches(np.ones((1, 1, *arrays[0].shape[2:]))).sum(axis=(-2, -1))
    return (total / seen,)


def _from_average_pool(node: OnnxNode) -> tuple[Emit, ...]:
    kernel = node.attributes.get("kernel_shape", ())
    if not isinstance(kernel, tuple) or not all(isinstance(k, int) and k >= 1 for k in kernel):
        raise Refusal(f"{node.type} needs a kernel_shape of integers of at least 1")
    window = onnx_window(node, tuple(int(k) for k in kernel))
    if node.integer("ceil_mode", 0):
        _same_as_floor(node, window)
    attributes: Attributes = {"kernel": window.kernel}
    if node.integer("count_include_pad", 0) and any(window.padding):
        attributes["count_padding"] = 1
    channels = node.data(0).shape[0]
    return emit_window(node, "avg_pool2d", window, attributes, channels=channels)


def _same_as_floor(node: OnnxNode, window: Window) -> None:
    """Refuse ceil_mode where it adds a window that hangs over the edge."""
    image = (1, *node.data(0).shape[1:])[-2:]
    top, left, bottom, right = window.padding
    padded = image[0] + top + bottom, image[1] + left + right
    if any((n - r) % s for n, r, s in zip(padded, window.reach, window.stride, strict=True)):
        what = f"{node.type} with ceil_mode=1 adds windows that hang over the edge of the image"
        raise Refusal(what, hint="ceil_mode=0, or strides that fit the image")


def _from_global_average_pool(node: OnnxNode) -> tuple[Emit, ...]:
    channels, *image = node.data(0).shape
    if len(image) not in (1, 2):
        raise Refusal(f"GlobalAveragePool over {len(image)} axes", hint="one axis or two")
    window = Window((1, image[0]) if len(image) == 1 else (image[0], image[1]))
    return emit_window(node, "avg_pool2d", window, {"kernel": window.kernel}, channels=channels)


def _from_reduce_mean(node: OnnxNode) -> tuple[Emit, ...]:
    rank, axes = 1 + len(node.data(0).shape), node.attributes.get("axes")
    if axes is None:
        operand = node.constant(1, "axes")
        axes = () if operand is None else tuple(operand.reshape(-1).tolist())
    whole = (tuple(range(2, rank)), tuple(range(2 - rank, 0)))
    if not isinstance(axes, tuple) or tuple(sorted(axes)) not in whole:
        what = f"{node.type} over the axes {axes} of data {list(node.data(0).shape)}"
        raise Refusal(what, hint="a mean over the whole image of each channel")
    pooled = _from_global_average_pool(node)
    keeps = node.integer("keepdims", 1)
    return pooled if keeps else (*pooled, Emit("flatten", operands=(-1,)))


AVG_POOL2D = Op(
    name="avg_pool2d",
    equation="y = mean of x over windows",
    shape=_shape,
    evaluate=_evaluate,
    required=("kernel",),
    optional=(*NAMES, "count_padding"),
    onnx={
        "AveragePool": _from_average_pool,
        "GlobalAveragePool": _from_global_average_pool,
        "ReduceMean": _from_reduce_mean,
    },
)
