"""Lists and convolutions as tables: where synapses end, and the geometry of windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import Program, Synapses
from hebbite.runtime.engines.native.plan import (
    CONV,
    DENSE,
    SHAPE,
    SPARSE,
    SPARSE_WIDE,
    Long,
    Word,
)

Scalar = TypeVar("Scalar", bound=np.integer)

NARROW = 1 << 16
"""Neurons that a target of 16 bits can name."""
PART = 1 << 18
"""Synapses that are sorted at a time."""


@dataclass
class Connections:
    """What has been entered: starts, targets, ends and columns of lists, shapes; see `Plan`."""

    starts: list[Long] = field(default_factory=list)
    near: list[NDArray[np.uint16]] = field(default_factory=list)
    far: list[Word] = field(default_factory=list)
    ends: list[Long] = field(default_factory=list)
    columns: list[Word] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def enter(self, program: Program, group: Synapses, *, columns: bool) -> tuple[int, ...]:
        """Enter a group; return (kind, start of starts, of targets, of ends, of columns, shape).

        ``columns``: whether the columns of a list are asked for; they start at -1 if not.
        """
        connect = group.connect
        if isinstance(connect, Conv2d):
            self.shapes.append(_shape(program, group, connect))
            return CONV, 0, 0, 0, -1, len(self.shapes) - 1
        if not isinstance(connect, Sparse):
            return DENSE, 0, 0, 0, -1, 0
        post = program.post_size(group)
        targets, wide = program.tensors[connect.targets], post > NARROW
        parts: list[NDArray[np.integer]] = self.far if wide else self.near  # type: ignore[assignment]
        first = sum(part.size for part in parts)
        starts = sum(part.size for part in self.starts)
        ends = sum(part.size for part in self.ends)
        order = sum(part.size for part in self.columns) if columns else -1
        parts.append(targets.astype(np.int32 if wide else np.uint16))
        self.starts.append(program.tensors[connect.starts].astype(np.int64))
        degrees = np.bincount(targets, minlength=post)
        self.ends.append(np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64))
        if columns:
            self.columns.append(by_neuron(targets, self.ends[-1]))
        return SPARSE_WIDE if wide else SPARSE, starts, first, ends, order, 0

    def arrays(self) -> tuple[Long, NDArray[np.uint16], Word, Long, Word, Long]:
        """Return starts, near and far targets, ends, columns and shapes."""
        return (
            _joined(self.starts, np.int64),
            _joined(self.near, np.uint16),
            _joined(self.far, np.int32),
            _joined(self.ends, np.int64),
            _joined(self.columns, np.int32),
            np.array(self.shapes, np.int64).reshape(-1, SHAPE),
        )


def _joined(parts: list[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return the parts as one array; one part alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.zeros(0, dtype)])


def by_neuron(targets: NDArray[np.integer], ends: Long) -> Word:
    """Return the numbers of synapses sorted by where they end, part by part: a large list needs
    little room beside the answer. ``ends``: how many end before each neuron.
    """
    found, free = np.empty(targets.size, np.int32), ends.copy()
    for first in range(0, targets.size, PART):
        part = targets[first : first + PART]
        order = np.argsort(part, kind="stable")
        counts = np.bincount(part, minlength=free.size)
        shift = free - (np.cumsum(counts) - counts)
        found[np.arange(part.size) + shift[part[order]]] = first + order
        free += counts
    return found


def _shape(program: Program, group: Synapses, conv: Conv2d) -> tuple[int, ...]:
    places = conv.places
    outputs = program.post_size(group) // (places[0] * places[1])
    return (
        *conv.shape[1:],
        *conv.kernel,
        *conv.stride,
        *conv.padding[:2],
        *conv.dilation,
        conv.shape[0] // conv.groups,
        outputs // conv.groups,
        outputs,
        *places,
        conv.lines,
    )
