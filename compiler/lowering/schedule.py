"""The time table of a sample, computed by longest path; nobody chooses it.

A payload reaches depth d at offset d + 1: the input sends at 1, every connection takes its delay.
With D the depth of the output, the error stands at D + 1, direct feedback arrives at D + 2, layered
feedback one step later a layer down, and the sample ends when the last population has its error.
Rules that compare two passes through the network have one such table after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

Edge = tuple[str, str, int]
"""(from, to, delay in steps)"""


@dataclass(frozen=True)
class Pass:
    """``fire`` and ``feedback``: offset of every population in one pass through the network."""

    fire: dict[str, int]
    feedback: dict[str, int]


@dataclass(frozen=True)
class TimeTable:
    """The last pass of a sample, those ``earlier`` in order, and ``period`` steps a sample."""

    fire: dict[str, int]
    feedback: dict[str, int]
    period: int
    earlier: tuple[Pass, ...] = ()


def time_table(
    *,
    source: str,
    forward: Iterable[Edge],
    output: str,
    feedback: Iterable[Edge],
    passes: int = 1,
    told: Iterable[str] = (),
) -> TimeTable:
    """Return when everything happens.

    ``forward`` edges lead from the source to the output, ``feedback`` edges from a population whose
    error is known (the output) to those that wait for it. Both are acyclic. Of several ``passes``
    one begins when the output of the one before it has fired. Populations that are ``told`` the
    target by the host hear it in the step in which the output fires.
    """
    forward, feedback, told = list(forward), list(feedback), list(told)
    made: list[Pass] = []
    start = 1
    for _ in range(passes):
        fire = _longest(source, start, forward)
        back = _longest(output, fire[output], feedback)
        del back[output]
        back |= dict.fromkeys(told, fire[output])
        made.append(Pass(fire, back))
        start = fire[output] + 1
    *earlier, last = made
    period = max([*last.fire.values(), *last.feedback.values()])
    return TimeTable(last.fire, last.feedback, period, tuple(earlier))


def _longest(start: str, at: int, edges: Iterable[Edge]) -> dict[str, int]:
    graph = nx.DiGraph()
    graph.add_node(start)
    graph.add_weighted_edges_from(edges)
    reached = {start: at}
    for node in nx.topological_sort(graph):
        if node not in reached:
            continue
        for _, after, delay in graph.out_edges(node, data="weight"):
            reached[after] = max(reached.get(after, 0), reached[node] + delay)
    return reached
