"""hebbite's own engines. Choice: ``ENGINE,ROUNDING``; ``,dense`` makes matrices of lists.

What counts is the whole call of a machine, events handed over and answers handed back; ``kernel``
is the part of it that the engine itself reports.
"""

from __future__ import annotations

import numpy as np
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve, timed


class Native(Simulator):
    """A machine of an engine, put back to its start before every run."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Open the program and compile what it needs by one short run."""
        from importlib.metadata import version

        from benchmarks.speed.programs import PERIOD, events, program_of, start_potentials

        from hebbite.runtime.counters import INDEX
        from hebbite.runtime.engines.registry import load_engine
        from hebbite.runtime.session import rounding_of

        engine, rounding, *rest = choice.split(",")
        self.version = f"hebbite {version('hebbite')}"
        program = program_of(kind, arrays, dense=rest == ["dense"])
        self._samples = steps // PERIOD
        self._steps = self._samples * PERIOD
        self.inputs = {name: x[: self._samples] for name, x in events(arrays).items()}
        self._program, self._spikes_in = program, INDEX["spikes_in"]
        self.machine = load_engine(engine).open(program, rounding=rounding_of(rounding))
        self.start = self.machine.state()
        if "v0" in arrays:
            self.start["neuron.cells.v"] = start_potentials(kind, arrays)
        self.machine.run({name: x[:1] for name, x in self.inputs.items()}, samples=1)

    def run(self) -> Run:
        """Time one call."""
        self.machine.restore(self.start)
        wall, cpu, found = timed(lambda: self.machine.run(self.inputs, samples=self._samples))
        sizes = {p.name: p.size for p in self._program.populations}
        counts = found.counters
        reached = {g.pre: g.name for g in self._program.synapses}
        rates = []
        for name, size in sizes.items():
            if name == self._program.readout.population:
                spikes = int(found.answers.sum())
            else:
                row = counts.components.index(reached[name])
                spikes = int(counts.values[row, :, self._spikes_in].sum())
            rates.append(spikes / size / self._steps)
        return Run(wall, cpu, rates, {"kernel": found.wall_s})

    def check(self) -> Arrays:
        """Return the spikes of every population and the weights at the end."""
        self.machine.restore(self.start)
        probes = [f"{p.name}.s" for p in self._program.populations]
        found = self.machine.run(self.inputs, samples=self._samples, probes=probes)
        out = {f"spikes{i}": found.values[probe].astype(bool) for i, probe in enumerate(probes)}
        if self._program.plasticity:
            out["weights"] = self.machine.read("w0").astype(np.int16)
        return out


if __name__ == "__main__":
    serve(Native)
