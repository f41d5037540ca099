"""Graphs that are written for one sample as a column, turned into rows: y^T instead of y.

Models made by hand often compute y = W x + b with x of shape (size, 1): there is no batch axis, or
it is the last one. A model comes in; the same nodes go out with every column transposed, so that
axis 0 is the batch, and the reason of each node that mixes columns with what is no column:

    Gemm(W, x, C)        -> Gemm(x, W, transB = 1 - transA, C^T)     W x = (x^T W^T)^T
    Gemm(x, B), transA=1 -> Gemm(x, B), transA=0                     a column is read as a row
    MatMul(W, x)         -> Gemm(x, W, transB=1)
    Gemm(W, x), transB=1 -> a row x becomes a column here

Nodes keep their number and name. An input (size, 1) is a column only where a node reads it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx

from hebbite.compiler.ops.base import Refusal

_UNARY = ("Relu", "Sigmoid", "Tanh", "Identity", "Dropout", "Cast")
_BINARY = ("Add", "Sub", "Mul", "Div")
_A = onnx.AttributeProto
MIXED = "a column of one sample meets what is no column, which would mix samples"


@dataclass(frozen=True)
class Turned:
    """A model of rows, and why nodes (by number) cannot be turned."""

    model: onnx.ModelProto
    refused: Mapping[int, str]


def as_rows(model: onnx.ModelProto) -> Turned:
    """Return the model with its columns as rows; the model itself where there are none."""
    constants = _constants(model.graph)
    inputs = {v.name: v for v in model.graph.input if v.name not in constants}
    columns = {name for name, value in inputs.items() if _is_column(value)}
    columns &= {n.input[i] for n in model.graph.node for i in _column_operands(n, constants)}
    turns = any(_turns_a_row(node, constants) for node in model.graph.node)
    if not columns and not turns:
        return Turned(model, {})
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    work = _Work(copy, constants, set(columns))
    for value in copy.graph.input:
        if value.name in columns:
            dims = value.type.tensor_type.shape.dim
            size = dims[0].dim_value
            dims[0].dim_value, dims[1].dim_value = 1, size
    for index, node in enumerate(copy.graph.node):
        try:
            work.turn(node)
        except Refusal as refusal:
            work.refused[index] = refusal.what
    return Turned(copy, work.refused)


def _constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Return every constant whose shape stands in the file."""
    found = {str(tensor.name): tensor for tensor in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value" and len(node.output) == 1:
                found[str(node.output[0])] = attribute.t
    return found


def _is_column(value: onnx.ValueInfoProto) -> bool:
    """Say whether an input has the shape (size, 1), size above 1."""
    dims = value.type.tensor_type.shape.dim
    return len(dims) == 2 and dims[0].dim_value > 1 and dims[1].dim_value == 1


def _column_operands(
    node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]
) -> tuple[int, ...]:
    """Return the operands that a node can read as columns and not as rows."""
    if node.domain not in ("", "ai.onnx") or len(node.input) < 2:
        return ()
    if node.op_type == "Gemm" and _flag(node, "transA") and node.input[0] not in constants:
        return (0,)
    if node.op_type == "Gemm" and node.input[0] in constants and not _flag(node, "transB"):
        return (1,)
    weight = constants.get(node.input[0])
    return (1,) if node.op_type == "MatMul" and weight and len(weight.dims) == 2 else ()


