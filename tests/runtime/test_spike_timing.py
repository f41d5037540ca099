"""Rules of spike times do what their papers say: spikes forced upon synapses, step by step.

One line, or several that spike together, meet 64 neurons that a strong synapse makes spike
together; the mean over their synapses takes the chance out of rounding.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.registry import parse_rule
from hebbite.runtime.engines.native import NativeEngine

NEURONS_EACH, PERIOD = 64, 50
Steps = list[int]


def program(rule: str, weight: int, lines: int = 1) -> Program:
    """Return plastic lines to neurons that forget at once and spike when they are forced."""
    learning = parse_rule(rule)
    offsets = tuple(range(1, PERIOD + 1))
    lif = (("du_keep", 0), ("dv_keep", 0), ("threshold", 64 * 300))
    synapses = (
        Synapses("to_post", "pre", "post", "w", exponent=-8, graded=False),
        Synapses("force", "driver", "post", "f", exponent=1, graded=False),
    )
    made = Program(
        name="pairs",
        target="loihi1",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("pre", lines, offsets), Source("driver", 1, offsets)),
        populations=(Population("post", NEURONS_EACH, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=synapses,
        plasticity=(Plasticity("to_post", learning.dw, 1, learning.traces, factors=2),),
        readout=Readout("post", "s", PERIOD, count=True),
        tensors={
            "w": np.full((NEURONS_EACH, lines), weight, np.int16),
            "f": np.full((NEURONS_EACH, 1), 254, np.int16),
            "bias": np.zeros(NEURONS_EACH, np.int32),
        },
    )
    verify_program(made, running="test")
    return made


def change(
    rule: str, *, pre: Steps, post: Steps, steps: int, weight: int = 100, lines: int = 1
) -> float:
    """Return the mean change of the weights, in steps, by spikes at these times (from 1)."""
    samples = -(-steps // PERIOD)
    machine = NativeEngine().open(program(rule, weight, lines), rounding="independent")

    def events(times: NDArray[np.int64]) -> NDArray[np.int64]:
        given = np.zeros(samples * PERIOD, np.int64)
        given[times - 1] = 1
        return given.reshape(samples, PERIOD, 1)

    line, driver = events(np.array(pre)), events(np.array(post) - 1)
    sent = {"pre": line.repeat(lines, axis=2), "driver": driver}
    found = machine.run(sent, samples=samples)
    assert int(found.answers.sum()) == NEURONS_EACH * len(post)
    return float((machine.read("w") - weight).mean())


def pairs(rule: str, *, lag: int, hertz: float, count: int = 30, weight: int = 100) -> float:
    """Return the change by ``count`` pairs, the post spike ``lag`` ms after the pre spike."""
    every = round(1000 / hertz)
    first = [60 + every * k for k in range(count)]
    post = [t + lag for t in first]
    return change(rule, pre=first, post=post, steps=post[-1] + every + 60, weight=weight)


@pytest.mark.parametrize("lag", [-40, -20, -10, -3, 1, 3, 10, 20, 40])
def test_pair_stdp_strengthens_after_and_weakens_before(lag: int) -> None:
    moved = pairs("stdp(up=3, down=3)", lag=lag, hertz=4)
    nearer = pairs("stdp(up=3, down=3)", lag=lag // 2 or lag, hertz=4)
    assert moved * lag > 0
    assert abs(nearer) >= abs(moved)


def test_triplets_strengthen_at_high_rates_what_they_leave_or_weaken_at_low_ones() -> None:
    """Pairs at +10 ms: nothing or less at 1 Hz, more at 40 Hz (figure 5 of the paper)."""
    slow = pairs("triplet-stdp", lag=10, hertz=1)
    fast = pairs("triplet-stdp", lag=10, hertz=40)
    assert slow <= 0.0
    assert fast > 5.0


def test_triplets_weaken_where_the_neuron_comes_first_at_low_rates() -> None:
    assert pairs("triplet-stdp", lag=-10, hertz=1) < -2.0


def test_a_pair_alone_strengthens_nothing_in_the_triplet_rule() -> None:
    assert change("triplet-stdp", pre=[60], post=[65], steps=100) == 0.0
    both = change("triplet-stdp(up=3)", pre=[60], post=[50, 65], steps=100)
    assert both > change("triplet-stdp(up=3)", pre=[60], post=[50], steps=100)


@pytest.mark.parametrize("weight", [0, 60, 120, 180, 240])
def test_soft_bounds_move_a_weight_in_proportion_to_its_distance(weight: int) -> None:
    rule = "soft-bound-stdp(up=2, down=7, top=200)"
    moved = change(rule, pre=[60], post=[62], steps=100, weight=weight)
    trace = 16 * np.exp(-2 / 10)
    assert moved == pytest.approx(2.0**-7 * trace * (200 - weight), abs=0.8)


def test_weights_settle_between_soft_bounds_and_run_to_the_ends_without_them() -> None:
    soft = "soft-bound-stdp(up=1, down=1, top=200)"
    ends = [w + pairs(soft, lag=5, hertz=80, count=200, weight=w) for w in (10, 190)]
    assert ends[0] == pytest.approx(ends[1], abs=12)
    assert 60 < ends[0] < 150
    assert 100 + pairs("stdp(up=1, down=1)", lag=5, hertz=80, count=200) > 230
