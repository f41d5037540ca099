"""Dropout, a device of training in floating point: at inference y = x.

Nothing is dropped here; the `drop_identity` pass removes the node.
Srivastava et al. 2014, J. Mach. Learn. Res. 15, 1929-1958.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal, same_shape


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0],)


def _from_onnx(node: OnnxNode) -> tuple[Emit, ...]:
    node.data(0)
    training = node.constant(2, "training_mode")
    if training is not None and np.any(training):
        raise Refusal("Dropout drops at random here", hint="export the model in evaluation mode")
    return (Emit("dropout"),)


DROPOUT = Op(
    name="dropout",
    equation="y = x (at inference)",
    shape=same_shape,
    evaluate=_evaluate,
    keeps_kind=True,
    onnx={"Dropout": _from_onnx},
)
