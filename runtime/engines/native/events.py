"""What the host sends, in the narrowest form that the kernels read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.types import IntArray, Program, Source
from hebbite.runtime.engines.base import Inputs, events_of
from hebbite.runtime.engines.native.plan import Byte, Long, Short


class Events(NamedTuple):
    """The first fields of a `Call`: bytes by rows padded to eights, or 16 bits; where each starts."""

    narrow: Byte
    eights: Long
    wide: Short
    is_wide: Byte
    event_base: Long


def pack_events(program: Program, inputs: Inputs, samples: int) -> Events:
    """Return the events of all sources, checked, end to end."""
    narrow: list[Byte] = []
    wide: list[Short] = []
    is_wide, base = [], []
    for source in program.sources:
        given = events_of(source, inputs, samples)
        part = _padded(source, given)
        is_wide.append(part is None)
        if part is None:
            base.append(sum(each.size for each in wide))
            wide.append(np.ascontiguousarray(given, np.int16).reshape(-1))
        else:
            base.append(sum(each.size for each in narrow))
            narrow.append(part)
    bytes_ = narrow[0] if len(narrow) == 1 else _joined(narrow, np.dtype(np.uint8))
    return Events(
        bytes_,
        bytes_.view(np.int64),
        _joined(wide, np.dtype(np.int16)),
        np.array(is_wide, np.uint8),
        np.array(base, np.int64),
    )


def _joined(parts: list[NDArray[np.generic]], dtype: np.dtype) -> NDArray[np.generic]:  # type: ignore[type-arg]
    return np.concatenate([*parts, np.zeros(8, dtype)])


def _padded(source: Source, given: IntArray) -> Byte | None:
    """Return the events as bytes, every row padded to eights; None if a byte does not hold them."""
    if given.dtype.kind not in "bu" and given.size and int(given.min()) < 0:
        return None
    size = given.shape[-1]
    rows = given.reshape(-1, size)
    padded = -(-size // 8) * 8
    if padded == size:
        return np.ascontiguousarray(rows.astype(np.uint8, copy=False)).reshape(-1)
    out = np.zeros((rows.shape[0], padded), np.uint8)
    out[:, :size] = rows
    return out.reshape(-1)
