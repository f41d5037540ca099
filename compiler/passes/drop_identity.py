"""Removes nodes that change nothing: identity, dropout, and reshapes to the shape that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from hebbite.compiler.graph import Graph, Node
from hebbite.compiler.passes.base import Pass


@dataclass(frozen=True)
class DropIdentity(Pass):
    """Every reader of such a node reads the node's input instead."""

    name: ClassVar[str] = "drop_identity"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph without nodes that change nothing."""
        values = graph.values
        dropped: dict[str, str] = {}
        for node in graph.nodes:
            if node.op in ("identity", "dropout") or (
                node.op in ("reshape", "flatten")
                and values[node.inputs[0]].shape == node.outputs[0].shape
            ):
                dropped[node.outputs[0].name] = node.inputs[0]
        nodes = tuple(
            replace(node, inputs=_follow(node.inputs, dropped))
            for node in graph.nodes
            if not _is_dropped(node, dropped)
        )
        return replace(graph, nodes=nodes, outputs=_follow(graph.outputs, dropped))


def _is_dropped(node: Node, dropped: dict[str, str]) -> bool:
    return any(value.name in dropped for value in node.outputs)


def _follow(names: tuple[str, ...], dropped: dict[str, str]) -> tuple[str, ...]:
    followed = []
    for name in names:
        while name in dropped:
            name = dropped[name]
        followed.append(name)
    return tuple(followed)
