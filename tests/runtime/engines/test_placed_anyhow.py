"""Where a program stands decides what its messages cost, and nothing that it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hebbite.compiler.layout.linear import moved, parts_of
from hebbite.compiler.layout.scattered import scattered
from hebbite.compiler.passes.arrange import Arrange
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.program.verify import verify_program
from hebbite.runtime.counters import COUNTERS
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.recording import Recording, all_probes

Data = Mapping[str, IntArray]
Cases = Callable[[str], tuple[Program, Data]]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
WAYS = {"hops_ew", "hops_ns", "interchip"}
"""What depends on which cores there are, and with how many of them: messages too."""
MESSAGES = {"spikes_in", "axon_out"}
SAMPLES = 12
CASES = (
    *("tanh, learned feedback", "relu, copied signs", "stdp, epoch 4", "tags, epoch 4"),
    *("lists, three factors", "convolutions", "instructions"),
)
EACH = 128
"""Cores of a chip."""


def numbered(program: Program, counts: tuple[int, ...]) -> Program:
    """The program in linear order, populations on that many cores, of a neuron or more each."""
    first, populations = 0, []
    for population, count in zip(program.populations, counts, strict=False):
        held = min(count, population.size)
        populations.append(replace(population, cores=tuple(range(first, first + held))))
        first += held
    made = replace(program, populations=tuple(populations))
    return moved(made, {core: n for n, core in enumerate(parts_of(made))})


def far(program: Program, *, draw: int) -> Program:
    """Neighbours on another chip each, scattered there."""
    inside = scattered(EACH, seed=0, draw=draw).tolist()
    return moved(program, {core: inside[core] + EACH * (core % 3) for core in parts_of(program)})


def record(engine: str, program: Program, data: Data, samples: int) -> Recording:
    verify_program(program)
    machine = load_engine(engine).open(program, rounding="independent")
    try:
        return machine.run(data, samples=samples, learn=True, probes=all_probes(program))
    finally:
        machine.close()


def assert_same_but(found: Recording, wanted: Recording, names: set[str]) -> None:
    for probe, value in wanted.values.items():
        np.testing.assert_array_equal(found.values[probe], value, err_msg=probe)
    np.testing.assert_array_equal(found.answers, wanted.answers)
    kept = [index for index, name in enumerate(COUNTERS) if name not in names]
    np.testing.assert_array_equal(
        found.counters.values[..., kept], wanted.counters.values[..., kept]
    )


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_spikes_weights_answers_and_counts_do_not_depend_on_where_a_program_stands(
    joined_programs: Programs, engine: str
) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
    @given(
        sample=joined_programs,
        counts=st.tuples(*[st.integers(1, 5)] * 3),
        draw=st.integers(0, 9),
    )
    def check(sample: tuple[Program, Data, int], counts: tuple[int, ...], draw: int) -> None:
        program, data, samples = sample
        linear = numbered(program, counts)
        wanted = record(engine, linear, data, samples)
        arranged = Arrange(draw).apply(linear)
        event(f"arranged anew: {arranged.populations != linear.populations}")
        for made in (arranged, far(linear, draw=draw)):
            assert_same_but(record(engine, made, data, samples), wanted, WAYS)
        alone = numbered(program, (1, 1, 1))
        assert_same_but(record(engine, alone, data, samples), wanted, WAYS | MESSAGES)

    check()


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("name", CASES)
def test_a_program_by_hand_computes_the_same_on_other_cores_at_another_price(
    case: Cases, engine: str, name: str
) -> None:
    program, data = case(name)
    linear = numbered(program, (3, 3, 3))
    wanted = record(engine, linear, data, SAMPLES)
    arranged = record(engine, Arrange().apply(linear), data, SAMPLES)
    scattered_far = record(engine, far(linear, draw=1), data, SAMPLES)
    for found in (arranged, scattered_far):
        assert_same_but(found, wanted, WAYS)
    hops = [
        sum(recording.counters.total(name) for name in ("hops_ew", "hops_ns"))
        for recording in (arranged, wanted, scattered_far)
    ]
    assert hops[0] <= hops[1] < hops[2]
    assert scattered_far.counters.total("interchip") > wanted.counters.total("interchip") == 0
    alone = record(engine, numbered(program, (1, 1, 1)), data, SAMPLES)
    assert_same_but(alone, wanted, WAYS | MESSAGES)
    assert alone.counters.total("axon_out") < wanted.counters.total("axon_out")
