"""One network on both sides: spikes first, then counts, then every part of the energy and the time.

Ours is counts x the values of a profile. A host's lines are SANA-FE's `input` neurons: they send as
neurons do, so what SANA-FE charges for that (an axon and hops a message) is worked out beside
ours, and named apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.sanafe.networks import PERIOD, SAMPLES, Network
from numpy.typing import NDArray

from hebbite.compiler.placement import ways
from hebbite.compiler.targets import load_target
from hebbite.runtime.bycore import CoreCounts, count_by_core
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy import CostProfile, Draws
from hebbite.runtime.energy.events import barrier_of
from hebbite.runtime.energy.sanafe import sanafe_architecture, sanafe_network
from hebbite.runtime.energy.steps import step_times
from hebbite.runtime.energy.terms import terms_of
from hebbite.runtime.engines.registry import load_engine

VARIABLE = "HEBBITE_SANAFE_PYTHON"
"""Names the interpreter that has SANA-FE."""
PATIENCE = 600
PARTS = {"synapse": ("synaptic_op",), "soma": ("neuron", "spike"), "network": ("axon", "hop")}
"""The parts of SANA-FE's energy, by how the names of the constants begin."""
ENERGY, TIME = 1e-9, 1e-6
"""The largest relative differences that count as equal."""


class Failed(Exception):
    """SANA-FE ended with an error, or the two sides do not simulate the same spikes."""


@dataclass(frozen=True)
class Comparison:
    """One network on both sides. ``differences``: relative, of every part and of the time;
    ``ours``, ``theirs``: J and s; ``host``: the part of either side's network energy that only
    SANA-FE charges; ``step``: the largest relative difference of the time of one step.
    """

    name: str
    architecture: str
    version: str
    counts: Mapping[str, int]
    ours: Mapping[str, float]
    theirs: Mapping[str, float]
    differences: Mapping[str, float]
    step: float
    host: float
    bottleneck: str

    @property
    def agrees(self) -> bool:
        """Whether every part of the energy and the time, of all and of each step, is equal."""
        energies = [value for name, value in self.differences.items() if name != "seconds"]
        return max(energies) <= ENERGY and max(self.differences["seconds"], self.step) <= TIME

    @property
    def detailed(self) -> float:
        """Our time, sides of a core one after the other and the farthest message's way included,
        by that of SANA-FE's model of messages and links, ``detailed``."""
        return self.ours["serial_seconds"] / self.theirs["detailed_seconds"]


def compared(
    network: Network, profile: CostProfile, python: str, *, bundled: bool = False
) -> Comparison:
    """Return how a network compares; ``bundled``: on SANA-FE's own architecture of Loihi, else on
    the profile's.

    Raises:
        Failed: SANA-FE failed, or spikes or counts differ.
    """
    program = network.program
    machine = load_engine("native").open(program, rounding="independent")
    counts = count_by_core(machine, program, network.inputs, samples=SAMPLES)
    again = load_engine("native").open(program, rounding="independent")
    probes = [f"{p.name}.s" for p in program.populations]
    found = again.run(network.inputs, samples=SAMPLES, probes=probes)
    theirs = simulated(network, profile, python, bundled=bundled)
    _check_spikes(network, found.values, theirs)
    numbers = _check_counts(counts, theirs)
    return _compared(network, profile, counts, found.counters, theirs, numbers, bundled=bundled)


