"""A frame's counts at the prices of Loihi 1, beside what was measured on Loihi 2.

Neither profile was fitted to this network or to this chip; a network and a chip that agree with the
prices of another chip are consistent with them, and no more than that.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pilotnet.frame import Frame

from hebbite.runtime.energy import Band, load_profile
from hebbite.runtime.energy.accounts import accounts
from hebbite.runtime.energy.draws import Draws, band_of
from hebbite.runtime.energy.terms import terms_of

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
PROFILES = ("loihi1-davies2018", "loihi1-sanafe2025")
DRAWS = 1000


@dataclass(frozen=True)
class Cost:
    """Joules of a frame: each counter's at the middle of its price, published or assumed; the band
    of them all over the ranges of the prices."""

    profile: str
    published: dict[str, float]
    assumed: dict[str, float]
    band: Band

    @property
    def joules(self) -> float:
        """What has a published price."""
        return sum(self.published.values())

    def to_json(self) -> dict[str, object]:
        """Return the published sum beside what was measured."""
        ratio = self.joules / MEASURED_J
        return {
            "profile": self.profile,
            "dynamic_j": self.joules,
            "measured_j": MEASURED_J,
            "ratio": ratio,
            "within": abs(ratio - 1) <= TOLERANCE,
            "cross_chip": True,
            "published_j": self.published,
            "assumed_j": self.assumed,
            "band_j": self.band.to_json(),
        }


def costs(frame: Frame) -> tuple[Cost, ...]:
    """Return what a frame costs by each profile."""
    return tuple(cost(frame, name) for name in PROFILES)


def cost(frame: Frame, name: str) -> Cost:
    """Return what a frame costs by a profile that has a price for all that it counts."""
    profile = load_profile(name)
    published: dict[str, float] = {}
    assumed: dict[str, float] = {}
    for term in terms_of(frame.counters, frame.program, profile):
        constant = profile.energy[term.constant]
        side = assumed if term.beyond or constant.kind == "assumed" else published
        label = f"{term.counter} x {term.constant}"
        side[label] = sum(term.counts) * constant.value * constant.scale
    spent = accounts(frame.counters, frame.program, profile, Draws(0, DRAWS))
    whole = next(a.whole for a in spent if (a.boundary, a.total) == ("dynamic", "assumed"))
    assert whole is not None, "a count without any price is no term of these profiles"
    return Cost(name, published, assumed, band_of(whole))
