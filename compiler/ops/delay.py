"""Delay: y(t) = x(t - steps), 0 before the first step. The only op that a cycle may pass through.

A value that does not change within a sample is the same after a delay, and that is what
`evaluate` computes.
"""

from __future__ import annotations

from hebbite.compiler.graph import Shape
from hebbite.compiler.ops.base import Call, FloatArray, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    if call.integer("steps", 0) < 1:
        raise Refusal("a delay takes at least 1 step", hint="{steps=1}")
    return (call.inputs[0].shape,)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0],)


DELAY = Op(
    name="delay",
    equation="y(t) = x(t - steps)",
    shape=_shape,
    evaluate=_evaluate,
    required=("steps",),
    keeps_kind=True,
)
