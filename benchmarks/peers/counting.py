"""hebbite's native engine with its counts and without (`benchmarks.speed.uncounted`), run one after
the other on the arrays of one machine; choices as `native`.

The clock's seconds are those with counts; ``uncounted`` those without, first in every other run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.native import Native
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve
from benchmarks.speed.uncounted import without_counting


class Both(Simulator):
    """Two machines that share every array that a run changes."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Open both."""
        self.counted, self.uncounted, self._runs = Native(), Native(), 0
        self.counted.setup(kind, arrays, steps, choice)
        with tempfile.TemporaryDirectory() as folder, without_counting(Path(folder)):
            self.uncounted.setup(kind, arrays, steps, choice)
        self.version = self.counted.version
        machine: Any = self.counted.machine
        other: Any = self.uncounted.machine
        other._state, other._scratch = machine._state, machine._scratch
        other._listed = other._list()

    def run(self) -> Run:
        """Time one call of each."""
        self._runs += 1
        order = (self.counted, self.uncounted)[:: 1 if self._runs % 2 else -1]
        found = {native: native.run() for native in order}
        one, other = found[self.counted], found[self.uncounted]
        return Run(one.wall_s, one.cpu_s, one.rates, {"uncounted": other.wall_s})


if __name__ == "__main__":
    serve(Both)
