"""The arrays of a machine as kernels see them: ``at.groups(m)`` is the table of groups.

Kernels are given one number, ``m``: the address of a list of (address, rows, columns), int64, an
entry an array. `translate` knows these names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

FIELDS: list[str] = []
"""Names of the arrays, in the order of the list."""
ENTRY = 3


@dataclass(frozen=True)
class Field:
    """One array of every machine."""

    name: str
    dtype: type[np.generic]
    dimensions: int

    def __call__(self, machine: int) -> NoReturn:
        """Refuse to run in Python."""
        raise TypeError(f"at.{self.name}(m) is for kernels")


def _view(name: str, dtype: type[np.generic], dimensions: int = 1) -> Any:
    FIELDS.append(name)
    return Field(name, dtype, dimensions)


def describe(parts: Iterable[Any]) -> NDArray[np.int64]:
    """Return the list for named tuples of arrays, with zeros for what they do not hold; the arrays
    must outlive it.
    """
    rows = np.zeros((len(FIELDS), ENTRY), np.int64)
    enter(rows, parts)
    return rows


def enter(rows: NDArray[np.int64], parts: Iterable[Any]) -> None:
    """Enter the arrays of named tuples into a list."""
    for part in parts:
        for name, array in zip(part._fields, part, strict=True):
            assert array.flags.c_contiguous, name
            place = array.__array_interface__["data"][0]
            rows[_ROWS[name], : 1 + array.ndim] = (place, *array.shape)


head = _view("head", np.int64)
sources = _view("sources", np.int64, 2)
source_events = _view("source_events", np.int64, 2)
outputs = _view("outputs", np.int64, 2)
output_bias = _view("output_bias", np.int64, 2)
populations = _view("populations", np.int64, 2)
code = _view("code", np.int64, 2)
drawings = _view("drawings", np.int64, 2)
groups = _view("groups", np.int64, 2)
cost = _view("cost", np.int64, 2)
cost_of = _view("cost_of", np.int32)
wires = _view("wires", np.int64, 2)
plastic = _view("plastic", np.int64, 2)
kept = _view("kept", np.int64, 2)
falls = _view("falls", np.int64, 2)
products = _view("products", np.int64, 2)
readout = _view("readout", np.int64)
starts = _view("starts", np.int64)
in_blocks = _view("in_blocks", np.uint8)
borders = _view("borders", np.uint16)
near_targets = _view("near_targets", np.uint16)
far_targets = _view("far_targets", np.int32)
ends = _view("ends", np.int64)
gaps = _view("gaps", np.uint8)
gap_starts = _view("gap_starts", np.int64)
shapes = _view("shapes", np.int64, 2)

clock = _view("clock", np.int64)
memory = _view("memory", np.int32)
flags = _view("flags", np.uint8)
lists = _view("lists", np.int32)
sent = _view("sent", np.int64)
full = _view("full", np.uint8)
bytes = _view("bytes", np.int8)
shorts = _view("shorts", np.int16)
words = _view("words", np.int32)
tags = _view("tags", np.int16)
nonzero = _view("nonzero", np.int32)
misses = _view("misses", np.int64)
below = _view("below", np.int64)
due = _view("due", np.int32)
arrived = _view("arrived", np.uint8)
x = _view("x", np.int32)
y = _view("y", np.int32)
tx = _view("tx", np.uint8)
ty = _view("ty", np.uint8)
tables = _view("tables", np.int64)

sums = _view("sums", np.int16)
ramp = _view("ramp", np.int16)
place_sums = _view("place_sums", np.int32)
tallies = _view("tallies", np.int16)
marks = _view("marks", np.uint8)
history = _view("history", np.int32)
own = _view("own", np.int32)
times = _view("times", np.int32)
draws = _view("draws", np.uint32)
tag_draws = _view("tag_draws", np.uint32)
column_draws = _view("column_draws", np.uint8)
tag_column_draws = _view("tag_column_draws", np.uint8)
drawn = _view("drawn", np.uint32)
drawn_octets = _view("drawn_octets", np.uint8)
in_order = _view("in_order", np.int32)
blocks = _view("blocks", np.int32)
spots = _view("spots", np.int32)
decay = _view("decay", np.int32)
lines = _view("lines", np.int32)
neurons = _view("neurons", np.int32)
column = _view("column", np.int32)
short_column = _view("short_column", np.int16)
tag_column = _view("tag_column", np.int16)
column_lines = _view("column_lines", np.int32)
met = _view("met", np.int32)
resting = _view("resting", np.int64)
elements = _view("elements", np.int32)
row_targets = _view("row_targets", np.uint16)
width = _view("width", np.int64)

narrow = _view("narrow", np.uint8)
wide = _view("wide", np.int16)
is_wide = _view("is_wide", np.uint8)
event_base = _view("event_base", np.int64)
shared = _view("shared", np.int64, 2)
answers = _view("answers", np.int64, 2)
probes = _view("probes", np.int64, 2)
step_log = _view("step_log", np.int64, 2)
epoch_log = _view("epoch_log", np.int64, 2)
counts = _view("counts", np.int64, 2)
sent_at = _view("sent_at", np.int64, 2)

_ROWS = {name: row for row, name in enumerate(FIELDS)}
