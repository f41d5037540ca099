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
from hebbite.runtime.counters import INDEX, PHASES, Counters, components_of
from hebbite.runtime.energy import CostProfile, load_profile, time_per_sample

RULE = Plasticity(
    "s1", parse_sum("dw = 2^-6*x0*x1*y2"), 4, (("x1", Trace(65535)), ("y2", Trace(65535)))
)


def a_program(cores: tuple[int, ...] = (0,), far: int = 1) -> Program:
    return Program(
        "p",
        "loihi1",
        Schedule(8, 4),
        sources=(Source("in", 3, (1,)),),
        populations=(Population("a", 4, LIF, cores=cores), Population("b", 4, LIF, cores=(far,))),
        synapses=(
            Synapses("s1", "in", "a", "w", graded=False),
            Synapses("s2", "a", "b", "v", graded=False),
        ),
        readout=Readout("b", "v", 4),
        tensors={"w": np.ones((4, 3), np.int32), "v": np.ones((4, 4), np.int32)},
    )


def a_run(program: Program, counts: dict[str, dict[str, int]]) -> Counters:
    names = components_of(program)
    values = np.zeros((len(names), len(PHASES), len(INDEX)), np.int64)
    for name, part in counts.items():
        for counter, count in part.items():
            values[names.index(name), 0, INDEX[counter]] = count
    return Counters(names, values)


def certain() -> CostProfile:
    profile = load_profile("loihi1-davies2018")
    flat = {n: replace(c, low=c.value, high=c.value) for n, c in profile.time.items()}
    return replace(profile, time=flat)


def test_one_busy_core_takes_the_sum_of_its_events_and_a_barrier_a_step() -> None:
    program = a_program()
    counters = a_run(
        program,
        {
            "p": {"steps": 10},
            "a": {"neuron_steps": 40, "neuron_active": 30},
            "s1": {"spikes_in": 6, "syn_ops": 24},
        },
    )
    found = time_per_sample(counters, program, certain(), samples=5, draws=11)
    nanoseconds = 30 * 8.4 + 10 * 5.3 + 6 * 2.1 + 24 * 3.5 + 10 * 229
    assert found.band is not None
    assert found.band.median == pytest.approx(nanoseconds * 1e-9 / 5)
    assert found.band.low == pytest.approx(found.band.high)
    assert (found.evidence, found.reason) == ("simulated", "")


def test_two_busy_cores_take_between_the_fuller_one_and_their_sum() -> None:
    program = a_program()
    counters = a_run(program, {"p": {"steps": 1}, "s1": {"syn_ops": 3000}, "s2": {"syn_ops": 1000}})
    band = time_per_sample(counters, program, certain(), samples=1).band
    assert band is not None
    assert 3000 * 3.5e-9 + 229e-9 <= band.low < band.high <= 4000 * 3.5e-9 + 229e-9


def test_a_split_population_shares_its_work() -> None:
    program = a_program(cores=(0, 2))
    counters = a_run(program, {"p": {"steps": 1}, "s1": {"syn_ops": 3000}})
    band = time_per_sample(counters, program, certain(), samples=1, draws=1001).band
    assert band is not None
    assert 1500 * 3.5e-9 <= band.low < band.high <= 3000 * 3.5e-9 + 229e-9


def test_the_way_to_the_farthest_core_is_added_once_a_step() -> None:
    near, far = (
        time_per_sample(a_run(p, {"p": {"steps": 10}}), p, certain(), samples=1).band
        for p in (a_program(far=1), a_program(far=16 + 4))
    )
    assert near is not None
    assert far is not None
    assert far.median - near.median == pytest.approx(10 * (4.1 + 6.5) * 1e-9)


def test_a_rule_that_is_not_pairwise_stdp_makes_the_time_assumed() -> None:
    program = replace(a_program(), plasticity=(RULE,))
    counters = a_run(
        program, {"p": {"steps": 1}, "s1": {"updates_visited": 1000, "rule_terms": 1000}}
    )
    found = time_per_sample(counters, program, certain(), samples=1)
    assert found.evidence == "assumed"
    assert found.band is not None
    assert 1000 * 6.1e-9 <= found.band.low < found.band.high <= 2000 * 6.1e-9 + 229e-9


def test_a_program_on_two_chips_waits_for_an_assumed_barrier() -> None:
    program = a_program(far=128)
    found = time_per_sample(a_run(program, {"p": {"steps": 1}}), program, certain(), samples=1)
    assert found.evidence == "assumed"
    assert found.band is not None
    # seven columns to the edge of the chip, whose first column it starts from, and a barrier
    assert found.band.median == pytest.approx(7 * 4.1e-9 + 2744e-9)


@pytest.mark.parametrize(("steps", "samples"), [(0, 1), (1, 0)])
def test_without_a_step_or_a_sample_there_is_no_time_and_a_reason(steps: int, samples: int) -> None:
    program = a_program()
    counters = a_run(program, {"p": {"steps": steps}})
    found = time_per_sample(counters, program, certain(), samples=samples)
    assert found.band is None
    assert found.reason


def test_a_profile_without_a_time_gives_no_time_and_names_it() -> None:
    program = a_program()
    profile = replace(certain(), time={})
    found = time_per_sample(a_run(program, {"p": {"steps": 1}}), program, profile, samples=1)
    assert found.band is None
    assert found.reason == "profile 'loihi1-davies2018' has no time for barrier"
