"""The kernels written by hand for one workload each, see `benchmarks.speed.handwritten`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve, timed

NOTHING = np.zeros((1, 1), np.uint8)


class Handwritten(Simulator):
    """One kernel; its input is listed step by step beforehand."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Compile the kernel by a first run."""
        import numba

        self.version = f"numba {numba.__version__}"
        self._kind, self._arrays, self._steps = kind, arrays, steps
        self._call, self._sizes = self._prepared(keep=False)
        self._call()

    def run(self) -> Run:
        """Time one run."""
        call, sizes = self._prepared(keep=False)
        wall, cpu, spikes = timed(call)
        counts = np.atleast_1d(spikes)
        return Run(wall, cpu, [int(n) / size / self._steps for n, size in zip(counts, sizes)])  # noqa: B905

    def check(self) -> Arrays:
        """Return the spikes, but of B, which is another rule."""
        if self._kind == "B":
            return {}
        call, _ = self._prepared(keep=True)
        call()
        return {f"spikes{i}": raster.astype(bool) for i, raster in enumerate(self._rasters)}

    def _prepared(self, *, keep: bool) -> tuple[Callable[[], Any], list[int]]:
        """Return a call that runs from the start, and the sizes of the layers."""
        from benchmarks.speed import handwritten as kernels
        from benchmarks.speed import programs, workloads

        a, kind, steps = self._arrays, self._kind, self._steps
        factor = np.int32(workloads.KEEP)
        if kind in "AB":
            x = a["x"][:steps]
            starts = np.concatenate([[0], np.cumsum(x.sum(axis=1))])
            lines = np.nonzero(x)[1].astype(np.int32)
            weights = [a[key] for key in sorted(a) if key[0] == "w"]
            sizes = [weight.shape[1] for weight in weights]
            high = np.array([a[f"vth{i}"] << 6 for i in range(len(weights))], np.int32)
        else:
            each = np.zeros(len(a["v0"]), np.int32)
            first = a["starts"][:-1]
            full = np.diff(a["starts"]) > 0
            each[full] = a["weights"][first[full]]
            targets = a["targets"].astype(np.uint16 if len(each) < 2**16 else np.int32)
            v = programs.start_potentials(kind, a).astype(np.int32)
            sizes = [len(each)]
        count = steps if keep else 1
        self._rasters = tuple(np.zeros((count, size if keep else 1), np.uint8) for size in sizes)
        if kind == "A":
            rasters = self._rasters
            return lambda: kernels.inference(
                starts, lines, weights[0], weights[1], weights[2], factor, high, rasters, keep
            ), sizes
        if kind == "B":
            weight = weights[0].astype(np.int16) << np.int16(6)
            decay = np.int32(round(4096 * math.exp(-1 / 16)))
            return lambda: kernels.learning(starts, lines, weight, factor, decay, high[0]), sizes
        raster = self._rasters[0]
        if kind == "C1":
            u_keep, v_keep = (np.int32(value) for value in workloads.decays_c1())
            bias, top = np.int32(workloads.C1["bias"]), np.int32(64 * workloads.C1["vth"])
            return lambda: kernels.one_current(
                steps, a["starts"], targets, each, v, u_keep, v_keep, bias, top, raster, keep
            ), sizes
        unit = tuple(np.int32(value) for _, value in programs.constants_c2())
        return lambda: kernels.two_currents(
            steps, a["starts"], targets, each, int(a["excitatory"]), v, unit, raster, keep
        ), sizes


if __name__ == "__main__":
    serve(Handwritten)