def _turns_a_row(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> bool:
    """Say whether a node computes a column from a row: Gemm(W, x) with transB=1."""
    known = node.op_type == "Gemm" and len(node.input) > 1 and node.input[0] in constants
    return known and node.input[1] not in constants and bool(_flag(node, "transB"))


def _flag(node: onnx.NodeProto, name: str) -> int:
    return next((int(a.i) for a in node.attribute if a.name == name and a.type == _A.INT), 0)


@dataclass
class _Work:
    """A model while it is turned; ``columns`` are the values that stand transposed by now."""

    model: onnx.ModelProto
    constants: Mapping[str, onnx.TensorProto]
    columns: set[str]
    refused: dict[int, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note every name that a new constant must not have."""
        self.names |= {str(tensor.name) for tensor in self.model.graph.initializer}
        self.names |= {str(value.name) for value in self.model.graph.input}
        self.names |= {str(name) for node in self.model.graph.node for name in node.output}

    def turn(self, node: onnx.NodeProto) -> None:
        """Turn one node, if columns come in or go out.

        Raises:
            Refusal: if it takes columns for something else.
        """
        given = [name in self.columns for name in node.input]
        standard = node.domain in ("", "ai.onnx")
        if not (any(given) or (standard and _turns_a_row(node, self.constants))):
            return
        if not node.output:
            raise Refusal(f"{node.op_type} without an output")
        if standard and node.op_type == "Gemm" and len(given) > 1:
            self._gemm(node, given)
        elif standard and node.op_type == "MatMul" and given == [False, True]:
            self._matmul(node)
        elif standard and node.op_type in _UNARY and given[0]:
            self.columns.add(node.output[0])
        elif standard and node.op_type in _BINARY and len(given) == 2:
            for index in (0, 1):
                if not given[index]:
                    node.input[index] = self._row_of(node.input[index])
            self.columns.add(node.output[0])
        elif standard and node.op_type in ("Softmax", "LogSoftmax"):
            self._softmax(node)
        elif standard and node.op_type == "Flatten" and _flag_or(node, "axis", 1) == 0:
            _set(node, "axis", 1)  # (size, 1) to (1, size): a row already
        else:
            raise Refusal(f"{node.op_type}: {MIXED}")

    def _gemm(self, node: onnx.NodeProto, given: list[bool]) -> None:
        left, right, *further = given
        bias = node.input[2] if len(node.input) > 2 else ""
        if left and not right and _flag(node, "transA"):  # x^T B + C is a row
            if any(further):
                raise Refusal(f"Gemm: {MIXED}")
            _set(node, "transA", 0)
            return
        if left or node.input[0] not in self.constants or right == bool(_flag(node, "transB")):
            raise Refusal(f"Gemm: {MIXED}")
        if bias and not any(further):
            node.input[2] = self._row_of(bias)
        node.input[0], node.input[1] = node.input[1], node.input[0]
        _set(node, "transB", 1 - _flag(node, "transA"))
        _set(node, "transA", 0)
        self.columns.add(node.output[0])

    def _matmul(self, node: onnx.NodeProto) -> None:
        weight = self.constants.get(node.input[0])
        if weight is None or len(weight.dims) != 2:
            raise Refusal(f"MatMul: {MIXED}")
        node.op_type = "Gemm"
        node.input[0], node.input[1] = node.input[1], node.input[0]
        zero = self._add(onnx.helper.make_tensor("", onnx.TensorProto.FLOAT, [1], [0.0]))
        node.input.append(zero)  # the oldest opsets want one
        _set(node, "transB", 1)
        self.columns.add(node.output[0])

    def _softmax(self, node: onnx.NodeProto) -> None:
        if _flag_or(node, "axis", -1) not in (0, -2):
            raise Refusal(f"{node.op_type} along the axis of samples of a column")
        _set(node, "axis", 1)
        self.columns.add(node.output[0])

    def _row_of(self, name: str) -> str:
        """Return the name of a constant (size, 1) as (1, size); one number stays as it is."""
        constant = self.constants.get(name)
        shape = tuple(constant.dims) if constant is not None else (0,)
        if constant is None or shape[1:] not in ((), (1,)) or (len(shape) == 1 and shape != (1,)):
            raise Refusal(f"beside a column stands '{name}', which is no constant (size, 1)")
        if len(shape) < 2:
            return name
        row = onnx.TensorProto()
        row.CopyFrom(constant)  # one column after the other is the order of one row
        del row.dims[:]
        row.dims.extend((1, shape[0]))
        return self._add(row)

    def _add(self, tensor: onnx.TensorProto) -> str:
        number = len(self.model.graph.initializer)
        while f"row{number}" in self.names:
            number += 1
        tensor.name = f"row{number}"
        self.names.add(tensor.name)
        self.model.graph.initializer.append(tensor)
        return str(tensor.name)


def _flag_or(node: onnx.NodeProto, name: str, default: int) -> int:
    found = [int(a.i) for a in node.attribute if a.name == name and a.type == _A.INT]
    return found[0] if found else default


def _set(node: onnx.NodeProto, name: str, value: int) -> None:
    for attribute in node.attribute:
        if attribute.name == name:
            attribute.i = value
            return
    node.attribute.append(onnx.helper.make_attribute(name, value))
