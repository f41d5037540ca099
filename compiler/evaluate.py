"""Runs a graph in float64: the meaning of a graph, for calibration and for tests.

Inputs of a batch of samples come in, every value goes out. There are no steps here: values are
static, and a graph with a cycle has no static value.
"""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx
import numpy as np

from hebbite.compiler.graph import Array, Graph, Node, Value
from hebbite.compiler.ops import OPS, Call
from hebbite.compiler.ops.base import FloatArray
from hebbite.rules.errors import Problem, UnsupportedError, UsageError, near


def evaluate(graph: Graph, inputs: Mapping[str, Array] | Array) -> dict[str, FloatArray]:
    """Return every value of a verified graph for a batch, by name.

    Args:
        graph: a graph that `verify` accepts.
        inputs: for each input an array (samples, *shape), or (samples, size); one array where the
            graph has one input.

    Raises:
        UsageError: HB0112 if the inputs do not fit the graph.
        UnsupportedError: HB0310 if the graph has a cycle.
    """
    results = _feed(graph, inputs)
    values = graph.values
    for node in _static_order(graph):
        if node.op == "input":
            continue
        call = Call(
            dict(node.attributes), tuple(values[name] for name in node.inputs), graph.tensors
        )
        arrays = OPS[node.op].evaluate(call, tuple(results[name] for name in node.inputs))
        results.update(zip((value.name for value in node.outputs), arrays, strict=True))
    return results


def _feed(graph: Graph, inputs: Mapping[str, Array] | Array) -> dict[str, FloatArray]:
    wanted = {value.name: value for value in graph.inputs}
    given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(wanted, inputs)
    if not isinstance(inputs, Mapping) and len(wanted) != 1:
        raise _misfit(
            f"the graph has {len(wanted)} inputs", hint="give a mapping from name to array"
        )
    for name in given:
        if name not in wanted:
            raise _misfit(f"the graph has no input '{name}'", hint=near(name, wanted))
    fed = {name: _batch(value, given.get(name)) for name, value in wanted.items()}
    if len({len(array) for array in fed.values()}) > 1:
        raise _misfit("the inputs differ in their number of samples")
    return fed


def _batch(value: Value, array: Array | None) -> FloatArray:
    if array is None:
        raise _misfit(f"no array for the input '{value.name}'")
    numbers = np.asarray(array, dtype=np.float64)
    if numbers.ndim < 1 or numbers.shape[1:] not in (value.shape, (value.size,)):
        expected = ", ".join(["samples", *map(str, value.shape)])
        raise _misfit(f"'{value.name}' has the shape {numbers.shape}, expected ({expected})")
    return numbers.reshape(len(numbers), *value.shape)


def _static_order(graph: Graph) -> list[Node]:
    where = {id(node): index for index, node in enumerate(graph.nodes)}
    digraph = graph.dependencies()
    producers = graph.producers
    digraph.add_edges_from(
        (where[id(producers[name])], where[id(node)])
        for node in graph.nodes
        if node.op == "delay"
        for name in node.inputs
    )
    try:
        return [graph.nodes[index] for index in nx.lexicographical_topological_sort(digraph)]
    except nx.NetworkXUnfeasible as error:
        what = "a graph with a cycle has no static values"
        raise UnsupportedError(Problem("HB0310", what, at=f"graph @{graph.name}")) from error


def _misfit(what: str, *, hint: str = "") -> UsageError:
    return UsageError(Problem("HB0112", what, hint=hint))
