"""The three workloads as arrays, the same for every system and on every machine.

A  inference: 784-1024-1024-10 leaky units, dense weights of 8 bits, Bernoulli input, 1,000 steps
B  learning: 784 -> 400 units, pair STDP at every synapse, 2,000 steps
C  recurrent: 3,200 excitatory and 800 inhibitory units, 2 % of all pairs connected, 1,000 steps.
   C1 has one synaptic current and no refractory period, as Lava's LIF; C2 has an excitatory and an
   inhibitory current and a refractory period: Brian2's example CUBA

Weights are even, for Lava drops the lowest bit of signed weights of 8 bits in silence. They are
held line-major, (lines, neurons); of C as a list of synapses sorted by line. Thresholds are set by
bisection so that every layer of A and B fires at the rate asked for.

Units of A, B and C1 are Lava's LIF with du = 4095:

    v' = trunc(v dv_keep / 4096) + u,   u' = trunc(u du_keep / 4096) + 64 a;  spike: v' > 64 vth

C2 is the model of T. P. Vogels, L. F. Abbott, J. Neurosci. 25, 10786 (2005),
doi 10.1523/JNEUROSCI.3508-05.2005, as benchmark 2 of R. Brette et al., J. Comput. Neurosci. 23, 349
(2007), doi 10.1007/s10827-007-0038-6, in steps of 1 ms.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.int8]

DV = 256
KEEP = 4096 - DV
CELLS, CONNECTED, EXCITATORY = 4000, 0.02, 0.8
SEED = {"A": 101, "B": 102, "C1": 103, "C2": 103}
RATE = {"A": 0.02, "B": 0.015}
STEPS = {"A": 1000, "B": 2000, "C1": 1000, "C2": 1000}
C1 = {"excite": 10, "inhibit": -128, "bias": 50 * 64, "vth": 1000, "tau_syn": 5, "tau_mem": 20}
C2 = {
    "excite": 1.62,
    "inhibit": -9.0,
    "unit": 0.09,
    "v_rest": -49.0,
    "v_threshold": -50.0,
    "v_reset": -60.0,
    "tau_excite": 5,
    "tau_inhibit": 10,
    "tau_mem": 20,
    "refractory": 5,
}
"""C2 in mV and ms; a stored weight counts in units of 0.09 mV, so that both are whole."""


@dataclass(frozen=True)
class Workload:
    """One workload: its kind (A, B, C1, C2), synapses relative to the normal size, and input.

    ``activity`` is the probability that an input line of A or B sends in a step.
    """

    kind: str
    scale: float = 1.0
    activity: float = 0.03
    steps: int = 0

    @property
    def name(self) -> str:
        """A short name, which names the cached file too."""
        return f"{self.kind}-{self.scale:g}-{self.activity:g}-{self.length}"

    @property
    def length(self) -> int:
        """Steps of a run."""
        return self.steps or STEPS[self.kind]

    def arrays(self, folder: Path) -> Arrays:
        """Return the arrays, from the cache if they were made before."""
        with np.load(self.file(folder)) as kept:
            return dict(kept)

    def file(self, folder: Path) -> Path:
        """Return the file of the arrays, made now if it is not there."""
        path = folder / f"{self.name}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made: dict[str, Any] = recurrent(self) if self.kind[0] == "C" else layered(self)
            part = path.with_suffix(f".{os.getpid()}.part.npz")
            np.savez(part, **made)
            part.replace(path)
        return path


def cache_folder() -> Path:
    """Return the user's cache folder of this benchmark."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hebbite" / "speed"


