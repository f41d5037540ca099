"""The ops of the architecture graph, one a file. A new one needs its file and a line here."""

from __future__ import annotations

from hebbite.compiler.ops.add import ADD
from hebbite.compiler.ops.avg_pool2d import AVG_POOL2D
from hebbite.compiler.ops.base import Call, Emit, OnnxNode, OnnxRule, Op, Refusal
from hebbite.compiler.ops.conv2d import CONV2D
from hebbite.compiler.ops.delay import DELAY
from hebbite.compiler.ops.dropout import DROPOUT
from hebbite.compiler.ops.flatten import FLATTEN
from hebbite.compiler.ops.identity import IDENTITY
from hebbite.compiler.ops.input import INPUT
from hebbite.compiler.ops.linear import LINEAR
from hebbite.compiler.ops.log_softmax import LOG_SOFTMAX
from hebbite.compiler.ops.relu import RELU
from hebbite.compiler.ops.reshape import RESHAPE
from hebbite.compiler.ops.scale import SCALE
from hebbite.compiler.ops.sigmoid import SIGMOID
from hebbite.compiler.ops.softmax import SOFTMAX
from hebbite.compiler.ops.sum_pool2d import SUM_POOL2D
from hebbite.compiler.ops.tanh import TANH

__all__ = ["ONNX_RULES", "OPS", "Call", "Emit", "OnnxNode", "Op", "Refusal"]

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        ADD,
        AVG_POOL2D,
        CONV2D,
        DELAY,
        DROPOUT,
        FLATTEN,
        IDENTITY,
        INPUT,
        LINEAR,
        LOG_SOFTMAX,
        RELU,
        RESHAPE,
        SCALE,
        SIGMOID,
        SOFTMAX,
        SUM_POOL2D,
        TANH,
    )
}

ONNX_RULES: dict[str, OnnxRule] = {
    onnx_type: rule for op in OPS.values() for onnx_type, rule in op.onnx.items()
}
"""Rule of each ONNX op type; a domain other than the standard one stands before the type."""
