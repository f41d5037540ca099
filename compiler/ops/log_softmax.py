"""Log-softmax: y_i = x_i - log(sum_j exp(x_j)), over the last axis.

As the last node of a network it is a head: `separate_head` takes it off for the objective.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import Call, FloatArray, Op, same_shape
from hebbite.compiler.ops.softmax import over_last_axis


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    shifted = arrays[0] - arrays[0].max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)),)


LOG_SOFTMAX = Op(
    name="log_softmax",
    equation="y_i = x_i - log(sum_j exp(x_j))",
    shape=same_shape,
    evaluate=_evaluate,
    onnx={"LogSoftmax": over_last_axis("log_softmax")},
)
