"""Hyperbolic tangent: y = tanh(x) in (-1, 1), on each element."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import Call, FloatArray, Op, one_to_one, same_shape


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (np.tanh(arrays[0]),)


TANH = Op(
    name="tanh",
    equation="y = tanh(x)",
    shape=same_shape,
    evaluate=_evaluate,
    onnx={"Tanh": one_to_one("tanh")},
)
