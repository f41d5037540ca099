"""Identity: y = x. It carries casts between float types and names given to one value twice."""

from __future__ import annotations

from hebbite.compiler.ops.base import (
    Call,
    Emit,
    FloatArray,
    OnnxNode,
    Op,
    Refusal,
    one_to_one,
    same_shape,
)

_FLOAT, _DOUBLE = 1, 11


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0],)


def _from_cast(node: OnnxNode) -> tuple[Emit, ...]:
    node.data(0)
    if node.integer("to", 0) not in (_FLOAT, _DOUBLE):
        raise Refusal("data is cast to a type that rounds", hint="cast to float or double only")
    return (Emit("identity"),)


IDENTITY = Op(
    name="identity",
    equation="y = x",
    shape=same_shape,
    evaluate=_evaluate,
    keeps_kind=True,
    onnx={"Identity": one_to_one("identity"), "Cast": _from_cast},
)
