"""Sums over windows of an image, each channel by itself, zeros around it:

    y[c, v, u] = sum_ij x[c, sy v + dy i - top, sx u + dx j - left]

i < kh, j < kw of ``kernel`` (kh, kw); stride, padding and dilation as in
`hebbite.compiler.ops.window`. NIR calls it SumPool2d; no op of ONNX is one.

On a chip it is what `avg_pool2d` is: the scale of payloads is kept beside the program, so that a
sum and an average differ in that scale alone.
"""

from __future__ import annotations

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, FloatArray, Op
from hebbite.compiler.ops.window import NAMES, kernel_of, pooled, window_of


def _shape(call: Call) -> tuple[Shape, ...]:
    return (pooled(call),)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (window_of(call, kernel_of(call)).patches(arrays[0]).sum(axis=(-2, -1)),)


SUM_POOL2D = Op(
    name="sum_pool2d",
    equation="y = sum of x over windows",
    shape=_shape,
    evaluate=_evaluate,
    required=("kernel",),
    optional=NAMES,
)
