"""A file of rows that one of Lava's processes fills while it runs.

In: the array's name in the job folder and its layout. Out: one row a step or learning epoch. Why:
a mapped file costs the process some microseconds a row, and survives whatever happens to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hebbite.runtime.engines.lava.arrays import Array, create_array, open_array
from hebbite.runtime.engines.lava.layout import Layout


class Rows:
    """Rows of int32; created by the builder, opened by whichever process first writes or reads."""

    def __init__(self, folder: Path, name: str, *, count: int, layout: Layout) -> None:
        """Create the file, ``count`` rows of zeros."""
        create_array(folder, name, (count, layout.width), "int32")
        self._folder, self._name, self._layout = folder, name, layout
        self._array: Array | None = None

    def put(self, index: int, registers: Mapping[str, Array]) -> None:
        """Write row ``index``."""
        self._layout.put(self._open()[index], registers)

    def get(self, index: int) -> Array:
        """Return row ``index``."""
        row: Array = self._open()[index]
        return row

    def _open(self) -> Array:
        if self._array is None:
            self._array = open_array(self._folder, self._name)
        return self._array
