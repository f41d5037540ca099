"""Where the parts of a program stand in the kernels' arrays, and tables of integers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hebbite.runtime.engines.native.plan import Long
from hebbite.runtime.engines.native.weights import Form, Held


@dataclass
class Layout:
    """Where things stand: registers and lines in ``memory``, tensors in a store, groups in ``due``;
    of a plastic group the first line in ``tx`` and the first neuron in ``ty``, and its tags.

    ``weight``: where every tensor stands, in each form in which a group holds it.
    """

    memory: dict[tuple[str, str], int] = field(default_factory=dict)
    weight: dict[Form, Held] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    plastic: dict[str, tuple[int, int]] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    outputs: dict[tuple[str, str], int] = field(default_factory=dict)


def table(rows: Iterable[Iterable[int]], columns: int) -> Long:
    """Return rows as an int64 table, C-contiguous also if there are none."""
    return np.array([list(row) for row in rows], np.int64).reshape(-1, columns)
