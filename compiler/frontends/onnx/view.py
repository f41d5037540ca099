"""A read-only view of an ONNX graph: names as text, attributes as plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import onnx

from hebbite.compiler.ops.base import OnnxAttribute, Refusal

_STANDARD_DOMAINS = ("", "ai.onnx")
_A = onnx.AttributeProto


@dataclass(frozen=True)
class NodeView:
    """One node: ``type`` carries its domain unless that is the standard one."""

    index: int
    type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    proto: onnx.NodeProto

    def origin(self, file: str) -> str:
        """Return the place for error messages, such as ``mlp.onnx, node '/fc1/Gemm'``."""
        label = f"node '{self.name}'" if self.name else f"node {self.index} ({self.type})"
        return f"{file}, {label}"

    def attributes(self) -> dict[str, OnnxAttribute]:
        """Return the plain attributes; tensors and graphs are left out.

        Raises:
            Refusal: if an attribute refers to one of a surrounding function.
        """
        plain: dict[str, OnnxAttribute] = {}
        for attribute in self.proto.attribute:
            if attribute.ref_attr_name:
                raise Refusal(f"attribute '{attribute.name}' belongs to a function")
            value = _plain(attribute)
            if value is not None:
                plain[attribute.name] = value
        return plain

    def word(self, name: str) -> str:
        """Return a text attribute, "" if there is none."""
        for attribute in self.proto.attribute:
            if attribute.name == name and attribute.type == _A.STRING:
                return _text(attribute.s)
        return ""

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        for attribute in self.proto.attribute:
            if attribute.name == name and attribute.type == _A.INT:
                return int(attribute.i)
        return default


@dataclass(frozen=True)
class GraphView:
    """The nodes of the main graph, who computes each value, and which values are read."""

    nodes: tuple[NodeView, ...]
    outputs: tuple[str, ...]
    producers: dict[str, NodeView]
    read: frozenset[str]
    repeated: tuple[str, ...]
    opsets: dict[str, frozenset[int]]

    def needed(self, names: tuple[str, ...]) -> tuple[NodeView, ...]:
        """Return the nodes that some values depend on, in the order of the file."""
        found: set[int] = set()
        waiting = list(names)
        while waiting:
            node = self.producers.get(waiting.pop())
            if node is not None and node.index not in found:
                found.add(node.index)
                waiting += node.inputs
        return tuple(self.nodes[index] for index in sorted(found))


def view(model: onnx.ModelProto) -> GraphView:
    """Return the view of a model's main graph."""
    nodes = tuple(_node(index, proto) for index, proto in enumerate(model.graph.node))
    count = Counter(name for node in nodes for name in node.outputs if name)
    opsets: dict[str, set[int]] = {}
    for entry in model.opset_import:
        opsets.setdefault(_domain(entry.domain), set()).add(entry.version)
    return GraphView(
        nodes,
        tuple(str(output.name) for output in model.graph.output),
        {name: node for node in nodes for name in node.outputs if name},
        frozenset(name for node in nodes for name in node.inputs),
        tuple(name for name, times in count.items() if times > 1),
        {domain: frozenset(versions) for domain, versions in opsets.items()},
    )


def _node(index: int, proto: onnx.NodeProto) -> NodeView:
    domain = _domain(proto.domain)
    return NodeView(
        index,
        f"{domain}.{proto.op_type}" if domain else str(proto.op_type),
        domain,
        str(proto.name),
        tuple(map(str, proto.input)),
        tuple(map(str, proto.output)),
        proto,
    )


def _domain(domain: str) -> str:
    return "" if domain in _STANDARD_DOMAINS else str(domain)


def _plain(attribute: onnx.AttributeProto) -> OnnxAttribute | None:
    if attribute.type == _A.FLOAT:
        return float(attribute.f)
    if attribute.type == _A.INT:
        return int(attribute.i)
    if attribute.type == _A.STRING:
        return _text(attribute.s)
    if attribute.type == _A.FLOATS:
        return tuple(float(item) for item in attribute.floats)
    if attribute.type == _A.INTS:
        return tuple(int(item) for item in attribute.ints)
    if attribute.type == _A.STRINGS:
        return tuple(_text(item) for item in attribute.strings)
    return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
