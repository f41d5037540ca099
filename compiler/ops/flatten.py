"""Flatten: all axes of a sample become one, the last axis running fastest."""

from __future__ import annotations

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    return ((call.inputs[0].size,),)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0].reshape(len(arrays[0]), -1),)


def _from_onnx(node: OnnxNode) -> tuple[Emit, ...]:
    whole = (1, *node.data(0).shape)
    rank = len(whole)
    axis = node.integer("axis", 1)
    if not -rank <= axis <= rank:
        raise Refusal(f"axis {axis} of a value with {rank} axes")
    axis = axis % rank if axis < 0 else axis
    if any(length != 1 for length in whole[:axis]):
        raise Refusal(f"Flatten with axis {axis} mixes data into the batch axis", hint="axis=1")
    return (Emit("flatten"),)


FLATTEN = Op(
    name="flatten",
    equation="y = x as one axis, row-major",
    shape=_shape,
    evaluate=_evaluate,
    keeps_kind=True,
    onnx={"Flatten": _from_onnx},
)
