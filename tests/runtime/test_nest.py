"""Rules of spike times beside NEST, which has them in continuous time and real numbers.

NEST is under the GPL and runs in an interpreter of its own; nothing here imports it. To run:

    python3.11 -m venv nest && nest/bin/pip install nest-simulator==3.10.0 numpy
    HEBBITE_NEST_PYTHON=nest/bin/python pytest tests/runtime/test_nest.py

Both are given the same spikes on a grid of 1 ms. What the rules are in NEST's terms:

    stdp          stdp_synapse, mu_plus = mu_minus = 0: lambda Wmax = 2^-up impulse_pre,
                  alpha lambda Wmax = 2^-down impulse_post
    triplet-stdp  stdp_triplet_synapse, Aplus = Aminus_triplet = 0: Aminus = 2^-down impulse,
                  Aplus_triplet = 2^-(up + 3) impulse^2

How far the mean over 64 lines and 64 neurons may be from NEST is derived, not fitted:

* a trace h of whole numbers keeps its mean, for it is rounded up as often as the fraction asks. A
  step adds a variance of f (1 - f) <= min(1/4, q h), f the fraction, q = 1 - exp(-1/tau). What is
  rounded at step s is still felt by every later event t, by exp(-(t - s) / tau);
* x1 is one number a line and y1, y2 one a neuron: their variances fall by 64; the rounding of a
  weight, at most min(1/4, dw) an event, is one number a synapse and falls by 64^2;
* the product of two traces is cut down to eighths, so that each post spike of a triplet loses at
  most min(7/8, product / 8) 2^-up, and never gains.

The means lie within 5 standard deviations of that. Spikes that reach a synapse in the same step are
the one thing on which the two differ: NEST leaves them out, the chip pairs them both ways.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

NEST_PYTHON = os.environ.get("HEBBITE_NEST_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not NEST_PYTHON,
    reason="HEBBITE_NEST_PYTHON names no interpreter with NEST: python3.11 -m venv nest && "
    "nest/bin/pip install nest-simulator==3.10.0 numpy",
)

HERE = Path(__file__).parent
change: Callable[..., float] = runpy.run_path(str(HERE / "test_spike_timing.py"))["change"]
LINES = NEURONS = 64
SIGMAS = 5.0
WMAX = 1000.0
SECONDS = 120
Floats = NDArray[np.float64]
Parameters = Mapping[str, object]
Changes = Mapping[str, float]


@dataclass(frozen=True)
class Spikes:
    """When a line and a neuron spike, in steps of 1 ms from 1; none in the same step."""

    pre: tuple[int, ...]
    post: tuple[int, ...]

    @property
    def steps(self) -> int:
        return max(self.pre + self.post) + 60


@dataclass(frozen=True)
class Rule:
    """A rule as NEST and as the chip have it. Time constants in ms; ``slow`` = 0 for pairs."""

    up: int
    down: int
    tau_pre: int
    tau_post: int
    slow: int = 0
    impulse: int = 16

    def __str__(self) -> str:
        times = f"up={self.up}, down={self.down}, tau_pre={self.tau_pre}, tau_post={self.tau_post}"
        return f"triplet-stdp({times}, tau_slow={self.slow})" if self.slow else f"stdp({times})"

    @property
    def strengthens(self) -> float:
        """A+ or A3 in weight steps, with traces that rise by 1."""
        if self.slow:
            return 2.0 ** -(self.up + 3) * self.impulse**2
        return 2.0**-self.up * self.impulse

    @property
    def weakens(self) -> float:
        return 2.0**-self.down * self.impulse

    def synapse(self) -> Parameters:
        common = {"tau_plus": float(self.tau_pre), "Wmax": WMAX}
        if self.slow:
            triplets = {"Aplus_triplet": self.strengthens, "Aminus": self.weakens}
            none = {"Aplus": 0.0, "Aminus_triplet": 0.0}
            return {"synapse_model": "stdp_triplet_synapse", **common, **triplets, **none}
        scale = {"lambda": self.strengthens / WMAX, "alpha": self.weakens / self.strengthens}
        additive = {"mu_plus": 0.0, "mu_minus": 0.0}
        return {"synapse_model": "stdp_synapse", **common, **scale, **additive}

    def neuron(self) -> Parameters:
        slow = {"tau_minus_triplet": float(self.slow)} if self.slow else {}
        return {"tau_minus": float(self.tau_post), **slow}


PAIR = Rule(up=3, down=4, tau_pre=10, tau_post=20)
TRIPLET = Rule(up=6, down=5, tau_pre=17, tau_post=34, slow=114)


def pairs(lag: int, hertz: int, count: int) -> Spikes:
    pre = tuple(70 + 1000 // hertz * k for k in range(count))
    return Spikes(pre, tuple(t + lag for t in pre))


def by_chance(seed: int) -> Spikes:
    """Return two independent trains of 2 s at 20 Hz."""
    rng = np.random.default_rng(seed)
    pre, post = (10 + np.flatnonzero(rng.random(2000) < 0.02) for _ in range(2))
    return Spikes(tuple(pre.tolist()), tuple(np.setdiff1d(post, pre).tolist()))


LAGS = (-60, -40, -20, -10, -3, -1, 1, 3, 10, 20, 40)
SEEDS = (1, 2, 3)
CASES: dict[str, tuple[Rule, Spikes]] = {
    **{f"pair at {lag} ms": (PAIR, pairs(lag, hertz=4, count=30)) for lag in LAGS},
    **{f"pair by chance {seed}": (PAIR, by_chance(seed)) for seed in SEEDS},
    **{
        f"triplet at {lag} ms, {hertz} Hz": (TRIPLET, pairs(lag, hertz=hertz, count=30))
        for lag in (-10, 10)
        for hertz in (1, 40)
    },
    **{f"triplet by chance {seed}": (TRIPLET, by_chance(seed)) for seed in SEEDS},
    "together": (PAIR, Spikes((60,), (60,))),
}


@pytest.fixture(scope="module")
def nest() -> Changes:
    """Return the change of the weight in each case, by NEST, which must have spiked as asked."""
    asked = [
        {"pre": s.pre, "post": s.post, "synapse": rule.synapse(), "neuron": rule.neuron()}
        for rule, s in CASES.values()
    ]
    done = subprocess.run(
        [NEST_PYTHON, "-I", str(HERE / "nest_script.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for (_, spikes), one in zip(CASES.values(), found, strict=True):
        assert (tuple(one["pre"]), tuple(one["post"])) == (spikes.pre, spikes.post)
    return {name: one["change"] for name, one in zip(CASES, found, strict=True)}


def chip(rule: Rule, spikes: Spikes) -> float:
    """Return the mean change on the chip, in weight steps."""
    pre, post = list(spikes.pre), list(spikes.post)
    return change(str(rule), pre=pre, post=post, steps=spikes.steps, lines=LINES)


def impulses(times: tuple[int, ...], steps: int) -> Floats:
    """Return 1 at the steps of 0..steps that have a spike, 0 at others."""
    return np.bincount(times, minlength=steps + 1).astype(np.float64)


def trace(tau: int, impulse: int, spiked: Floats) -> Floats:
    """Return the trace in real numbers at every step, the impulse of the step included."""
    out = impulse * spiked
    for step in range(1, len(out)):
        out[step] += out[step - 1] * np.exp(-1 / tau)
    assert out.max() < 110  # far from the 127 at which a trace of 7 bits would saturate
    return out


def variance(tau: int, held: Floats, felt: Floats) -> float:
    """Bound the variance of sum_t felt(t) h(t), h a trace of mean ``held`` in whole numbers."""
    carried = np.zeros_like(held)
    for step in range(len(held) - 1, -1, -1):
        later = carried[step + 1] if step + 1 < len(held) else 0.0
        carried[step] = felt[step] + np.exp(-1 / tau) * later
    rounded = np.minimum(0.25, (1 - np.exp(-1 / tau)) * np.append(0.0, held[:-1]))
    return float((rounded * carried**2).sum())


def rounding(moved: Floats, events: Floats) -> float:
    """Bound the variance of a mean weight by its rounding, where events move it by ``moved``."""
    return float((np.minimum(0.25, moved) * events).sum()) / LINES / NEURONS


def bounds(rule: Rule, spikes: Spikes) -> tuple[float, float]:
    """Return how far below and above NEST the mean on the chip may be, in weight steps."""
    steps = spikes.steps
    pre, post = (impulses(times, steps) for times in (spikes.pre, spikes.post))
    x1 = trace(rule.tau_pre, rule.impulse, pre)
    y1 = trace(rule.tau_post, rule.impulse, post)
    total = 4.0**-rule.down * variance(rule.tau_post, y1, pre) / NEURONS
    total += rounding(2.0**-rule.down * y1, pre)
    if not rule.slow:
        total += rounding(2.0**-rule.up * x1, post)
        total += 4.0**-rule.up * variance(rule.tau_pre, x1, post) / LINES
        return SIGMAS * total**0.5, SIGMAS * total**0.5
    y2 = trace(rule.slow, rule.impulse, post)
    before, scale = np.maximum(y2 - rule.impulse, 0.0), 2.0 ** -(rule.up + 3)
    total += rounding(scale * x1 * before, post)
    total += scale**2 * variance(rule.tau_pre, x1, post * before) / LINES
    total += scale**2 * variance(rule.slow, y2, post * x1) / NEURONS
    # Both traces' rounding at once: at most the product of their deviations at every post spike.
    both = [0.25 / (1 - np.exp(-2 / tau)) / LINES for tau in (rule.tau_pre, rule.slow)]
    above = SIGMAS * (total**0.5 + scale * len(spikes.post) * float(np.sqrt(both[0] * both[1])))
    cut = 2.0**-rule.up * np.minimum(7 / 8, x1 * before / 8)
    return above + float((cut * post).sum()), above


@pytest.mark.parametrize("name", [name for name in CASES if name != "together"])
def test_the_chip_changes_a_weight_as_nest_does(nest: Changes, name: str) -> None:
    rule, spikes = CASES[name]
    wanted, found = nest[name], chip(rule, spikes)
    below, above = bounds(rule, spikes)
    assert wanted - below <= found <= wanted + above


@pytest.mark.parametrize("lag", LAGS)
def test_the_sign_of_a_pair_is_that_of_nest(nest: Changes, lag: int) -> None:
    wanted = nest[f"pair at {lag} ms"]
    assert np.sign(wanted) == np.sign(lag) == np.sign(chip(*CASES[f"pair at {lag} ms"]))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("pair by chance 1", Rule(up=3, down=4, tau_pre=20, tau_post=10)),
        ("pair by chance 1", Rule(up=3, down=4, tau_pre=12, tau_post=20)),
        ("triplet by chance 1", Rule(up=6, down=5, tau_pre=17, tau_post=34, slow=90)),
        ("triplet by chance 1", Rule(up=6, down=5, tau_pre=17, tau_post=40, slow=114)),
    ],
)
def test_a_rule_of_other_time_constants_is_told_apart(
    nest: Changes, name: str, other: Rule
) -> None:
    rule, spikes = CASES[name]
    below, above = bounds(rule, spikes)
    found = chip(other, spikes)
    assert not nest[name] - below <= found <= nest[name] + above


def test_spikes_in_the_same_step_are_a_pair_both_ways_on_the_chip_and_none_in_nest(
    nest: Changes,
) -> None:
    assert nest["together"] == 0.0
    assert chip(*CASES["together"]) == PAIR.strengthens - PAIR.weakens == 1.0
