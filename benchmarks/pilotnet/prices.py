"""A frame's counts at the prices of Loihi 1, beside what was measured on Loihi 2.

Neither profile was fitted to this network or to this chip; a network and a chip that agree with the
prices of another chip are consistent with them, and no more than that.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pilotnet.frame import Frame

from hebbite.runtime.energy import load_profile

MEASURED_J = 1.093544e-3
"""Dynamic energy of a frame: (total - static power) / frames a second, 0.447156 W / 408.91."""
SOURCE = (
    "lava-dl, tutorials/lava/lib/dl/netx/pilotnet_snn/benchmark.ipynb (BSD-3-Clause): Loihi 2 on "
    "Oheo Gulch, 10,000 steps, printed by the notebook"
)
TOLERANCE = 0.25
PLOT_STEPS = 10_000
PLOT = {"conv2": 16.09e9, "conv3": 4.51e9}
"""Synaptic operations in PLOT_STEPS steps, read off the notebook's plot of cores to about 0.5 %."""
SANAFE = {
    "neuron_steps": 51.2,
    "neuron_active": 21.6,
    "spikes": 69.3,
    "syn_ops_conv": 24.0,
    "syn_ops_dense": 35.5,
    "messages": 111.0,
}
"""pJ an event, fitted to Loihi 1: SANA-FE's arch/loihi.yaml, doi 10.1109/TCAD.2025.3537971."""


@dataclass(frozen=True)
class Cost:
    """Joules of a frame at the middle of every price, term by term."""

    profile: str
    terms: dict[str, float]

    @property
    def joules(self) -> float:
        """The sum of all terms."""
        return sum(self.terms.values())

    def to_json(self) -> dict[str, object]:
        """Return the sum beside what was measured."""
        ratio = self.joules / MEASURED_J
        return {
            "profile": self.profile,
            "dynamic_j": self.joules,
            "measured_j": MEASURED_J,
            "ratio": ratio,
            "within": abs(ratio - 1) <= TOLERANCE,
            "cross_chip": True,
            "terms_j": self.terms,
        }


def events(frame: Frame) -> dict[str, int]:
    """Return the counts that have a price. A message is one a spike: the cores are not known."""
    counters = frame.counters
    active = counters.total("neuron_active")
    return {
        "neuron_steps": counters.total("neuron_steps"),
        "neuron_active": active,
        "neuron_inactive": counters.total("neuron_steps") - active,
        "spikes": sum(frame.spikes.values()),
        "syn_ops_conv": frame.syn_ops("conv"),
        "syn_ops_dense": frame.syn_ops("dense"),
        "messages": counters.total("spikes_in"),
    }


def costs(frame: Frame) -> tuple[Cost, ...]:
    """Return what a frame costs by each profile."""
    counts = events(frame)
    tables = {"loihi1-davies2018": davies(), "loihi1-sanafe2025": SANAFE}
    return tuple(
        Cost(name, {event: counts[event] * price * 1e-12 for event, price in table.items()})
        for name, table in tables.items()
    )


def davies() -> dict[str, float]:
    """Return pJ an event of the published table, simulated before silicon."""
    energy = load_profile("loihi1-davies2018").energy
    op = energy["synaptic_op"].value
    return {
        "neuron_active": energy["neuron_active"].value,
        "neuron_inactive": energy["neuron_inactive"].value,
        "syn_ops_conv": op,
        "syn_ops_dense": op,
        "messages": energy["message"].value,
    }
