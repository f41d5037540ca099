"""Arrays of a job, as ``.npy`` files in its folder.

In and out: arrays by name. Why files: Lava's own way out of a process takes seconds a weight
matrix, a mapped file less than a millisecond. Nothing is pickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def write_array(folder: Path, name: str, value: Array) -> None:
    """Write ``folder/name.npy``."""
    np.save(folder / f"{name}.npy", value, allow_pickle=False)


def read_array(folder: Path, name: str) -> Array:
    """Return ``folder/name.npy``, mapped and read-only."""
    value: Array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return value


def create_array(folder: Path, name: str, shape: tuple[int, ...], dtype: str) -> None:
    """Create ``folder/name.npy`` full of zeros, for a model to fill row by row."""
    path = folder / f"{name}.npy"
    np.lib.format.open_memmap(path, "w+", dtype, shape)  # type: ignore[no-untyped-call]


def open_array(folder: Path, name: str) -> Array:
    """Return ``folder/name.npy``, mapped and writable."""
    value: Array = np.load(folder / f"{name}.npy", mmap_mode="r+", allow_pickle=False)
    return value