def layered(workload: Workload) -> Arrays:
    """Return input ``x`` (steps, lines), and of every layer weights and threshold."""
    rng = np.random.default_rng(SEED[workload.kind])
    length = math.sqrt(workload.scale)
    inference = workload.kind == "A"
    hidden = max(int(1024 * length), 4)
    lines = max(int(784 * length), 4)
    sizes = [lines, hidden, hidden, 10] if inference else [lines, max(int(400 * length), 4)]
    spikes = rng.random((workload.length, lines)) < workload.activity
    out: Arrays = {"x": spikes}
    for index, (before, after) in enumerate(pairwise(sizes)):
        mean, top = (1, 63) if inference else (20, 50)
        drawn = np.clip(np.round(rng.normal(mean, 12, (before, after))), -top, top)
        weight = (2 * drawn).astype(np.int8)
        vth, spikes = calibrated(spikes, weight, RATE[workload.kind])
        out |= {f"w{index}": weight, f"vth{index}": np.array(vth)}
    return out


def calibrated(spikes: Bools, weight: Bytes, rate: float) -> tuple[int, Bools]:
    """Return the threshold whose mean rate comes nearest to ``rate``, and what is sent with it."""
    sums = (spikes.astype(np.float32) @ weight.astype(np.float32)).round().astype(np.int64)
    arriving = np.vstack([np.zeros((1, weight.shape[1]), np.int64), sums[:-1]])
    low, high = 1, 2**17 - 1
    while high - low > 1:
        middle = (low + high) // 2
        if fired(arriving, middle).mean() > rate:
            low = middle
        else:
            high = middle
    return high, fired(arriving, high)


def fired(arriving: NDArray[np.int64], vth: int) -> Bools:
    """Return the spikes of units that receive ``arriving`` (steps, neurons)."""
    top = 2**23 - 1
    v = np.zeros(arriving.shape[1], np.int64)
    out = np.zeros(arriving.shape, np.bool_)
    for step, a in enumerate(arriving):
        left = v * KEEP
        v = np.clip(np.sign(left) * (np.abs(left) >> 12) + (a << 6), -top, top)
        out[step] = v > vth << 6
        v[out[step]] = 0
    return out


def recurrent(workload: Workload) -> Arrays:
    """Return ``starts`` (cells + 1,), ``targets`` (synapses,), ``weights``, ``v0`` in 0..1.

    ``v0`` is where a membrane starts between its reset (0 in C1) and its threshold. Nobody is
    connected to itself; a cell receives as many synapses at every scale, so that rates stay.
    """
    rng = np.random.default_rng(SEED[workload.kind])
    cells = max(int(CELLS * workload.scale), 10)
    share = min(CONNECTED * CELLS / cells, 0.5)
    excitatory = int(EXCITATORY * cells)
    rows = []
    for line in range(cells):
        row = np.flatnonzero(rng.random(cells) < share)
        rows.append(row[row != line].astype(np.int32))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    excite, inhibit = stored_weights(workload.kind)
    each = np.where(np.arange(cells) < excitatory, excite, inhibit).astype(np.int16)
    return {
        "starts": starts,
        "targets": np.concatenate(rows),
        "weights": np.repeat(each, np.diff(starts)),
        "excitatory": np.array(excitatory),
        "v0": rng.random(cells),
    }


def stored_weights(kind: str) -> tuple[int, int]:
    """Return the excitatory and the inhibitory weight of C1 or C2 as stored on the chip."""
    if kind == "C1":
        return int(C1["excite"]), int(C1["inhibit"])
    return round(C2["excite"] / C2["unit"]), round(C2["inhibit"] / C2["unit"])


def decays_c1() -> tuple[int, int]:
    """Return du_keep and dv_keep of C1, in 1/4096."""
    return keep(C1["tau_syn"]), keep(C1["tau_mem"])


def keep(tau: float) -> int:
    """Return exp(-1 / tau) in 1/4096."""
    return round(4096 * math.exp(-1 / tau))


def synaptic_operations(kind: str, arrays: Mapping[str, NDArray[Any]], rates: list[float]) -> float:
    """Return synapses that a spike reaches, a step, at these rates of the layers."""
    if kind[0] == "C":
        return rates[0] * len(arrays["targets"])
    sent = [float(arrays["x"].mean()), *rates]
    layers = [key for key in arrays if key[0] == "w"]
    return float(sum(rate * arrays[key].size for rate, key in zip(sent, layers, strict=False)))
