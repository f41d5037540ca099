"""Builds a graph node by node; shapes, kinds and times are computed as it grows.

build = GraphBuilder("mlp")
image = build.add("input", name="image", attributes={"shape": (64,)})
fc1 = build.add("linear", (image,), name="fc1", attributes={"weight": w1, "bias": b1})
graph = build.graph(outputs=(fc1,))
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hebbite.compiler.graph import (
    Array,
    Attribute,
    Graph,
    Node,
    TensorRef,
    Value,
    unique_name,
)
from hebbite.compiler.ops import OPS, Call, Refusal
from hebbite.rules.errors import Problem, UsageError, VerifyError, near


class GraphBuilder:
    """A graph under construction."""

    def __init__(self, name: str) -> None:
        """Begin a graph of that name."""
        self.name = name
        self.values: dict[str, Value] = {}
        self._nodes: list[Node] = []
        self._tensors: dict[str, Array] = {}

    def add(
        self,
        op: str,
        inputs: tuple[str, ...] = (),
        *,
        name: str = "",
        attributes: Mapping[str, Attribute | Array] | None = None,
        origin: str = "",
    ) -> str:
        """Add a node with one output and return the output's name.

        ``name`` is wished for; a taken one gets a number. An array among the attributes becomes
        the tensor ``<name>.<attribute>``.

        Raises:
            UsageError: HB0301 for an unknown op, HB0302 for an unknown input.
            VerifyError: HB0304 if inputs or attributes do not fit the op.
        """
        if op not in OPS:
            raise UsageError(Problem("HB0301", f"unknown op '{op}'", hint=near(op, OPS)))
        for wanted in inputs:
            if wanted not in self.values:
                raise UsageError(Problem("HB0302", f"%{wanted} is not defined", origin=origin))
        try:
            return self.add_or_refuse(op, inputs, name=name, attributes=attributes, origin=origin)
        except Refusal as refusal:
            raise VerifyError(
                Problem("HB0304", refusal.what, at=op, origin=origin, hint=refusal.hint)
            ) from refusal

    def add_or_refuse(
        self,
        op: str,
        inputs: tuple[str, ...] = (),
        *,
        name: str = "",
        attributes: Mapping[str, Attribute | Array] | None = None,
        origin: str = "",
    ) -> str:
        """Do as `add`, for names that are known, and raise `Refusal` where a node cannot be."""
        name = unique_name(name or op, self.values)
        given = {key: _tensor_name(name, key, value) for key, value in (attributes or {}).items()}
        arrays = {
            f"{name}.{key}": value
            for key, value in (attributes or {}).items()
            if isinstance(value, np.ndarray)
        }
        call = Call(given, tuple(self.values[wanted] for wanted in inputs), arrays)
        outputs = OPS[op].infer(call, (name,))
        self._nodes.append(Node(op, inputs, outputs, tuple(given.items()), origin))
        self._tensors.update(arrays)
        self.values[name] = outputs[0]
        return name

    def graph(self, outputs: tuple[str, ...], *, head: str = "") -> Graph:
        """Return the graph that has been built; `verify` judges it."""
        return Graph(self.name, tuple(self._nodes), self._tensors, outputs, head)


def _tensor_name(name: str, key: str, value: Attribute | Array) -> Attribute:
    return TensorRef(f"{name}.{key}") if isinstance(value, np.ndarray) else value
