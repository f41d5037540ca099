"""Sum of two values of one shape: y = a + b. A sum with a constant is the op `scale`."""

from __future__ import annotations

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, FloatArray, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    one, two = call.inputs
    if one.shape != two.shape:
        raise Refusal(f"cannot add {one.type} and {two.type}")
    return (one.shape,)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0] + arrays[1],)


ADD = Op(name="add", equation="y = a + b", shape=_shape, evaluate=_evaluate, inputs=2)
