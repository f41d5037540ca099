"""NEST, real numbers of 64 bits. Choice: its number of threads.

A network is built anew for every run; what counts is the simulation alone. A and B: units whose
potential jumps (``iaf_psc_delta``), input by parrots; C: one or two exponential currents
(``iaf_psc_exp``). NEST's STDP is taken without its dependence on the weight.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve, timed

TAU = -1 / math.log(3840 / 4096)
W_MAX = 255.0


class Nest(Simulator):
    """A kernel that is reset before every run."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Import NEST."""
        nest: Any = import_module("nest")
        nest.verbosity = nest.VerbosityLevel.ERROR
        self.version = f"NEST {nest.__version__}"
        self._nest, self._kind, self._arrays, self._steps = nest, kind, arrays, steps
        self._threads = int(choice)
        self.single = self._threads == 1

    def run(self) -> Run:
        """Build, then time the simulation."""
        self._nest.ResetKernel()
        self._nest.set(resolution=1.0, local_num_threads=self._threads)
        makers = {"A": self._inference, "B": self._learning, "C1": self._one, "C2": self._two}
        groups = makers[self._kind]()
        recorders = [self._nest.Create("spike_recorder") for _ in groups]
        for group, recorder in zip(groups, recorders):  # noqa: B905
            self._nest.Connect(group, recorder)
        self._nest.Prepare()
        wall, cpu, _ = timed(lambda: self._nest.Run(float(self._steps)))
        self._nest.Cleanup()
        counts = [int(recorder.n_events) for recorder in recorders]
        return Run(
            wall,
            cpu,
            [n / len(g) / self._steps for n, g in zip(counts, groups)],  # noqa: B905
        )

    def _input(self) -> Any:
        x = self._arrays["x"][: self._steps]
        generators = self._nest.Create("spike_generator", x.shape[1])
        times = [{"spike_times": np.flatnonzero(line) + 1.0} for line in x.T]
        generators.set(times)
        parrots = self._nest.Create("parrot_neuron", x.shape[1])
        self._nest.Connect(generators, parrots, "one_to_one", {"delay": 1.0})
        return parrots

    def _leaky(self, size: int, vth: float) -> Any:
        unit = {"E_L": 0.0, "V_m": 0.0, "V_reset": 0.0, "C_m": 1.0, "tau_m": TAU, "t_ref": 0.0}
        return self._nest.Create(
            "iaf_psc_delta", size, {**unit, "V_th": vth + 0.5, "tau_minus": 16.0}
        )

    def _inference(self) -> list[Any]:
        a, before, groups = self._arrays, self._input(), []
        for index in range(3):
            weight = a[f"w{index}"]
            group = self._leaky(weight.shape[1], float(a[f"vth{index}"]))
            how = {"weight": weight.T.astype(float), "delay": 1.0}
            self._nest.Connect(before, group, "all_to_all", how)
            groups.append(group)
            before = group
        return groups

    def _learning(self) -> list[Any]:
        a = self._arrays
        group = self._leaky(a["w0"].shape[1], float(a["vth0"]))
        how = {
            "synapse_model": "stdp_synapse",
            "weight": np.clip(a["w0"].T, 0, None).astype(float),  # one sign a synapse in NEST
            "delay": 1.0,
            "Wmax": W_MAX,
            "lambda": 16 / 64 / W_MAX,
            "alpha": 1.0,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "tau_plus": 16.0,
        }
        self._nest.Connect(self._input(), group, "all_to_all", how)
        return [group]

    def _cells(self, **unit: float) -> Any:
        return self._nest.Create("iaf_psc_exp", len(self._arrays["v0"]), unit)

    def _connect(self, cells: Any, factor: dict[bool, float]) -> list[Any]:
        """Connect with the weights of excitatory (True) and inhibitory lines; return the group."""
        a, numbers = self._arrays, np.array(cells.tolist())
        lines = np.repeat(np.arange(len(cells)), np.diff(a["starts"]))
        positive = a["weights"] > 0
        for sign, chosen in ((True, positive), (False, ~positive)):
            count = int(chosen.sum())
            how = {"weight": np.full(count, factor[sign]), "delay": np.ones(count)}
            pre, post = numbers[lines[chosen]], numbers[a["targets"][chosen]]
            self._nest.Connect(pre, post, "one_to_one", how)
        return [cells]

    def _one(self) -> list[Any]:
        """C1: a current that counts w a step at first, and a drive of 50 a step."""
        gain = 5 / 15 * (math.exp(-1 / 20) - math.exp(-1 / 5))
        drive = 50 / (1 - math.exp(-1 / 20))
        unit = {"C_m": 20.0, "tau_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0, "t_ref": 0.0}
        level = {"E_L": 0.0, "V_reset": 0.0, "V_th": 1000.0, "I_e": drive}
        cells = self._cells(**unit, **level)
        cells.V_m = self._arrays["v0"] * 1000
        return self._connect(cells, {True: 10 / gain, False: -128 / gain})

    def _two(self) -> list[Any]:
        unit = {"C_m": 20.0, "tau_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "t_ref": 5.0}
        cells = self._cells(**unit, E_L=-49.0, V_th=-50.0, V_reset=-60.0)
        cells.V_m = -60 + 10 * self._arrays["v0"]
        return self._connect(cells, {True: 1.62, False: -9.0})


if __name__ == "__main__":
    serve(Nest)