def simulated(
    network: Network, profile: CostProfile, python: str, *, bundled: bool = False
) -> dict[str, Any]:
    """Return what SANA-FE says of a network, in a process of its own (Failed)."""
    script = Path(__file__).with_name("simulator.py")
    with tempfile.TemporaryDirectory() as folder:
        architecture, file = Path(folder, "architecture.yaml"), Path(folder, "network.yaml")
        target = load_target(network.program.target)
        architecture.write_text(sanafe_architecture(target, profile), encoding="utf-8")
        text = sanafe_network(network.program, network.inputs, samples=SAMPLES, host=network.host)
        file.write_text(text, encoding="utf-8")
        arguments = ["bundled" if bundled else str(architecture), str(file), str(SAMPLES * PERIOD)]
        try:
            done = subprocess.run(
                [python, str(script), *arguments],
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise Failed(f"SANA-FE did not run: {problem}") from problem
    if done.returncode:
        raise Failed(f"SANA-FE ended with {done.returncode}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _check_spikes(
    network: Network, ours: Mapping[str, NDArray[np.int64]], theirs: Mapping[str, Any]
) -> None:
    """Refuse to go on where a neuron spikes on one side only."""
    for step, sent in enumerate(theirs["spikes"]):
        wanted = {(name, int(neuron)) for name, neuron in sent}
        found = {
            (probe.removesuffix(".s"), int(neuron))
            for probe, values in ours.items()
            for neuron in np.flatnonzero(values[step])
        }
        sources = {source.name for source in network.program.sources}
        wanted = {(name, neuron) for name, neuron in wanted if name not in sources}
        if wanted != found:
            raise Failed(f"step {step + 1}: other spikes, {sorted(wanted ^ found)[:5]}")


def _check_counts(counts: CoreCounts, theirs: Mapping[str, Any]) -> dict[str, int]:
    """Return our counts of events; refuse to go on where SANA-FE has others, its input neurons that
    fire being updated ones as well."""
    injected = counts.total("host_words") - _answers(counts)
    found = {
        "synaptic_events": counts.total("syn_ops"),
        "messages": counts.total("spikes_in"),
        "updated": counts.total("neuron_active") + injected,
        "fired": counts.total("spikes_out") + injected,
    }
    wrong = {n: (c, theirs[n]) for n, c in found.items() if c != theirs[n]}
    if wrong:
        raise Failed(f"counts differ (ours, SANA-FE's): {wrong}")
    own = {"updated": counts.total("neuron_active"), "fired": counts.total("spikes_out")}
    return {**found, **own}


def _answers(counts: CoreCounts) -> int:
    """Return the words that the host reads."""
    return int(counts.of("host_words")[:, 1:].sum())


def _compared(
    network: Network,
    profile: CostProfile,
    counts: CoreCounts,
    counters: Counters,
    theirs: Mapping[str, Any],
    numbers: Mapping[str, int],
    *,
    bundled: bool,
) -> Comparison:
    program = network.program
    ours = dict.fromkeys(PARTS, 0.0)
    for term in terms_of(counters, program, profile):
        constant = profile.energy.get(term.constant)
        part = [n for n, heads in PARTS.items() if term.constant.startswith(heads)]
        if part and constant is not None:
            ours[part[0]] += sum(term.counts) * constant.value * constant.scale
    host, sending = _host(network, profile, counts)
    ours["network"] += host
    ours["total"] = sum(ours.values())
    exact = _certain(profile)
    times = step_times(program, exact, counts, Draws(0, 1), overlap=True)
    if times.busy is None:
        raise Failed(times.reason)
    barrier = exact.time[barrier_of(program, exact)]
    steps = np.maximum(times.busy[:, 0], sending) + barrier.value * barrier.scale
    ours["seconds"] = float(steps.sum())
    serial = step_times(program, exact, counts, Draws(0, 1))
    if serial.total is None:
        raise Failed(serial.reason)
    ours["serial_seconds"] = float(serial.total[0])
    found = {name: theirs["energy"][name] for name in (*PARTS, "total")}
    found["seconds"] = theirs["seconds"]
    differences = {name: _relative(ours[name], found[name]) for name in found}
    found["detailed_seconds"] = theirs["detailed_seconds"]
    slowest = serial.bottleneck
    words = "" if slowest is None else f"core {slowest.core}: {slowest.event}"
    return Comparison(
        program.name,
        "bundled" if bundled else profile.name,
        theirs["version"],
        numbers,
        ours,
        found,
        differences,
        max(_relative(a, b) for a, b in zip(steps, theirs["step_seconds"], strict=True)),
        host,
        words,
    )


def _host(
    network: Network, profile: CostProfile, counts: CoreCounts
) -> tuple[float, NDArray[np.float64]]:
    """Return what SANA-FE charges for the host's messages: J, and seconds of every step."""
    target, sending = load_target(network.program.target), np.zeros(counts.steps)
    names = ("hop_ew", "hop_ns")
    joules, energy, time = 0.0, profile.energy, profile.time
    for sent in counts.traffic.values():
        if sent.senders:
            continue
        sending += sent.messages.sum(axis=(1, 2)) * time["axon_out"].value * time["axon_out"].scale
        for goal, messages in zip(sent.receivers, sent.messages.sum(axis=(0, 1)), strict=True):
            hops = ways(target, network.host, [goal])[0].tolist()
            costs = (("axon_out", 1), *zip(names, hops[:2], strict=True))
            each = sum(energy[name].value * energy[name].scale * count for name, count in costs)
            joules += float(messages) * each
    return joules, sending


def _certain(profile: CostProfile) -> CostProfile:
    """Return the profile without its bands: every constant at its value."""
    time = {n: replace(c, low=c.value, high=c.value) for n, c in profile.time.items()}
    return replace(profile, time=time)


def _relative(one: float, other: float) -> float:
    return float(abs(one - other) / max(abs(one), abs(other), 1e-300))
