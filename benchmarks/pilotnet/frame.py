"""One frame of a network, counted on an engine and timed.

In: a network. Out: a `Frame`: the counts of one period once every layer has seen a whole window,
and how long the engine took for such periods.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks.pilotnet.network import Network
from benchmarks.pilotnet.program import program_of

from hebbite.compiler.program.connectivity import Conv2d
from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import INDEX, Counters
from hebbite.runtime.engines.base import Machine
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording


@dataclass(frozen=True, eq=False)
class Frame:
    """A program, and a recording of one of its frames with all that was sent.

    ``wall`` and ``busy``: seconds that passed, and that the process was at work, one a repetition.
    """

    program: Program
    recording: Recording
    wall: tuple[float, ...]
    busy: tuple[float, ...]

    @property
    def counters(self) -> Counters:
        """Counts of the frame."""
        return self.recording.counters

    @property
    def spikes(self) -> dict[str, int]:
        """Spikes sent by each layer, whoever hears them."""
        return {p.name: self.of(p.name, "spikes_out") for p in self.program.populations}

    def syn_ops(self, kind: str = "") -> int:
        """Return non-zero weights reached: all, those of convolutions or those of matrices."""
        groups = [
            group.name
            for group in self.program.synapses
            if kind in ("", "conv" if isinstance(group.connect, Conv2d) else "dense")
        ]
        return sum(self.of(name, "syn_ops") for name in groups)

    def of(self, component: str, counter: str) -> int:
        """Return a counter of one component."""
        row = self.counters.components.index(component)
        return int(self.counters.values[row, :, INDEX[counter]].sum())


def run_frame(network: Network, *, engine: str = "native", repeats: int = 20) -> Frame:
    """Fill the pipeline with one frame, count the next, and time those after it.

    Raises:
        RuntimeError: two frames differ, so that the counts of one say nothing of the next.
    """
    program = program_of(network)
    machine = load_engine(engine).open(program, rounding="independent")
    _run(machine)
    counted = _run(machine, *(f"{layer.name}.s" for layer in network.layers))
    wall, busy = [], []
    for _ in range(repeats):
        began, worked = time.perf_counter(), time.process_time()
        found = _run(machine)
        wall.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        if found.counters != counted.counters:
            raise RuntimeError("two frames of a network without input differ in their counts")
    return Frame(program, counted, tuple(wall), tuple(busy))


def _run(machine: Machine, *probes: str) -> Recording:
    return machine.run({}, samples=1, learn=False, probes=probes)


def band(seconds: tuple[float, ...]) -> dict[str, float]:
    """Return median, smallest and largest."""
    return {"median": statistics.median(seconds), "low": min(seconds), "high": max(seconds)}
