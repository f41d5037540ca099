"""Linear: y = W x + b, with W of shape (outputs, inputs) and b of shape (outputs,).

ONNX writes it as Gemm (alpha A B + beta C, B transposed or not; the front end has turned columns to
rows), as MatMul followed by Add
(the Add becomes `scale`, which `merge_scale` takes in), or as a linear model of ai.onnx.ml.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Array, Attribute, Shape, Value
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal

Attributes = dict[str, Attribute | Array]


def _shape(call: Call) -> tuple[Shape, ...]:
    value, weight, bias = call.inputs[0], call.tensor("weight"), call.tensor("bias")
    if weight is None or weight.ndim != 2 or not weight.size:
        raise Refusal("'weight' must have two axes (outputs, inputs), neither of them empty")
    if value.shape != (weight.shape[1],):
        hint = "flatten it first" if value.size == weight.shape[1] else ""
        raise Refusal(f"a weight {list(weight.shape)} cannot read {value.type}", hint=hint)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise Refusal(f"a bias {list(bias.shape)} does not fit a weight {list(weight.shape)}")
    return (weight.shape[:1],)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    weight, bias = call.numbers("weight"), call.numbers("bias")
    assert weight is not None, "verified: linear has a weight"
    product = arrays[0] @ weight.T
    return (product if bias is None else product + bias,)


def _from_gemm(node: OnnxNode) -> tuple[Emit, ...]:
    node.data(0)
    weight = node.constant(1, "B")
    if node.integer("transA", 0):
        what = "Gemm with transA=1 exchanges the batch axis with the data: samples would be mixed"
        raise Refusal(what, hint="transA=0, or an input (size, 1) for one sample as a column")
    if weight is None or weight.ndim != 2:
        raise Refusal("Gemm needs a constant matrix B")
    weight = weight if node.integer("transB", 0) else weight.T
    attributes: Attributes = {"weight": _times(weight, node.number("alpha", 1.0))}
    bias = node.operand(2)
    if isinstance(bias, Value):
        if node.number("beta", 1.0) != 1.0:
            raise Refusal("Gemm adds computed data with beta other than 1", hint="beta=1")
        return (Emit("linear", attributes), Emit("add", operands=(-1, 2)))
    if bias is not None:
        attributes["bias"] = _times(row(bias, len(weight)), node.number("beta", 1.0))
    return (Emit("linear", attributes),)


def _from_matmul(node: OnnxNode) -> tuple[Emit, ...]:
    left, right = node.operand(0), node.operand(1)
    if isinstance(left, Value) and isinstance(right, np.ndarray):
        if right.ndim != 2:
            raise Refusal(f"MatMul with a constant of shape {list(right.shape)}, not a matrix")
        return (Emit("linear", {"weight": right.T}),)
    if isinstance(left, np.ndarray) and isinstance(right, Value):
        return _column(left, right)
    raise Refusal("MatMul of two computed values is no linear op")


def _column(weight: Array, value: Value) -> tuple[Emit, ...]:
    """W x with x of shape (batch, inputs, 1)."""
    if weight.ndim != 2 or len(value.shape) != 2 or value.shape[1] != 1:
        raise Refusal("MatMul with the constant on the left needs data of shape (batch, size, 1)")
    return (
        Emit("flatten", operands=(1,)),
        Emit("linear", {"weight": weight}, operands=(-1,)),
        Emit("reshape", {"shape": (weight.shape[0], 1)}, operands=(-1,)),
    )


def _from_linear_model(node: OnnxNode) -> tuple[Emit, ...]:
    """LinearClassifier and LinearRegressor of ai.onnx.ml."""
    inputs = node.data(0).shape
    coefficients, intercepts = node.floats("coefficients"), node.floats("intercepts")
    rows = intercepts.size or node.integer("targets", 1)
    if len(inputs) != 1 or rows < 1 or coefficients.size != rows * inputs[0]:
        raise Refusal(f"{coefficients.size} coefficients do not map {list(inputs)} to {rows} rows")
    attributes: Attributes = {"weight": coefficients.reshape(rows, -1).astype(np.float32)}
    if intercepts.size:
        attributes["bias"] = intercepts.astype(np.float32)
    after = {"NONE": "", "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
    transform = node.word("post_transform", "NONE")
    if transform not in after:
        raise Refusal(f"post_transform {transform} has no counterpart here", hint="SOFTMAX")
    head = (Emit(after[transform], operands=(-1,)),) if after[transform] else ()
    return (Emit("linear", attributes), *head)


def row(bias: Array, size: int) -> Array:
    """Return a bias as one row: a scalar or (1,) is repeated, (1, size) loses its batch axis."""
    if bias.ndim > 2 or (bias.ndim == 2 and bias.shape[0] != 1):
        raise Refusal(f"a bias of shape {list(bias.shape)} differs within the batch")
    flat = bias.reshape(-1)
    if flat.size not in (1, size):
        raise Refusal(f"a bias of shape {list(bias.shape)} does not fit {size} outputs")
    return np.broadcast_to(flat, (size,))


def _times(array: Array, factor: float) -> Array:
    if factor == 1.0:
        return array
    with np.errstate(all="ignore"):
        return (np.asarray(array, dtype=np.float64) * factor).astype(array.dtype)


LINEAR = Op(
    name="linear",
    equation="y = W x + b",
    shape=_shape,
    evaluate=_evaluate,
    required=("weight",),
    optional=("bias",),
    onnx={
        "Gemm": _from_gemm,
        "MatMul": _from_matmul,
        "ai.onnx.ml.LinearClassifier": _from_linear_model,
        "ai.onnx.ml.LinearRegressor": _from_linear_model,
    },
)
