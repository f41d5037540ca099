"""What the host sends, in the narrowest form that the kernels read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.base import Inputs, events_of
from hebbite.runtime.engines.native.plan import Byte, Long, Short


class Events(NamedTuple):
    """The first fields of a `Call`: events as bytes, or 16 bits; where those of a source start."""

    narrow: Byte
    wide: Short
    is_wide: Byte
    event_base: Long


def pack_events(program: Program, inputs: Inputs, samples: int) -> Events:
    """Return the events of all sources, checked, end to end."""
    narrow: list[Byte] = []
    wide: list[Short] = []
    is_wide, base = [], []
    for source in program.sources:
        given = np.ascontiguousarray(events_of(source, inputs, samples)).reshape(-1)
        if given.itemsize > 1:
            given = given.astype(np.int16, copy=False)
        signed = given.dtype.kind == "i" and int(given.min(initial=0)) < 0
        is_wide.append(signed)
        base.append(sum(each.size for each in (wide if signed else narrow)))
        if signed:
            wide.append(given.astype(np.int16, copy=False))
        else:
            narrow.append(given.astype(np.uint8, copy=False))
    wide.append(np.zeros(1, np.int16))
    return Events(
        narrow[0] if len(narrow) == 1 else np.concatenate([*narrow, np.zeros(1, np.uint8)]),
        wide[0] if len(wide) == 1 else np.concatenate(wide),
        np.array(is_wide, np.uint8),
        np.array(base, np.int64),
    )
