"""What the caller and the fused process say to each other: a kind, fields and arrays.

    message = length of the header (8 bytes, little-endian), header (JSON), arrays (C order)

The header holds kind, fields, and name, type and shape of every array. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hebbite.runtime.engines.lava.arrays import Array
from hebbite.runtime.engines.lava.job import Json

LENGTH_BYTES = 8
KINDS = "biu"
"""Kinds of arrays that travel: truth values and integers."""
Take = Callable[[int], bytearray]
"""Gives exactly so many bytes."""


@dataclass(frozen=True, eq=False)
class Message:
    """A request or a reply."""

    kind: str
    fields: Json = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def under(self, prefix: str) -> dict[str, Array]:
        """Return the arrays whose names start with ``prefix.``, without it."""
        start = f"{prefix}."
        return {
            name[len(start) :]: value
            for name, value in self.arrays.items()
            if name.startswith(start)
        }


def encode(message: Message) -> Iterator[bytes | memoryview]:
    """Give the pieces of a message, to be written one after the other."""
    arrays = {name: np.ascontiguousarray(value) for name, value in message.arrays.items()}
    for name, value in arrays.items():
        assert value.dtype.kind in KINDS, f"{name} is {value.dtype}"
    listed = [[n, a.dtype.str, list(message.arrays[n].shape)] for n, a in arrays.items()]
    header = json.dumps({"kind": message.kind, "fields": message.fields, "arrays": listed}).encode()
    yield len(header).to_bytes(LENGTH_BYTES, "little") + header
    for value in arrays.values():
        if value.size:
            yield value.reshape(-1).data.cast("B")


def decode(take: Take) -> Message:
    """Return the next message of a stream of bytes; its arrays can be written to."""
    header = json.loads(take(int.from_bytes(take(LENGTH_BYTES), "little")))
    arrays: dict[str, Array] = {}
    for name, text, shape in header["arrays"]:
        dtype = np.dtype(text)
        assert dtype.kind in KINDS, f"{name} is {dtype}"
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        arrays[name] = np.frombuffer(take(size), dtype).reshape(shape)
    return Message(str(header["kind"]), header["fields"], arrays)
