"""The constants of an ONNX graph: initializers, Constant nodes, and what follows from them alone.

Computing uses the reference evaluator of the onnx package, for a short list of ops whose result is
bounded before they run.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping

import numpy as np
import onnx

from hebbite.compiler.frontends.onnx.limits import Limits
from hebbite.compiler.frontends.onnx.tensors import TYPES, TensorError, TensorReader
from hebbite.compiler.frontends.onnx.view import NodeView
from hebbite.compiler.graph import Array
from hebbite.compiler.ops.base import Refusal

_BINARY = ("Add", "Sub", "Mul", "Div")
_UNARY = ("Identity", "Neg", "Sqrt", "Reciprocal")
_MOVES = ("Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Concat")
FOLDABLE = frozenset((*_BINARY, *_UNARY, *_MOVES, "Gather", "Constant", "Shape"))
_FAILURES = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)


class Constants:
    """Every constant by name; initializers are read when they are first asked for."""

    def __init__(self, model: onnx.ModelProto, reader: TensorReader, limits: Limits) -> None:
        """Note where constants stand; nothing is read yet."""
        self._reader = reader
        self._limits = limits
        self._initializers = {str(tensor.name): tensor for tensor in model.graph.initializer}
        self._sparse = {str(tensor.values.name) for tensor in model.graph.sparse_initializer}
        self._arrays: dict[str, Array] = {}

    def __contains__(self, name: object) -> bool:
        """Say whether a name stands for a constant."""
        return name in self._arrays or name in self._initializers or name in self._sparse

    def get(self, name: str) -> Array:
        """Return a constant.

        Raises:
            TensorError: if the initializer is damaged, dangerous or too large.
        """
        if name in self._sparse:
            raise TensorError(f"the constant '{name}' is sparse", hint="store it densely")
        if name not in self._arrays:
            self._arrays[name] = self._reader.read(self._initializers[name])
        return self._arrays[name]

    def define(self, name: str, array: Array) -> None:
        """Add a constant that has been computed."""
        self._arrays[name] = array

    def from_node(self, node: NodeView) -> Array:
        """Return the value of a Constant node.

        Raises:
            Refusal: if it holds no numbers.
            TensorError: if its tensor is damaged.
        """
        for attribute in node.proto.attribute:
            if attribute.name == "value" and attribute.HasField("t"):
                return self._reader.read(attribute.t)
        plain = node.attributes()
        for name, dtype in (("value_float", np.float32), ("value_int", np.int64)):
            value = plain.get(name, plain.get(f"{name}s"))
            if isinstance(value, int | float | tuple) and "" not in (value, *np.ravel(value)):
                return np.array(value, dtype=dtype)
        raise Refusal("a Constant that holds no numbers")

    def fold(self, node: NodeView, opset: int) -> Array:
        """Return what a node computes from constants.

        Raises:
            Refusal: if it cannot be computed, or is larger than ``limits.folded``.
            TensorError: if an operand is damaged.
        """
        arrays = {name: self.get(name) for name in node.inputs if name}
        bound = _bound(node, [arrays[name] for name in node.inputs if name])
        if bound > self._limits.folded:
            raise Refusal(f"a constant of up to {bound} elements; limit {self._limits.folded}")
        result = _run(node, opset, arrays)
        if result.dtype.kind not in "fiub":
            raise Refusal(f"a constant of type {result.dtype} has no use here")
        self._reader.count(result.shape)
        return result


def _bound(node: NodeView, arrays: list[Array]) -> int:
    """Return an upper bound of the number of elements of the result."""
    if not arrays:
        raise Refusal(f"{node.type} without operands")
    if node.type == "Cast" and node.attributes().get("to") not in TYPES:
        raise Refusal("a constant is cast to a type that is not read")
    if node.type in _BINARY:
        try:
            return math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
        except ValueError as error:
            raise Refusal(f"{node.type} of constants whose shapes do not fit") from error
    if node.type == "Gather":
        return math.prod(max(array.size, 1) for array in arrays)
    if len(arrays) > 1 and node.type == "Concat":
        return sum(array.size for array in arrays)
    return arrays[0].size


def _run(node: NodeView, opset: int, arrays: Mapping[str, Array]) -> Array:
    from onnx.reference import ReferenceEvaluator  # costs 0.1 s, and few models fold

    helper = onnx.helper
    names = dict.fromkeys(name for name in node.inputs if name)
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(arrays[name].dtype), None
        )
        for name in names
    ]
    output = helper.make_tensor_value_info(node.outputs[0], onnx.TensorProto.UNDEFINED, None)
    graph = helper.make_graph([node.proto], "fold", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            (result,) = ReferenceEvaluator(model).run(None, dict(arrays))
    except _FAILURES as error:
        raise Refusal(f"{node.type} of these constants cannot be computed: {error}") from error
    return np.asarray(result)
