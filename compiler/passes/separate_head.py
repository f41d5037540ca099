"""Takes the output function of a classifier off the graph and notes it as the graph's head.

Softmax, log-softmax or sigmoid at the end belongs to the objective: the cross-entropy of softmax(z)
is a function of z. The graph then returns z, and ``graph.head`` says what it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_verify import HEADS
from hebbite.compiler.passes.base import Pass


@dataclass(frozen=True)
class SeparateHead(Pass):
    """Only the last node of a graph with one output can be a head, and a sigmoid only after linear.

    A sigmoid elsewhere is an activation.
    """

    name: ClassVar[str] = "separate_head"

    def apply(self, graph: Graph) -> Graph:
        """Return the graph without its head, and with the head noted."""
        producers = graph.producers
        last = producers[graph.outputs[0]] if len(graph.outputs) == 1 else None
        if graph.head or last is None or last.op not in HEADS:
            return graph
        if last.op == "sigmoid" and producers[last.inputs[0]].op != "linear":
            return graph
        if graph.consumers(last.outputs[0].name):
            return graph
        nodes = tuple(node for node in graph.nodes if node is not last)
        return replace(graph, nodes=nodes, outputs=last.inputs, head=last.op)
