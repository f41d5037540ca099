"""What a pass is, and the one place that runs passes.

A pass takes a graph that verifies and returns a graph that verifies. It is a frozen dataclass whose
fields are its options.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_verify import verify
from hebbite.rules.errors import VerifyError


class Pass(ABC):
    """One rewriting of a graph."""

    name: ClassVar[str]

    @abstractmethod
    def apply(self, graph: Graph) -> Graph:
        """Return the rewritten graph; a pass applied twice does what it does once."""


def run_passes(
    graph: Graph,
    passes: Iterable[Pass],
    *,
    after: Callable[[str, Graph], None] | None = None,
) -> Graph:
    """Run passes in order, verifying before the first and after each.

    ``after`` is called with the name of each pass and the graph that it left.

    Raises:
        VerifyError: if the graph is broken; the text names the pass that broke it.
    """
    verify(graph)
    for each in passes:
        graph = each.apply(graph)
        try:
            verify(graph)
        except VerifyError as error:
            named = (replace(p, what=f"after pass '{each.name}': {p.what}") for p in error.problems)
            raise VerifyError(*named) from error
        if after is not None:
            after(each.name, graph)
    return graph
