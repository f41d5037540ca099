"""Brian2 as a C++ program of its own (``cpp_standalone``), one thread, real numbers of 64 bits.

A spike acts in the step after it, as on the chip. Generating and compiling the program is set-up;
what counts is the time that the program itself reports for its loop over the steps. C1 has the one
current of Lava's unit; C2 is Brian2's example CUBA.
"""

from __future__ import annotations

import math
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.protocol import Arrays, Run, Simulator, serve

KEEP, TRACE_TAU, IMPULSE, SCALE = 3840 / 4096, 16.0, 16, 64
FLAGS = ["-w", "-O3", "-march=native", "-ffast-math"]
NOTES = {
    "before": """
    timespec clock_before, cpu_before, clock_after, cpu_after;
    clock_gettime(CLOCK_MONOTONIC, &clock_before);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);""",
    "after": """
    clock_gettime(CLOCK_MONOTONIC, &clock_after);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
    std::ofstream note("%s");
    note << std::fixed << 1e9 * (clock_after.tv_sec - clock_before.tv_sec)
        + (clock_after.tv_nsec - clock_before.tv_nsec) << " "
        << 1e9 * (cpu_after.tv_sec - cpu_before.tv_sec)
        + (cpu_after.tv_nsec - cpu_before.tv_nsec);
    note.close();""",
}
"""C++: write down nanoseconds of the loop by the clock and of processor time."""
ON_TIME = ["start", "groups", "thresholds", "resets", "synapses", "end"]
"""The order within a step in which a spike acts in the next step."""


