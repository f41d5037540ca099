"""What a figure was measured on, and what that machine could do at most."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
from benchmarks.speed.handwritten import jit
from llvmlite import binding

ROOT = Path(__file__).parents[2]
L2_BYTES = 256 * 1024
COLUMNS = 1024


def description() -> dict[str, Any]:
    """Return processor, cores, system, and versions of what the engines are made of."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def cpu_model() -> str:
    """Return the name of the processor, and in brackets its kind as LLVM names it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    name = found[1].strip() if found else platform.processor() or platform.machine()
    return f"{name} ({binding.get_host_cpu_name()})"


def slug() -> str:
    """Return processor and cores as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{cpu_model()} {os.cpu_count()}".lower()).strip("-")


def commit() -> str:
    """Return the commit that is measured, with a plus if files differ from it; empty if unknown."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


@jit
def _add(rows: Any, order: Any, sums: Any) -> None:
    for i in order:
        row = rows[i]
        for j in range(sums.size):
            sums[j] += row[j]


def row_additions(word: type[np.signedinteger[Any]]) -> float:
    """Return additions a second, one thread: rows of bytes in L2 onto sums of ``word``.

    The best of many short tries, so that a shared machine counts as it is when nobody disturbs.
    """
    rows = np.ones((L2_BYTES // COLUMNS, COLUMNS), np.int8)
    order = np.random.default_rng(0).permutation(np.arange(len(rows)))
    sums = np.zeros(COLUMNS, word)
    best = np.inf
    _add(rows, order, sums)
    for _ in range(2000):
        began = time.perf_counter()
        _add(rows, order, sums)
        best = min(best, time.perf_counter() - began)
    return rows.size / best


def limits() -> dict[str, float]:
    """Return the limits of this machine, in additions a second."""
    return {"int16": row_additions(np.int16), "int32": row_additions(np.int32)}
