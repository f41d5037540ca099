"""The architecture graph: what a front end gives and what passes rewrite.

A graph is a list of nodes in static single assignment: every value has one name and one producer.
Arrays stand in ``graph.tensors``; an attribute refers to them as ``@name``. Shapes are those of one
sample, the batch axis is not part of a graph. ``str(graph)`` prints what `parse` reads back:

    graph @mlp {
      %image  = input {shape=[64], kind=real}                  : real[64]
      %fc1    = linear(%image) {weight=@w1, bias=@b1}          : real[32]
      %hidden = relu(%fc1)                                     : real[32]
      %fc2    = linear(%hidden) {weight=@w2, bias=@b2}         : real[10]
      return %fc2 {head=softmax}
    }
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Kind = Literal["real", "spike", "graded"]
Time = Literal["static", "step"]
Shape = tuple[int, ...]
Array = NDArray[np.generic]
KINDS: tuple[Kind, ...] = get_args(Kind)
TIMES: tuple[Time, ...] = get_args(Time)
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
TENSOR_NAME = rf"{NAME}(?:\.{NAME})*"


@dataclass(frozen=True)
class TensorRef:
    """The name of an array of ``graph.tensors``, printed ``@name``."""

    name: str

    def __str__(self) -> str:
        """Return ``@name``."""
        return f"@{self.name}"


Attribute = int | float | str | tuple[int, ...] | TensorRef


@dataclass(frozen=True)
class Value:
    """What a node computes for one sample: its name, shape, kind, and when it changes.

    ``kind``: real numbers, binary spikes, or graded spikes (integer payloads).
    ``time``: one value a sample (static), or one value a step.
    """

    name: str
    shape: Shape
    kind: Kind = "real"
    time: Time = "static"

    @property
    def size(self) -> int:
        """Number of elements; Python integers, so it cannot overflow."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def type(self) -> str:
        """The type as text, such as ``real[32]`` or ``spike[32] per step``."""
        lengths = ", ".join(map(str, self.shape))
        return f"{self.kind}[{lengths}]" + (" per step" if self.time == "step" else "")


@dataclass(frozen=True)
class Node:
    """One op, its inputs by name, its outputs, and where it comes from.

    ``attributes`` are (name, value) pairs in the order in which they are printed. ``origin`` names
    the node of the user's own file.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[Value, ...]
    attributes: tuple[tuple[str, Attribute], ...] = ()
    origin: str = ""

    def attribute(self, name: str) -> Attribute | None:
        """Return the value of an attribute, None if it is absent."""
        return dict(self.attributes).get(name)

    @property
    def names(self) -> str:
        """The outputs as text, such as ``%fc1``."""
        return ", ".join(f"%{value.name}" for value in self.outputs)

    @property
    def call(self) -> str:
        """The op with its inputs and attributes as text."""
        inputs = f"({', '.join(f'%{name}' for name in self.inputs)})" if self.inputs else ""
        pairs = ", ".join(f"{name}={attribute_text(value)}" for name, value in self.attributes)
        return f"{self.op}{inputs}" + (f" {{{pairs}}}" if pairs else "")

    @property
    def types(self) -> str:
        """The types of the outputs as text."""
        return ", ".join(value.type for value in self.outputs)

    def __str__(self) -> str:
        """Return the node as one line."""
        return f"{self.names} = {self.call} : {self.types}"


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, arrays, the values that are returned, and the head that was taken off.

    ``tensors`` are copied and read-only. ``head`` is the function that the network applied to its
    output before an objective saw it: ``softmax``, ``log_softmax``, ``sigmoid`` or "" for none.
    """

    name: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Array] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    head: str = ""

    def __post_init__(self) -> None:
        """Copy the arrays that somebody else could change."""
        frozen = {name: _read_only(array) for name, array in self.tensors.items()}
        object.__setattr__(self, "tensors", MappingProxyType(frozen))

    def __eq__(self, other: object) -> bool:
        """Compare texts and arrays; arrays by type, shape and bits."""
        if not isinstance(other, Graph):
            return NotImplemented
        return self._key() == other._key() and all(
            _same(array, other.tensors[name]) for name, array in self.tensors.items()
        )

    def __hash__(self) -> int:
        """Hash everything but the contents of the arrays."""
        return hash(self._key())

    def __reduce__(self) -> tuple[object, ...]:
        """Copy by the constructor."""
        return (Graph, (self.name, self.nodes, dict(self.tensors), self.outputs, self.head))

    def _key(self) -> tuple[object, ...]:
        return (self.name, self.nodes, frozenset(self.tensors), self.outputs, self.head)

    @property
    def values(self) -> dict[str, Value]:
        """Every value by name."""
        return {value.name: value for node in self.nodes for value in node.outputs}

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The values that are fed from outside."""
        return tuple(node.outputs[0] for node in self.nodes if node.op == "input" and node.outputs)

    @property
    def producers(self) -> dict[str, Node]:
        """The node that computes each value."""
        return {value.name: node for node in self.nodes for value in node.outputs}

    def consumers(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that read a value."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def ordered(self) -> tuple[Node, ...]:
        """Return the nodes so that each stands after those it reads.

        A node that delays is read from the past and may stand before its input.

        Raises:
            networkx.NetworkXUnfeasible: on a cycle without delay; `verify` names its nodes.
        """
        order = nx.lexicographical_topological_sort(self.dependencies())
        return tuple(self.nodes[index] for index in order)

    def dependencies(self) -> nx.DiGraph:
        """Return the indices of the nodes with an edge from producer to reader, delays cut."""
        where = {v.name: index for index, node in enumerate(self.nodes) for v in node.outputs}
        digraph = nx.DiGraph()
        digraph.add_nodes_from(range(len(self.nodes)))
        digraph.add_edges_from(
            (where[name], index)
            for index, node in enumerate(self.nodes)
            if node.op != "delay"
            for name in node.inputs
            if name in where
        )
        return digraph

    def __str__(self) -> str:
        """Return the text of the graph; `parse` reads it back."""
        left = max((len(node.names) for node in self.nodes), default=0)
        middle = max((len(node.call) for node in self.nodes), default=0)
        lines = [f"graph @{self.name} {{"]
        for node in self.nodes:
            origin = f"  from {json.dumps(node.origin)}" if node.origin else ""
            lines.append(f"  {node.names:{left}} = {node.call:{middle}} : {node.types}{origin}")
        head = f" {{head={attribute_text(self.head)}}}" if self.head else ""
        outputs = ", ".join(f"%{name}" for name in self.outputs)
        return "\n".join([*lines, f"  return {outputs}".rstrip() + head, "}"])


def attribute_text(value: Attribute) -> str:
    """Return an attribute as text; a word that is no plain name is quoted."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, str) and (not re.fullmatch(NAME, value) or value in ("inf", "nan")):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)


def unique_name(wanted: str, taken: Iterable[str]) -> str:
    """Return ``wanted``, or ``wanted_2``, ``wanted_3`` ... where it is taken."""
    used = set(taken)
    name, count = wanted, 1
    while name in used:
        count += 1
        name = f"{wanted}_{count}"
    return name


def _read_only(array: Array) -> Array:
    if not array.flags.writeable and array.base is None:
        return array
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def _same(one: Array, two: Array) -> bool:
    return (one.dtype, one.shape) == (two.dtype, two.shape) and one.tobytes() == two.tobytes()
