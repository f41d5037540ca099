"""Rectifier: y = max(x, 0), on each element."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import Call, FloatArray, Op, one_to_one, same_shape


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (np.maximum(arrays[0], 0.0),)


RELU = Op(
    name="relu",
    equation="y = max(x, 0)",
    shape=same_shape,
    evaluate=_evaluate,
    onnx={"Relu": one_to_one("relu")},
)
