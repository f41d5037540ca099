"""How long steps take, by hand; and between the bounds that the totals of the counters prove."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.bycore import CoreCounts, count_by_core
from hebbite.runtime.counters import Counters
from hebbite.runtime.energy import (
    CostProfile,
    Draws,
    load_profile,
    run_time,
    step_times,
    time_per_sample,
)
from hebbite.runtime.engines.registry import load_engine

RULE = Plasticity(
    "s1", parse_sum("dw = 2^-6*x0*x1*w"), 2, (("x1", Trace(9, 16)), ("y1", Trace(9, 16))), factors=2
)
NS = 1e-9


def a_program(a: tuple[int, ...] = (0,), b: tuple[int, ...] = (1,)) -> Program:
    """Three host lines drive four neurons that spike at once; those drive four that never do.

    Thresholds are in units of 1/64 of a weight.
    """
    fires = (("du_keep", 0), ("dv_keep", 4096), ("threshold", 0))
    rests = (("du_keep", 0), ("dv_keep", 4096), ("threshold", 8_000_000))
    return Program(
        "p",
        "loihi1",
        Schedule(4, 4),
        sources=(Source("in", 3, (1,)),),
        populations=(
            Population("a", 4, LIF, fires, (("bias", "zero"),), cores=a),
            Population("b", 4, LIF, rests, (("bias", "zero"),), cores=b),
        ),
        synapses=(
            Synapses("s1", "in", "a", "w", graded=False),
            Synapses("s2", "a", "b", "v", graded=False),
        ),
        readout=Readout("b", "v", 4),
        tensors={
            "w": np.ones((4, 3), np.int32),
            "v": np.ones((4, 4), np.int32),
            "zero": np.zeros(4, np.int64),
        },
    )


def a_window(program: Program, *, samples: int = 1, learn: bool = False) -> CoreCounts:
    return both(program, samples=samples, learn=learn)[0]


def both(program: Program, *, samples: int, learn: bool = False) -> tuple[CoreCounts, Counters]:
    data = {"in": np.tile(np.array([[[1, 1, 0]]]), (samples, 1, 1))}
    engine = load_engine("reference")
    one, two = (engine.open(program, rounding="independent") for _ in range(2))
    counts = count_by_core(one, program, data, samples=samples, learn=learn)
    return counts, two.run(data, samples=samples, learn=learn).counters


def certain(name: str = "loihi1-davies2018") -> CostProfile:
    profile = load_profile(name)
    flat = {n: replace(c, low=c.value, high=c.value) for n, c in profile.time.items()}
    return replace(profile, time=flat)


def nanoseconds(program: Program, *, overlap: bool = False, profile: str) -> list[float]:
    found = step_times(program, certain(profile), a_window(program), Draws(0, 1), overlap=overlap)
    assert found.seconds is not None
    return [float(value) for value in found.seconds[:, 0] / NS]


def test_a_step_takes_as_long_as_its_slowest_core_the_farthest_message_and_the_barrier() -> None:
    # cores 0 and 16 + 4 + 1: tiles (0, 0) and (1, 1). Core 0: in step 1 two messages of the host
    # through eight weights; in step 2 four active neurons. Core 21: in step 2 four messages through
    # 16 weights to inactive neurons; active in steps 3 and 4.
    program = a_program(b=(21,))
    barrier, idle, busy = 229, 4 * 5.3, 4 * 8.4
    assert nanoseconds(program, profile="loihi1-davies2018") == pytest.approx(
        [
            idle + 2 * 2.1 + 8 * 3.5 + barrier,
            idle + 4 * 2.1 + 16 * 3.5 + (4.1 + 6.5) + barrier,
            busy + barrier,
            busy + barrier,
        ]
    )


@pytest.mark.parametrize(("senders", "hops"), [((0,), 1), ((0, 60), 2), ((60, 0), 2), ((20, 0), 1)])
def test_of_all_messages_of_a_step_the_farthest_is_waited_for(
    senders: tuple[int, ...], hops: int
) -> None:
    # core 21 is on tile (1, 1), as core 20; core 0 on tile (0, 0), core 60 on tile (3, 3)
    found = nanoseconds(a_program(a=senders, b=(21,)), profile="loihi1-davies2018")[1]
    assert found == pytest.approx(4 * 5.3 + 4 * 2.1 + 16 * 3.5 + hops * (4.1 + 6.5) + 229)


def test_sides_that_overlap_are_waited_for_apart_and_the_way_is_hidden() -> None:
    # the barrier of two tiles; core 0 in step 2: four neurons visited, updated, that spike and send
    # a message each; core 21: four messages through 16 weights
    sending = 4 * (6.0 + 3.7 + 30.0 + 5.1)
    receiving = 4 * 16.0 + 16 * 3.8
    assert sending > receiving
    assert nanoseconds(a_program(b=(21,)), overlap=True, profile="loihi1-sanafe2025") == (
        pytest.approx(
            [
                max(4 * 6.0, 2 * 16.0 + 8 * 3.8) + 1000,
                sending + 1000,
                4 * 9.7 + 1000,
                4 * 9.7 + 1000,
            ]
        )
    )


@pytest.mark.parametrize(
    ("cores", "barrier"),
    [
        ((0,), "barrier"),
        ((0, 4), "barrier_from_2"),
        ((0, 4, 8), "barrier_from_2"),
        ((0, 4, 8, 12), "barrier_from_4"),
        (tuple(range(0, 112, 4)), "barrier_from_4"),
        (tuple(range(0, 116, 4)), "barrier_from_29"),
        ((0, 128), "barrier_chips"),
    ],
)
def test_the_barrier_is_that_of_the_tiles_in_use(cores: tuple[int, ...], barrier: str) -> None:
    program = a_program()
    many = replace(program.populations[0], size=len(cores), cores=cores)
    still = replace(program, populations=(many,), synapses=(), readout=Readout("a", "v", 4))
    still = replace(still, tensors={**still.tensors, "zero": np.zeros(len(cores), np.int64)})
    profile = certain("loihi1-sanafe2025")
    found = step_times(still, profile, a_window(still), Draws(0, 1))
    assert found.seconds is not None
    assert found.busy is not None
    constant = profile.time[barrier]
    np.testing.assert_allclose(
        found.seconds - found.busy, constant.value * constant.scale, rtol=1e-12
    )


def test_the_bottleneck_is_named_with_what_it_does_most() -> None:
    found = step_times(
        a_program(b=(21,)), certain(), a_window(a_program(b=(21,))), Draws(0, 1)
    ).bottleneck
    assert found is not None
    busy = [4 * 5.3 + 2 * 2.1 + 8 * 3.5, 4 * 5.3 + 4 * 2.1 + 16 * 3.5, 33.6, 33.6]
    # core 0 is the slowest in step 1 alone; core 21 is active in steps 3 and 4
    assert (found.core, found.event) == (21, "neuron_active")
    assert found.share == pytest.approx(sum(busy[1:]) / sum(busy))
    assert found.event_share == pytest.approx(8 * 8.4 / sum(busy[1:]))


def test_the_sum_over_steps_lies_between_the_bounds_of_the_totals() -> None:
    program = a_program(a=(0, 2), b=(21, 40))
    counts, counters = both(program, samples=3)
    profile, draws = certain(), Draws(0, 101)
    bounds = run_time(counters, program, profile, draws).seconds
    exact = run_time(counters, program, profile, draws, window=counts).seconds
    assert bounds is not None
    assert exact is not None
    steps = 12 * (229 + 3 * 4.1 + 2 * 6.5) * NS  # the farthest way from core 0 or 2 to core 40
    assert bounds.min() - steps < exact[0]
    assert exact[0] < bounds.max()


def test_a_window_that_is_the_run_gives_the_time_of_the_run() -> None:
    program = a_program(b=(21,))
    counts, counters = both(program, samples=3)
    profile, draws = load_profile("loihi1-davies2018"), Draws(3, 50)
    steps = step_times(program, profile, counts, draws)
    found = run_time(counters, program, profile, draws, window=counts)
    assert steps.total is not None
    assert found.seconds is not None
    np.testing.assert_allclose(found.seconds, steps.total, rtol=1e-12)
    assert found.evidence == steps.evidence == "simulated"
    sample = time_per_sample(counters, program, profile, samples=3, draws=50, seed=3, window=counts)
    assert sample.band is not None
    assert sample.band.median == pytest.approx(float(np.median(steps.total)) / 3)


def test_a_longer_run_takes_the_mean_step_of_the_window() -> None:
    program = a_program(b=(21,))
    window, counters = a_window(program), both(program, samples=5)[1]
    found = run_time(counters, program, certain(), Draws(0, 1), window=window)
    once = step_times(program, certain(), window, Draws(0, 1)).total
    assert found.seconds is not None
    assert once is not None
    assert found.seconds[0] == pytest.approx(5 * once[0])


def test_a_rule_that_is_not_pairwise_stdp_makes_its_part_of_the_time_assumed() -> None:
    program = replace(a_program(), plasticity=(RULE,))
    found = step_times(program, certain(), a_window(program, learn=True), Draws(0, 1))
    assert found.evidence == "assumed"
    assert found.assumed is not None
    assert found.total is not None
    # one epoch has messages: 2 lines x 4 neurons visited, one product each, at 1 to 2 visits' price
    factor = 2**0.5
    assert found.assumed[0] == pytest.approx(8 * 6.1 * NS * factor / found.total[0])


def test_a_profile_without_a_time_gives_no_time_and_names_it() -> None:
    program = a_program()
    found = step_times(program, replace(certain(), time={}), a_window(program), Draws(0, 1))
    assert found.seconds is None
    assert found.total is None
    assert found.reason.startswith("profile 'loihi1-davies2018' has no time for barrier, ")


def test_draws_keep_the_slowest_core_of_each_of_them() -> None:
    program, profile = a_program(b=(21,)), load_profile("loihi1-davies2018")
    window, draws = a_window(program, samples=2), Draws(7, 20)
    found = step_times(program, profile, window, draws)
    assert found.seconds is not None
    for draw in range(20):
        prices = {
            n: replace(c, low=v, high=v)
            for n, c in profile.time.items()
            for v in [float(draws.between(f"time.{n}", c.low, c.high)[draw])]
        }
        alone = step_times(program, replace(profile, time=prices), window, Draws(0, 1))
        assert alone.seconds is not None
        np.testing.assert_allclose(alone.seconds[:, 0], found.seconds[:, draw], rtol=1e-9)
