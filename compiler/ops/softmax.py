"""Softmax: y_i = exp(x_i) / sum_j exp(x_j), over the last axis; y sums to 1.

As the last node of a network it is a head: `separate_head` takes it off for the objective.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import (
    Call,
    Emit,
    FloatArray,
    OnnxNode,
    OnnxRule,
    Op,
    Refusal,
    same_shape,
)

_LAST_AXIS_DEFAULT = 13
"""First opset whose softmax works on one axis, the last; before, it flattened the rest."""


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    powers = np.exp(arrays[0] - arrays[0].max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True),)


def over_last_axis(name: str) -> OnnxRule:
    """ONNX rule of softmax and log_softmax."""

    def rule(node: OnnxNode) -> tuple[Emit, ...]:
        rank = 1 + len(node.data(0).shape)
        default = -1 if node.opset >= _LAST_AXIS_DEFAULT else 1
        if rank < 2 or node.axis("axis", default, rank=rank) != rank - 1:
            raise Refusal(f"{node.type} over an axis that is not the last", hint="axis=-1")
        return (Emit(name),)

    return rule


SOFTMAX = Op(
    name="softmax",
    equation="y_i = exp(x_i) / sum_j exp(x_j)",
    shape=same_shape,
    evaluate=_evaluate,
    onnx={"Softmax": over_last_axis("softmax")},
)
