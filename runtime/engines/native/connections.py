"""Lists and convolutions as tables: where synapses end, and the geometry of windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.types import Program, Synapses
from hebbite.runtime.engines.native.plan import (
    BLOCK,
    CONV,
    DENSE,
    LEAP,
    SPARSE,
    SPARSE_BLOCKS,
    SPARSE_WIDE,
    Byte,
    Long,
    Word,
)

Scalar = TypeVar("Scalar", bound=np.integer)
Half = NDArray[np.uint16]

NEAR = 1 << 16
"""Neurons that a target of 16 bits can name."""
FULL = 8
"""Synapses of a line in a block from which on, on average, a list whose columns are asked for is
cut: a byte less a synapse and two more a block leave room for its gaps; kernels lose some time."""
PART = 1 << 14
"""Synapses that are looked at together: a large list needs little room beside the answer."""


@dataclass
class Connections:
    """What has been entered; see `Plan` for the meaning."""

    starts: list[Long] = field(default_factory=list)
    in_blocks: list[Byte] = field(default_factory=list)
    borders: list[Half] = field(default_factory=list)
    near: list[Half] = field(default_factory=list)
    far: list[Word] = field(default_factory=list)
    ends: list[Long] = field(default_factory=list)
    gaps: list[Byte] = field(default_factory=list)
    gap_starts: list[Long] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def enter(self, program: Program, group: Synapses, *, columns: bool) -> tuple[int, ...]:
        """Enter a group; return its kind, and where its starts, targets, borders (and how many
        blocks a line has), ends, gaps and shape are.

        ``columns``: whether the columns of a list are asked for; they start at -1 if not.
        """
        connect = group.connect
        if isinstance(connect, Conv2d):
            self.shapes.append(_shape(program, group, connect))
            return CONV, 0, 0, 0, 0, 0, -1, len(self.shapes) - 1
        if not isinstance(connect, Sparse):
            return DENSE, 0, 0, 0, 0, 0, -1, 0
        post, targets = program.post_size(group), program.tensors[connect.targets]
        starts = program.tensors[connect.starts].astype(np.int64)
        degrees = np.bincount(targets, minlength=post)
        ends = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64)
        dense = targets.size >= FULL * -(-post // BLOCK) * (starts.size - 1)
        kind, first, border, blocks = self._targets(targets, starts, post, cut=columns and dense)
        column = self._columns(targets, starts, post) if columns else -1
        return (
            kind,
            put(self.starts, starts),
            first,
            border,
            blocks,
            put(self.ends, ends),
            column,
            0,
        )

    def _targets(
        self, targets: NDArray[np.integer], starts: Long, post: int, *, cut: bool
    ) -> tuple[int, int, int, int]:
        """Enter where synapses end, ``cut`` into blocks; return kind, start, start of borders, and
        how many blocks.
        """
        if post > NEAR:
            return SPARSE_WIDE, put(self.far, targets.astype(np.int32)), 0, 0
        if not cut or post == NEAR:
            return SPARSE, put(self.near, targets.astype(np.uint16)), 0, 0
        blocks = -(-post // BLOCK)
        border = put(self.borders, borders_of(targets, starts, blocks).reshape(-1))
        return SPARSE_BLOCKS, put(self.in_blocks, targets.astype(np.uint8)), border, blocks

    def _columns(self, targets: NDArray[np.integer], starts: Long, post: int) -> int:
        """Enter who reaches each neuron; return where that starts."""
        gaps, gap_starts = gaps_of(targets, starts, post)
        first = put(self.gaps, gaps)
        return put(self.gap_starts, gap_starts + first)


def put(parts: list[NDArray[Scalar]], values: NDArray[Scalar]) -> int:
    """Append values; return where they will start when the parts are joined."""
    first = sum(len(part) for part in parts)
    parts.append(values)
    return first


def joined(parts: list[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return the parts as one array; one part alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.zeros(0, dtype)])


def borders_of(targets: NDArray[np.integer], starts: Long, blocks: int) -> Half:
    """Return how many synapses of a line stand before each block, and how many it has: uint16
    (lines, blocks + 1).
    """
    lines = starts.size - 1
    found = np.zeros((lines, blocks + 1), np.uint16)
    together = max(1, PART // (blocks * BLOCK))
    for first in range(0, lines, together):
        last = min(first + together, lines)
        line = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        block = targets[starts[first] : starts[last]] // BLOCK
        counts = np.bincount(line * blocks + block, minlength=(last - first) * blocks)
        found[first:last, 1:] = np.cumsum(counts.reshape(-1, blocks), axis=1)
    return found


def gaps_of(targets: NDArray[np.integer], starts: Long, neurons: int) -> tuple[Byte, Long]:
    """Return how far the lines that reach a neuron are apart, neuron after neuron, and where the
    bytes of each start: int64 (neurons + 1,).

    The first line counts from -1. A byte of 1..255 leads to the next line; 0 leads on by 255.
    """
    gap_starts = np.zeros(neurons + 1, np.int64)
    for neuron, gap in _parts(targets, starts, neurons):
        gap_starts[1:] += _bytes_of(neuron, gap, neurons)
    gap_starts = np.cumsum(gap_starts)
    gaps, free = np.zeros(gap_starts[-1], np.uint8), gap_starts[:-1].copy()
    for neuron, gap in _parts(targets, starts, neurons):
        taken = _bytes_of(neuron, gap, neurons)
        before = np.cumsum(taken) - taken
        place = np.cumsum((gap - 1) // LEAP + 1) - 1
        gaps[place + (free - before)[neuron]] = (gap - 1) % LEAP + 1
        free += taken
    return gaps, gap_starts


def _bytes_of(neuron: NDArray[np.integer], gap: Long, neurons: int) -> Long:
    """Return how many bytes the gaps of each neuron take."""
    return np.bincount(neuron, (gap - 1) // LEAP + 1, neurons).astype(np.int64)


def _parts(
    targets: NDArray[np.integer], starts: Long, neurons: int
) -> Iterator[tuple[NDArray[np.integer], Long]]:
    """Yield synapses part by part, each sorted by neuron, then by line: neurons, and how far the
    line is from the one before that reaches the same neuron.
    """
    last = np.full(neurons, -1, np.int64)
    for first in range(0, targets.size, PART):
        neuron = targets[first : first + PART]
        if neurons <= NEAR:
            neuron = neuron.astype(np.uint16)  # of which a stable sort is quick
        order = np.argsort(neuron, kind="stable")
        neuron = neuron[order]
        line = np.searchsorted(starts, first + order, side="right") - 1
        opens = np.concatenate([[True], neuron[1:] != neuron[:-1]])
        previous = np.concatenate([[0], line[:-1]])
        previous[opens] = last[neuron[opens]]
        closes = np.append(opens[1:], True)
        last[neuron[closes]] = line[closes]
        yield neuron, line - previous


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
