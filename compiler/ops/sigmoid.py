"""Logistic function: y = 1 / (1 + exp(-x)) in (0, 1), on each element.

It is computed as (1 + tanh(x / 2)) / 2, which is the same function and cannot overflow.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import Call, FloatArray, Op, one_to_one, same_shape


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (0.5 * (1.0 + np.tanh(0.5 * arrays[0])),)


SIGMOID = Op(
    name="sigmoid",
    equation="y = 1 / (1 + exp(-x))",
    shape=same_shape,
    evaluate=_evaluate,
    onnx={"Sigmoid": one_to_one("sigmoid")},
)