class Brian(Simulator):
    """A compiled program, started anew for every run."""

    def setup(self, kind: str, arrays: Arrays, steps: int, choice: str) -> None:
        """Generate and compile."""
        brian2 = import_module("brian2")
        self.version = f"Brian2 {brian2.__version__}"
        self._b, self._steps = brian2, steps
        self._folder = tempfile.TemporaryDirectory(prefix="speed-brian2-")
        brian2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
        brian2.set_device("cpp_standalone", build_on_run=False, directory=self._folder.name)
        brian2.defaultclock.dt = 1 * brian2.ms
        self._network = brian2.Network()
        makers = {"A": self._inference, "B": self._learning, "C1": self._one, "C2": self._two}
        if kind in ("A", "B"):
            self._network.schedule = ON_TIME
        self._monitors: list[Any] = []
        makers[kind](arrays)
        self._note = Path(self._folder.name) / "note"
        brian2.device.insert_code("before_network_run", NOTES["before"])
        brian2.device.insert_code("after_network_run", NOTES["after"] % self._note)
        self._network.run(steps * brian2.ms)
        brian2.device.build(directory=self._folder.name, compile=True, run=False, with_output=False)

    def run(self) -> Run:
        """Start the program and wait for it; it notes clock and processor time around the loop."""
        device = self._b.device
        began = time.perf_counter()
        device.run(with_output=False)
        elapsed = time.perf_counter() - began
        clock, cpu = map(float, self._note.read_text().split())
        wall = float(device._last_run_time)
        rates = [float(np.mean(m.count[:])) / self._steps for m in self._monitors]
        return Run(wall, wall * cpu / clock, rates, {"process": elapsed})

    def _group(self, size: int, vth: float) -> Any:
        """Return leaky units that forget as Lava's do: by 3840/4096 a step."""
        b = self._b
        tau = -1 / math.log(KEEP) * b.ms
        group = b.NeuronGroup(
            size,
            "dv/dt = -v / tau : 1",
            threshold=f"v > {vth}",
            reset="v = 0",
            method="exact",
            namespace={"tau": tau},
        )
        self._watch(group)
        return group

    def _watch(self, group: Any) -> None:
        monitor = self._b.SpikeMonitor(group, record=False)
        self._network.add(group, monitor)
        self._monitors.append(monitor)

    def _input(self, arrays: Arrays) -> Any:
        times, lines = np.nonzero(arrays["x"][: self._steps])
        group = self._b.SpikeGeneratorGroup(arrays["x"].shape[1], lines, times * self._b.ms)
        self._network.add(group)
        return group

    def _inference(self, arrays: Arrays) -> None:
        before = self._input(arrays)
        for index in range(3):
            weight = arrays[f"w{index}"]
            # Brian2 leaks before it adds, Lava adds after it leaked: what is compared has leaked.
            group = self._group(weight.shape[1], float(arrays[f"vth{index}"]) * KEEP)
            synapses = self._b.Synapses(before, group, "w : 1", on_pre="v_post += w")
            synapses.connect()
            synapses.w = weight.astype(float).ravel()
            self._network.add(synapses)
            before = group

    def _learning(self, arrays: Arrays) -> None:
        b, weight = self._b, arrays["w0"]
        before = self._input(arrays)
        group = self._group(weight.shape[1], float(arrays["vth0"]) * KEEP)
        synapses = b.Synapses(
            before,
            group,
            """w : 1
            dx/dt = -x / tau_trace : 1 (event-driven)
            dy/dt = -y / tau_trace : 1 (event-driven)""",
            on_pre=f"""v_post += w
            x += {IMPULSE}
            w = clip(w - y / {SCALE}, -256, 255)""",
            on_post=f"""y += {IMPULSE}
            w = clip(w + x / {SCALE}, -256, 255)""",
            namespace={"tau_trace": TRACE_TAU * b.ms},
        )
        synapses.connect()
        synapses.w = weight.astype(float).ravel()
        self._network.add(synapses)

    def _connect(self, group: Any, arrays: Arrays, chosen: Any, effect: str) -> None:
        lines = np.repeat(np.arange(len(arrays["v0"])), np.diff(arrays["starts"]))
        synapses = self._b.Synapses(group, group, on_pre=effect)
        synapses.connect(i=lines[chosen], j=arrays["targets"][chosen])
        self._network.add(synapses)

    def _one(self, arrays: Arrays) -> None:
        b = self._b
        # Exact steps of 1 ms: what u adds in a step is gain u, so that a weight counts w / gain.
        gain = 5 / 15 * (math.exp(-1 / 20) - math.exp(-1 / 5))
        drive = 50 / (1 - math.exp(-1 / 20))
        group = b.NeuronGroup(
            len(arrays["v0"]),
            """dv/dt = (u - v + drive) / tau_mem : 1
            du/dt = -u / tau_syn : 1""",
            threshold="v > 1000",
            reset="v = 0",
            method="exact",
            namespace={"tau_mem": 20 * b.ms, "tau_syn": 5 * b.ms, "drive": drive},
        )
        group.v = arrays["v0"] * 1000
        self._watch(group)
        positive = arrays["weights"] > 0
        for chosen in (positive, ~positive):
            self._connect(group, arrays, chosen, f"u += {arrays['weights'][chosen][0] / gain}")

    def _two(self, arrays: Arrays) -> None:
        b = self._b
        group = b.NeuronGroup(
            len(arrays["v0"]),
            """dv/dt = (ge + gi - (v - v_rest)) / tau_mem : volt (unless refractory)
            dge/dt = -ge / tau_e : volt
            dgi/dt = -gi / tau_i : volt""",
            threshold="v > v_high",
            reset="v = v_low",
            refractory=5 * b.ms,
            method="exact",
            namespace={
                "tau_mem": 20 * b.ms,
                "tau_e": 5 * b.ms,
                "tau_i": 10 * b.ms,
                "v_rest": -49 * b.mV,
                "v_high": -50 * b.mV,
                "v_low": -60 * b.mV,
            },
        )
        group.v = (-60 + 10 * arrays["v0"]) * b.mV
        self._watch(group)
        positive = arrays["weights"] > 0
        self._connect(group, arrays, positive, "ge += 1.62*mV")
        self._connect(group, arrays, ~positive, "gi -= 9*mV")


if __name__ == "__main__":
    serve(Brian)
