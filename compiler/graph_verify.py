"""Says whether a graph obeys its own law, and lists every breach at once.

The law: every op is known; every value is defined once and every one read is defined; shapes,
kinds and times are what the op rules give; every array that is named exists and every number is
finite; a cycle passes a delay; something is returned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import networkx as nx
import numpy as np

from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.ops import OPS, Call, Op, Refusal
from hebbite.rules.errors import Problem, VerifyError, near

HEADS = ("softmax", "log_softmax", "sigmoid")


def verify(graph: Graph) -> None:
    """Return if the graph is sound.

    Raises:
        VerifyError: with every problem that `find_problems` found.
    """
    problems = find_problems(graph)
    if problems:
        raise VerifyError(*problems)


def find_problems(graph: Graph) -> tuple[Problem, ...]:
    """Return every breach of the law: HB0301 to HB0308."""
    values = graph.values
    return (
        *_names(graph),
        *(problem for node in graph.nodes for problem in _node(graph, node, values)),
        *_cycles(graph),
        *_tensors(graph),
        *_outputs(graph, values),
    )


def _names(graph: Graph) -> Iterator[Problem]:
    count = Counter(value.name for node in graph.nodes for value in node.outputs)
    for node in graph.nodes:
        for value in node.outputs:
            if count[value.name] > 1:
                yield _at(node, "HB0302", f"%{value.name} is defined {count[value.name]} times")


def _node(graph: Graph, node: Node, values: dict[str, Value]) -> Iterator[Problem]:
    op = OPS.get(node.op)
    if op is None:
        yield _at(node, "HB0301", f"unknown op '{node.op}'", hint=near(node.op, OPS))
        return
    missing = [name for name in node.inputs if name not in values]
    for name in missing:
        hint = near(name, values) if values else ""
        yield _at(node, "HB0302", f"%{name} is read and nowhere defined", hint=hint)
    yield from _attributes(node, op)
    if not missing:
        yield from _types(graph, node, op, values)


def _attributes(node: Node, op: Op) -> Iterator[Problem]:
    known = (*op.required, *op.optional)
    count = Counter(name for name, _ in node.attributes)
    for name, times in count.items():
        if name not in known:
            hint = near(name, known) if known else f"{op.name} takes no attributes"
            yield _at(node, "HB0303", f"{op.name} has no attribute '{name}'", hint=hint)
        elif times > 1:
            yield _at(node, "HB0303", f"the attribute '{name}' is given {times} times")


def _types(graph: Graph, node: Node, op: Op, values: dict[str, Value]) -> Iterator[Problem]:
    inputs = tuple(values[name] for name in node.inputs)
    call = Call(dict(node.attributes), inputs, graph.tensors)
    try:
        inferred = op.infer(call, tuple(value.name for value in node.outputs))
    except Refusal as refusal:
        yield _at(node, refusal.code or "HB0304", refusal.what, hint=refusal.hint)
        return
    for value, right in zip(node.outputs, inferred, strict=True):
        if value != right:
            yield _at(node, "HB0304", f"%{value.name} is {value.type}, but {op.name} gives "
                      f"{right.type}")  # fmt: skip


def _cycles(graph: Graph) -> Iterator[Problem]:
    digraph = graph.dependencies()
    for group in nx.strongly_connected_components(digraph):
        first = min(group)
        if len(group) > 1 or digraph.has_edge(first, first):
            names = ", ".join(graph.nodes[index].names for index in sorted(group))
            what = f"a cycle without delay: {names}"
            yield _at(graph.nodes[first], "HB0305", what, hint="put a delay {steps=1} into it")


def _tensors(graph: Graph) -> Iterator[Problem]:
    users = {
        value.name: node
        for node in reversed(graph.nodes)
        for _, value in node.attributes
        if isinstance(value, TensorRef)
    }
    for name, array in graph.tensors.items():
        at = str(users[name]) if name in users else f"@{name}"
        origin = users[name].origin if name in users else ""
        if array.dtype.kind not in "fiu":
            yield Problem("HB0306", f"@{name} holds {array.dtype}, not numbers", at, origin)
        elif not np.isfinite(array).all():
            count = int(array.size - np.isfinite(array).sum())
            what = f"@{name} holds {count} numbers that are NaN or infinite"
            yield Problem("HB0306", what, at, origin)


def _outputs(graph: Graph, values: dict[str, Value]) -> Iterator[Problem]:
    if not graph.outputs:
        yield Problem("HB0307", "the graph returns nothing", hint="end it by: return %name")
    for name in graph.outputs:
        if name not in values:
            yield Problem("HB0302", f"%{name} is returned and nowhere defined")
    if graph.head and graph.head not in HEADS:
        yield Problem("HB0308", f"unknown head '{graph.head}'", hint=near(graph.head, HEADS))


def _at(node: Node, code: str, what: str, *, hint: str = "") -> Problem:
    return Problem(code, what, at=str(node), origin=node.origin, hint=hint)
