"""Lava's own processes on a CPU. Choice: ``fixed_pt`` or ``floating_pt``.

A network is built anew for every run, for Lava cannot be put back to a start; what counts is the
run of all steps but the first, in which Lava sets itself up, as if it were all of them. Spikes of
the last population are collected, those of all in a check.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve
from benchmarks.speed.programs import start_potentials
from benchmarks.speed.workloads import C1, DV, decays_c1

TAU, IMPULSE, EXPONENT, SEED = 16, 16, 6, 0


class Lava(Simulator):
    """RingBuffer, Dense, Sparse, LearningDense and LIF. Every process has a thread or two."""

    single = False

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Import Lava."""
        from hebbite.runtime.engines.lava.shim import ensure_lava

        ensure_lava()
        self.version = "lava-nc 0.10.0"
        self._kind, self._arrays, self._steps = kind, arrays, steps
        self._fixed = choice == "fixed_pt"
        self._tag = choice

    def run(self) -> Run:
        """Time a network's steps, from the second on."""
        with self._network(collect_all=False) as (root, sinks, _):
            self._step(root, 1)
            began = time.perf_counter()
            self._step(root, self._steps - 1)
            wall = (time.perf_counter() - began) * self._steps / (self._steps - 1)
            return Run(wall, 0.0, [float(sinks[-1].data.get().astype(bool).mean())])

    def check(self) -> Arrays:
        """Return the spikes of all populations, and the weights at the end."""
        with self._network(collect_all=True) as (root, sinks, plastic):
            self._step(root, self._steps)
            out = {f"spikes{i}": s.data.get().T.astype(bool) for i, s in enumerate(sinks)}
            if plastic is not None:
                out["weights"] = np.asarray(plastic.weights.get(), np.int16)
            return out

    def _step(self, root: Any, steps: int) -> None:
        from lava.magma.core.run_conditions import RunSteps
        from lava.magma.core.run_configs import Loihi2SimCfg

        root.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag=self._tag))

    @contextmanager
    def _network(self, *, collect_all: bool) -> Iterator[tuple[Any, list[Any], Any]]:
        """Yield a process to run, the sinks, and the synapses that learn, if any do."""
        from lava.proc.io.sink import RingBuffer

        units, plastic = self._recurrent() if self._kind == "C1" else self._layered()
        sinks = []
        for unit in units if collect_all else units[-1:]:
            sink = RingBuffer(shape=unit.v.shape, buffer=self._steps)
            unit.s_out.connect(sink.a_in)
            sinks.append(sink)
        try:
            yield units[0], sinks, plastic
        finally:
            units[0].stop()

    def _layered(self) -> tuple[list[Any], Any]:
        from lava.magma.core.learning.learning_rule import Loihi2FLearningRule
        from lava.proc.dense.process import Dense, LearningDense
        from lava.proc.io.source import RingBuffer

        a, units, plastic = self._arrays, [], None
        sent = RingBuffer(data=a["x"][: self._steps].T.astype(int)).s_out
        number = int if self._fixed else float
        for index in range(sum(key[0] == "w" for key in a)):
            weight = np.ascontiguousarray(a[f"w{index}"].T).astype(number)
            if self._kind == "B":
                text = f"2^-{EXPONENT} * x1 * y0 - 2^-{EXPONENT} * y1 * x0"
                traces = {"x1_impulse": IMPULSE, "x1_tau": TAU}
                traces |= {"y1_impulse": IMPULSE, "y1_tau": TAU}
                rule = Loihi2FLearningRule(dw=text, t_epoch=1, rng_seed=SEED, **traces)
                synapses = plastic = LearningDense(weights=weight, learning_rule=rule)
            else:
                synapses = Dense(weights=weight)
            unit = self._unit(weight.shape[0], float(a[f"vth{index}"]))
            sent.connect(synapses.s_in)
            synapses.a_out.connect(unit.a_in)
            if plastic is not None:
                unit.s_out.connect(plastic.s_in_bap)
            sent = unit.s_out
            units.append(unit)
        return units, plastic

    def _unit(self, size: int, vth: float) -> Any:
        from lava.proc.lif.process import LIF

        if self._fixed:
            return LIF(shape=(size,), du=4095, dv=DV, vth=int(vth))
        return LIF(shape=(size,), du=1.0, dv=DV / 4096, vth=vth)

    def _recurrent(self) -> tuple[list[Any], Any]:
        from lava.proc.lif.process import LIF
        from lava.proc.sparse.process import Sparse

        a, cells = self._arrays, len(self._arrays["v0"])
        number = int if self._fixed else float
        lines = np.repeat(np.arange(cells), np.diff(a["starts"]))
        stored = (a["weights"].astype(number), (a["targets"], lines))
        synapses = Sparse(
            weights=import_module("scipy.sparse").csr_matrix(stored, shape=(cells, cells))
        )
        du_keep, dv_keep = decays_c1()
        start = start_potentials("C1", a)
        if self._fixed:
            bias = {"bias_mant": int(C1["bias"]), "bias_exp": 0}
            fixed = {"du": 4095 - du_keep, "dv": 4096 - dv_keep, "vth": int(C1["vth"]), **bias}
            unit = LIF(shape=(cells,), v=start, **fixed)
        else:
            real = {"du": 1 - du_keep / 4096, "dv": 1 - dv_keep / 4096, "vth": float(C1["vth"])}
            unit = LIF(shape=(cells,), v=start / 64, bias_mant=C1["bias"] / 64, **real)
        unit.s_out.connect(synapses.s_in)
        synapses.a_out.connect(unit.a_in)
        return [unit], None


if __name__ == "__main__":
    serve(Lava)
