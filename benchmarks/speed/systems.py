"""The systems that can be measured, and a process that runs one of them.

Systems of this environment run in its interpreter. Others live in an environment of their own that
a variable names, for they ask for other versions of NumPy, or are under another licence:

    HEBBITE_BRIAN2_PYTHON   an interpreter that imports brian2
    HEBBITE_NEST_PYTHON     one that imports nest
    HEBBITE_TORCH_PYTHON    one that imports snntorch

Where none is named, this environment is tried.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(
    ("HEBBITE_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


@dataclass(frozen=True)
class System:
    """One system: the module that drives it, its choice, the workloads it runs, and what it needs.

    ``package`` is what its interpreter must import, named by ``variable`` if it is not this one.
    ``slow``: a run takes minutes, so that it is measured once a round and never repeated within.
    """

    name: str
    module: str
    choice: str
    kinds: tuple[str, ...]
    package: str = "hebbite"
    variable: str = ""
    slow: bool = False
    note: str = ""

    @property
    def python(self) -> str:
        """The interpreter; empty if the package is nowhere."""
        named = os.environ.get(self.variable, "") if self.variable else ""
        if named:
            return named
        return sys.executable if importlib.util.find_spec(self.package) is not None else ""


ALL = ("A", "B", "C1", "C2")
NATIVE, HAND = "benchmarks.peers.native", "benchmarks.peers.handwritten"
LAVA, BRIAN2 = "benchmarks.peers.lava", "benchmarks.peers.brian"
NEST, TORCH = "benchmarks.peers.nest_peer", "benchmarks.peers.torch_peer"
_SYSTEMS = (
    System("native", NATIVE, "native,independent", ALL),
    System("native-exact", NATIVE, "native,lava-exact", ("B",), note="rounds as Lava does"),
    System("native-dense", NATIVE, "native,independent,dense", ("C1", "C2"),
           note="every pair of cells in a matrix"),
    System("reference", NATIVE, "reference,lava-exact", ALL, slow=True),
    System("handwritten", HAND, "", ALL, note="one workload each; B rounds without chance"),
    System("lava", LAVA, "fixed_pt", ("A", "B", "C1"), package="lava", slow=True),
    System("lava-float", LAVA, "floating_pt", ("A", "B", "C1"), package="lava", slow=True),
    System("brian2", BRIAN2, "", ALL, package="brian2", variable="HEBBITE_BRIAN2_PYTHON",
           note="real numbers; compiled C++, compilation apart"),
    System("nest", NEST, "1", ALL, package="nest", variable="HEBBITE_NEST_PYTHON",
           note="real numbers"),
    System("snntorch", TORCH, "", ("A",), package="snntorch", variable="HEBBITE_TORCH_PYTHON",
           note="real numbers of 32 bits, one sample"),
)  # fmt: skip
SYSTEMS = {system.name: system for system in _SYSTEMS}
DEFAULT = ("native", "native-exact", "handwritten", "lava", "lava-float", "brian2", "nest",
           "snntorch")  # fmt: skip


class Failed(Exception):
    """A system did not do what it was told; the text holds the end of what it wrote."""


class Worker:
    """A process that runs one system with one workload. Use as a context."""

    def __init__(
        self,
        system: System,
        file: Path,
        kind: str,
        steps: int,
        *,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, with more ``variables`` in its environment; ``with`` waits until it stands."""
        self.system = system
        command = [system.python, "-m", system.module, str(file), kind, str(steps), system.choice]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.setup: dict[str, Any] = {}

    def __enter__(self) -> Worker:
        """Wait until the system stands."""
        self.setup = self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def run(self, seconds: float) -> dict[str, Any]:
        """Repeat the workload until so many seconds were measured; return the means."""
        return self._ask(f"run {seconds}")

    def check(self, path: Path) -> Path:
        """Run once and write what happened into ``path``."""
        self._ask(f"check {path}")
        return path

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failed() from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        found: Mapping[str, Any] = json.loads(line)
        return dict(found)

    def _failed(self) -> Failed:
        self._process.wait()
        self._log.seek(0)
        tail = self._log.read()[-2000:]
        return Failed(f"{self.system.name} ended with {self._process.returncode}:\n{tail}")
