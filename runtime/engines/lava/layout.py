"""Where each register stands in the rows that Lava's processes write while they run.

In: a program. Out: for every source and population a `Layout` of one row a step. Why: the child
writes by it, the caller reads by it, and neither has to tell the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.types import Population, Source
from hebbite.runtime.engines.lava.arrays import Array

Long = NDArray[np.int64]
GROUP_TRACES = ("x1", "x2", "y1", "y2", "y3")


@dataclass(frozen=True)
class Layout:
    """Columns of a row: (register, number of columns), in order."""

    columns: tuple[tuple[str, int], ...]

    @property
    def width(self) -> int:
        """Number of integers in a row."""
        return sum(size for _, size in self.columns)

    def slices(self) -> dict[str, slice]:
        """Return register -> its columns."""
        found, start = {}, 0
        for name, size in self.columns:
            found[name] = slice(start, start + size)
            start += size
        return found

    def put(self, row: Array, registers: Mapping[str, Array]) -> None:
        """Write registers into one row; what is left out keeps its zeros."""
        slices = self.slices()
        for name, value in registers.items():
            row[slices[name]] = value

    def split(self, rows: Array) -> dict[str, Long]:
        """Return register -> int64 array (rows, columns)."""
        return {name: rows[:, part].astype(np.int64) for name, part in self.slices().items()}


def source_layout(source: Source) -> Layout:
    """Return the layout of a source: the lines that it sends."""
    return Layout((("s", source.lines),))


def population_layout(population: Population) -> Layout:
    """Return the layout of a population: every register; s with its bias line."""
    sizes = {"s": population.lines}
    names = population.neuron.registers
    return Layout(tuple((name, sizes.get(name, population.size)) for name in names))


def trace_layout(post: int, lines: int) -> Layout:
    """Return the layout of a plastic group's traces, one row a learning epoch."""
    return Layout(tuple((name, lines if name[0] == "x" else post) for name in GROUP_TRACES))
