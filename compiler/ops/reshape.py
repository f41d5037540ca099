"""Reshape: the same elements in the same (row-major) order under other axes.

``shape`` is the new shape of a sample, without the batch axis. A reshape to one axis in an ONNX
file is imported as `flatten`.
"""

from __future__ import annotations

import numpy as np

from hebbite.compiler.graph import Array, Shape
from hebbite.compiler.ops.base import Call, Emit, FloatArray, OnnxNode, Op, Refusal


def _shape(call: Call) -> tuple[Shape, ...]:
    shape = call.shape("shape")
    if _count(shape) != call.inputs[0].size:
        raise Refusal(f"{call.inputs[0].size} elements do not fill the shape {list(shape)}")
    return (shape,)


def _evaluate(call: Call, arrays: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return (arrays[0].reshape(len(arrays[0]), *call.shape("shape")),)


def _from_reshape(node: OnnxNode) -> tuple[Emit, ...]:
    whole = (1, *node.data(0).shape)
    wanted = _integers(node.constant(1, "shape"), "shape")
    keep_zero = bool(node.integer("allowzero", 0))
    return _emit(_resolve(whole, wanted, keep_zero=keep_zero))


def _from_squeeze(node: OnnxNode) -> tuple[Emit, ...]:
    whole = (1, *node.data(0).shape)
    given = _axes(node)
    if given is None:
        raise Refusal("Squeeze without axes would drop the batch axis", hint="name the axes")
    axes = _normal(given, rank=len(whole))
    if any(whole[axis] != 1 for axis in axes):
        raise Refusal(f"Squeeze of axes {sorted(axes)} of the shape {list(whole)}")
    return _emit(tuple(length for axis, length in enumerate(whole) if axis not in axes))


def _from_unsqueeze(node: OnnxNode) -> tuple[Emit, ...]:
    whole = [1, *node.data(0).shape]
    given = _axes(node)
    if not given:
        raise Refusal("Unsqueeze needs axes")
    for axis in sorted(_normal(given, rank=len(whole) + len(given))):
        whole.insert(axis, 1)
    return _emit(tuple(whole))


def _emit(whole: Shape) -> tuple[Emit, ...]:
    if not whole or whole[0] != 1:
        raise Refusal(
            f"the result has the shape {list(whole)}, where the batch axis is gone",
            hint="keep axis 0 as the batch",
        )
    return (Emit("flatten") if len(whole) == 2 else Emit("reshape", {"shape": whole[1:]}),)


def _resolve(whole: Shape, wanted: tuple[int, ...], *, keep_zero: bool) -> Shape:
    """Return the shape that ONNX means: 0 copies a length, one -1 is computed."""
    if not keep_zero and any(w == 0 for w in wanted[len(whole) :]):
        raise Refusal(f"shape {list(wanted)} copies an axis that {list(whole)} has not")
    if not keep_zero:
        wanted = tuple(whole[axis] if w == 0 else w for axis, w in enumerate(wanted))
    known = _count(tuple(w for w in wanted if w != -1))
    bad = wanted.count(-1) > 1 or any(w < -1 or w == 0 for w in wanted)
    if bad or _count(whole) % known or (-1 not in wanted and known != _count(whole)):
        raise Refusal(f"{_count(whole)} elements do not fill the shape {list(wanted)}")
    return tuple(_count(whole) // known if w == -1 else w for w in wanted)


def _axes(node: OnnxNode) -> tuple[int, ...] | None:
    attribute = node.attributes.get("axes")
    if attribute is not None:
        return _integers(np.asarray(attribute), "axes")
    operand = node.constant(1, "axes")
    return None if operand is None else _integers(operand, "axes")


def _normal(axes: tuple[int, ...], *, rank: int) -> frozenset[int]:
    normal = frozenset(axis % rank for axis in axes)
    if any(not -rank <= axis < rank for axis in axes) or len(normal) != len(axes):
        raise Refusal(f"axes {list(axes)} of a value with {rank} axes")
    return normal


def _integers(array: Array | None, name: str) -> tuple[int, ...]:
    if array is None or array.ndim != 1 or array.dtype.kind not in "iu" or array.size > 32:
        raise Refusal(f"'{name}' must be a list of integers")
    return tuple(int(item) for item in array.tolist())


def _count(shape: Shape) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


RESHAPE = Op(
    name="reshape",
    equation="y = x under other axes, row-major",
    shape=_shape,
    evaluate=_evaluate,
    required=("shape",),
    keeps_kind=True,
    onnx={"Reshape": _from_reshape, "Squeeze": _from_squeeze, "Unsqueeze": _from_unsqueeze},
)
