"""Lists and convolutions as tables: where synapses end, and the geometry of windows."""

from __future__ import annotations

from dataclasses import dataclass, field

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

NARROW = 1 << 16
"""Neurons that a target of 16 bits can name."""


@dataclass
class Connections:
    """What has been entered: starts and targets of lists, in-degrees of their neurons, shapes."""

    starts: list[Long] = field(default_factory=list)
    near: list[NDArray[np.uint16]] = field(default_factory=list)
    far: list[Word] = field(default_factory=list)
    degrees: list[Word] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def enter(self, program: Program, group: Synapses) -> tuple[int, int, int, int, int]:
        """Enter a group; return (kind, start of starts, of targets, of degrees, shape)."""
        connect = group.connect
        if isinstance(connect, Conv2d):
            self.shapes.append(_shape(program, group, connect))
            return CONV, 0, 0, 0, len(self.shapes) - 1
        if not isinstance(connect, Sparse):
            return DENSE, 0, 0, 0, 0
        post = program.post_size(group)
        targets, wide = program.tensors[connect.targets], post > NARROW
        parts: list[NDArray[np.integer]] = self.far if wide else self.near  # type: ignore[assignment]
        first = sum(part.size for part in parts)
        starts = sum(part.size for part in self.starts)
        degrees = sum(part.size for part in self.degrees)
        parts.append(targets.astype(np.int32 if wide else np.uint16))
        self.starts.append(program.tensors[connect.starts].astype(np.int64))
        self.degrees.append(np.bincount(targets, minlength=post).astype(np.int32))
        return SPARSE_WIDE if wide else SPARSE, starts, first, degrees, 0

    def arrays(self) -> tuple[Long, NDArray[np.uint16], Word, Word, Long]:
        """Return starts, near and far targets, degrees and shapes."""
        return (
            np.concatenate([*self.starts, np.zeros(1, np.int64)]),
            np.concatenate([*self.near, np.zeros(1, np.uint16)]),
            np.concatenate([*self.far, np.zeros(1, np.int32)]),
            np.concatenate([*self.degrees, np.zeros(1, np.int32)]),
            np.array(self.shapes, np.int64).reshape(-1, SHAPE),
        )


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
