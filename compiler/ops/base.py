"""What an op is: equation, shape rule, float evaluation and ONNX import, one op a file.

An op file defines one `Op`; `hebbite.compiler.ops.OPS` lists them. Rules see a `Call` (attributes,
inputs, arrays) and answer with shapes or numbers; they raise `Refusal` where the call makes no
sense, and whoever called them adds the node and its origin.

The ONNX side is plain data as well: a rule takes an `OnnxNode`, whose operands are values (data)
or arrays (constants), and answers with a chain of `Emit`. So op files do not need the onnx package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.graph import KINDS, TIMES, Array, Attribute, Shape, TensorRef, Value

FloatArray = NDArray[np.float64]


class Refusal(Exception):
    """Why an op cannot be what a node says; becomes a `Problem` at the node."""

    def __init__(self, what: str, *, hint: str = "", code: str = "") -> None:
        """Keep the text, the mend, and a code other than the caller's own."""
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.code = code


@dataclass(frozen=True)
class Call:
    """A node as its op sees it: attributes, inputs and the arrays that attributes refer to."""

    attributes: Mapping[str, Attribute]
    inputs: tuple[Value, ...]
    tensors: Mapping[str, Array]

    def shape(self, name: str) -> Shape:
        """Return an attribute that is a list of sizes, each at least 1."""
        value = self.attributes.get(name)
        if not isinstance(value, tuple) or not all(length >= 1 for length in value):
            raise Refusal(f"'{name}' must be a list of sizes of at least 1, such as [28, 28]")
        return value

    def integer(self, name: str, default: int) -> int:
        """Return an attribute that is an integer."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise Refusal(f"'{name}' must be an integer")
        return value

    def word(self, name: str, default: str) -> str:
        """Return an attribute that is a word."""
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise Refusal(f"'{name}' must be a word")
        return value

    def tensor(self, name: str) -> Array | None:
        """Return the array that an attribute refers to, None if the attribute is absent."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if not isinstance(value, TensorRef):
            raise Refusal(f"'{name}' must name a tensor, such as @{name}")
        if value.name not in self.tensors:
            raise Refusal(f"there is no tensor {value}", hint="give the array in graph.tensors")
        return self.tensors[value.name]

    def numbers(self, name: str) -> FloatArray | None:
        """Return the array that an attribute refers to, as float64."""
        array = self.tensor(name)
        return None if array is None else np.asarray(array, dtype=np.float64)


OnnxAttribute = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
Operand = Value | Array | None


@dataclass(frozen=True)
class OnnxNode:
    """A node of an ONNX graph: each operand is data (`Value`), a constant (array) or left out."""

    type: str
    opset: int
    operands: tuple[Operand, ...]
    attributes: Mapping[str, OnnxAttribute] = field(default_factory=dict)

    def data(self, index: int) -> Value:
        """Return an operand that must be data."""
        operand = self.operand(index)
        if not isinstance(operand, Value):
            raise Refusal(f"{self.type} needs data as operand {index}, not a constant")
        return operand

    def operand(self, index: int) -> Operand:
        """Return an operand, None if it is left out."""
        return self.operands[index] if index < len(self.operands) else None

    def constant(self, index: int, name: str) -> Array | None:
        """Return an operand that must be constant or left out."""
        operand = self.operand(index)
        if isinstance(operand, Value):
            raise Refusal(f"{self.type} with a computed {name} has no counterpart here")
        return operand

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise Refusal(f"attribute '{name}' must be an integer")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a numeric attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int | float):
            raise Refusal(f"attribute '{name}' must be a number")
        return float(value)

    def word(self, name: str, default: str) -> str:
        """Return an attribute that is a word."""
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise Refusal(f"attribute '{name}' must be a word")
        return value

    def floats(self, name: str) -> FloatArray:
        """Return an attribute that is a list of numbers, empty if it is absent."""
        value = self.attributes.get(name, ())
        if not isinstance(value, tuple) or any(isinstance(item, str) for item in value):
            raise Refusal(f"attribute '{name}' must be a list of numbers")
        return np.asarray(value, dtype=np.float64)

    def axis(self, name: str, default: int, *, rank: int) -> int:
        """Return an axis in [0, rank) of the whole shape, batch axis included."""
        axis = self.integer(name, default)
        if not -rank <= axis < rank:
            raise Refusal(f"axis {axis} of a value with {rank} axes")
        return axis % rank


@dataclass(frozen=True)
class Emit:
    """One op of ours. ``operands`` are operands of the ONNX node; -1 is the op emitted before."""

    op: str
    attributes: Mapping[str, Attribute | Array] = field(default_factory=dict)
    operands: tuple[int, ...] = (0,)


OnnxRule = Callable[[OnnxNode], tuple[Emit, ...]]


@dataclass(frozen=True)
class Op:
    """An op of the architecture graph.

    ``shape`` gives the shape of each output, ``evaluate`` its numbers for a batch (axis 0).
    ``required`` and ``optional`` name the attributes. ``keeps_kind``: spikes stay spikes.
    ``onnx`` maps an ONNX op type (with its domain unless that is the standard one) to its rule.
    """

    name: str
    equation: str
    shape: Callable[[Call], tuple[Shape, ...]]
    evaluate: Callable[[Call, tuple[FloatArray, ...]], tuple[FloatArray, ...]]
    inputs: int = 1
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keeps_kind: bool = False
    onnx: Mapping[str, OnnxRule] = field(default_factory=dict)

    def infer(self, call: Call, names: tuple[str, ...]) -> tuple[Value, ...]:
        """Return the outputs of a call, named.

        Raises:
            Refusal: if inputs, attributes or arrays do not fit the op.
        """
        if len(call.inputs) != self.inputs:
            raise Refusal(f"{self.name} takes {self.inputs} inputs, not {len(call.inputs)}")
        for name in self.required:
            if name not in call.attributes:
                raise Refusal(f"{self.name} needs the attribute '{name}'")
        shapes = self.shape(call)
        if len(shapes) != len(names):
            raise Refusal(f"{self.name} has {len(shapes)} outputs, not {len(names)}")
        first = call.inputs[0].kind if self.keeps_kind and call.inputs else "real"
        kind = call.word("kind", first)
        stepped = any(value.time == "step" for value in call.inputs)
        time = call.word("time", "step" if stepped else "static")
        kinds = {known: known for known in KINDS}
        times = {known: known for known in TIMES}
        if kind not in kinds or time not in times:
            raise Refusal(f"kind is one of {', '.join(KINDS)}; time is one of {', '.join(TIMES)}")
        return tuple(
            Value(name, shape, kinds[kind], times[time])
            for name, shape in zip(names, shapes, strict=True)
        )


def same_shape(call: Call) -> tuple[Shape, ...]:
    """Shape rule of ops that work on each element."""
    return (call.inputs[0].shape,)


def one_to_one(name: str) -> OnnxRule:
    """ONNX rule of an op that has the same meaning on both sides."""

    def rule(node: OnnxNode) -> tuple[Emit, ...]:
        node.data(0)
        return (Emit(name),)

    return rule
