"""Scale: y = s x + b on each element, s and b of the shape of x; one of them may be left out.

It carries sums and products with constants, sklearn's scalers and batch normalisation at inference
(Ioffe & Szegedy 2015, arXiv 1502.03167). `merge_scale` folds it into a neighbouring linear op.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Array, Shape, Value
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    shape = call.inputs[0].shape
    arrays = [call.tensor(name) for name in ("scale", "bias")]
    if all(array is None for array in arrays):
        raise Refusal("scale needs the attribute 'scale', 'bias' or both")
    for array in arrays:
        if array is not None and array.shape != shape:
            raise Refusal(f"a scale or bias {list(array.shape)} cannot act on {list(shape)}")
    return (shape,)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    scale, bias, result = call.numbers("scale"), call.numbers("bias"), arrays[0]
    result = result if scale is None else result * scale
    return (result if bias is None else result + bias,)


def _operands(node: OnnxNode) -> tuple[int, Value, FloatArray]:
    """Return the place of the data, the data, and the constant in the shape of the data."""
    place = 0 if isinstance(node.operand(0), Value) else 1
    value, constant = node.data(place), node.operand(1 - place)
    if not isinstance(constant, np.ndarray):
        raise Refusal(f"{node.type} of two computed values has no counterpart here")
    return place, value, _spread(constant, value)


def _spread(constant: Array, value: Value) -> FloatArray:
    whole = (1, *value.shape)
    numbers = np.asarray(constant, dtype=np.float64)
    try:
        wide = np.broadcast_shapes(numbers.shape, whole) != whole
    except ValueError as error:
        what = f"a constant {list(constant.shape)} cannot be spread over data {list(whole)}"
        raise Refusal(what) from error
    if wide:
        raise Refusal(f"a constant {list(constant.shape)} would widen data {list(whole)}")
    spread: FloatArray = np.broadcast_to(numbers, whole)[0]
    return spread


def _from_add(node: OnnxNode) -> tuple[Emit, ...]:
    if len(node.operands) == 2 and all(isinstance(operand, Value) for operand in node.operands):
        return (Emit("add", operands=(0, 1)),)
    place, _, bias = _operands(node)
    return (Emit("scale", {"bias": bias}, operands=(place,)),)


def _from_sub(node: OnnxNode) -> tuple[Emit, ...]:
    place, value, constant = _operands(node)
    if place == 0:
        return (Emit("scale", {"bias": -constant}),)
    return (Emit("scale", {"scale": -np.ones(value.shape), "bias": constant}, operands=(1,)),)


def _from_mul(node: OnnxNode) -> tuple[Emit, ...]:
    place, _, scale = _operands(node)
    return (Emit("scale", {"scale": scale}, operands=(place,)),)


def _from_div(node: OnnxNode) -> tuple[Emit, ...]:
    place, _, divisor = _operands(node)
    if place == 1 or not divisor.all():
        raise Refusal("Div by data or by 0 has no counterpart here")
    return (Emit("scale", {"scale": 1.0 / divisor}),)


def _from_scaler(node: OnnxNode) -> tuple[Emit, ...]:
    value = node.data(0)
    scale = _spread(node.floats("scale"), value)
    return (
        Emit("scale", {"scale": scale, "bias": -scale * _spread(node.floats("offset"), value)}),
    )


def _from_batch_normalization(node: OnnxNode) -> tuple[Emit, ...]:
    value = node.data(0)
    names = ("scale", "B", "mean", "var")
    columns = [node.constant(index, name) for index, name in enumerate(names, 1)]
    if node.integer("training_mode", 0) or not value.shape:
        raise Refusal("BatchNormalization depends on the batch here", hint="export in eval mode")
    if any(column is None or column.shape != value.shape[:1] for column in columns):
        raise Refusal(f"BatchNormalization needs {value.shape[0]} constants a parameter")
    size = (1, value.shape[0], *(1 for _ in value.shape[1:]))
    gain, shift, mean, variance = (
        _spread(column.reshape(size), value) for column in columns if column is not None
    )
    with np.errstate(all="ignore"):
        scale = gain / np.sqrt(variance + node.number("epsilon", 1e-5))
        return (Emit("scale", {"scale": scale, "bias": shift - mean * scale}),)


SCALE = Op(
    name="scale",
    equation="y = s x + b, on each element",
    shape=_shape,
    evaluate=_evaluate,
    optional=("scale", "bias"),
    onnx={
        "Add": _from_add,
        "Sub": _from_sub,
        "Mul": _from_mul,
        "Div": _from_div,
        "BatchNormalization": _from_batch_normalization,
        "ai.onnx.ml.Scaler": _from_scaler,
    },
)
