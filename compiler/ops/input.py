"""What is fed from outside: data of one sample, or of one step where ``time=step``."""

from __future__ import annotations

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, FloatArray, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    return (call.shape("shape"),)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    raise Refusal("an input has no value of its own", hint="give its array by name")


INPUT = Op(
    name="input",
    equation="y = what is fed",
    shape=_shape,
    evaluate=_evaluate,
    inputs=0,
    required=("shape",),
    optional=("kind", "time"),
)
