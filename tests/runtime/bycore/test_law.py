"""Summed over cores and steps, counts by core are those of the engine; cores are but names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.compiler.program.types import IntArray, Program
from hebbite.runtime.bycore import CORE_COUNTERS, HOST, CoreCounts, count_by_core
from hebbite.runtime.counters import INDEX, Counters
from hebbite.runtime.engines.registry import load_engine

Data = Mapping[str, IntArray]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def assert_law(counts: CoreCounts, counters: Counters) -> None:
    assert counts.steps == counters.total("steps")
    for place, name in enumerate(counters.components):
        for counter in CORE_COUNTERS:
            if name in counts.parts:
                wanted = counters.values[place, :, INDEX[counter]].sum()
                assert counts.total(counter, components=[name]) == wanted, (name, counter)
    for counter in CORE_COUNTERS:
        assert counts.total(counter) == counters.total(counter), counter


def run_both(
    program: Program, data: Data, samples: int, *, engine: str, learn: bool = True, skip: int = 0
) -> tuple[CoreCounts, Counters]:
    """Count the samples from ``skip`` on twice: by core, and as the engine does."""
    machines = [load_engine(engine).open(program, rounding="independent") for _ in range(2)]
    head = {name: values[:skip] for name, values in data.items()}
    rest = {name: values[skip:samples] for name, values in data.items()}
    for machine in machines:
        if skip:
            machine.run(head, samples=skip, learn=learn)
    counts = count_by_core(machines[0], program, rest, samples=samples - skip, learn=learn)
    return counts, machines[1].run(rest, samples=samples - skip, learn=learn).counters


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(data=st.data())
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_counts_by_core_sum_to_those_of_the_engine(
    placed_programs: Programs, data: st.DataObject, engine: str
) -> None:
    program, inputs, samples = data.draw(placed_programs)
    learn, skip = data.draw(st.booleans()), data.draw(st.integers(0, samples - 1))
    counts, counters = run_both(program, inputs, samples, engine=engine, learn=learn, skip=skip)
    assert_law(counts, counters)


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(data=st.data())
def test_all_but_hops_is_the_same_wherever_the_parts_stand(
    placed_programs: Programs, data: st.DataObject
) -> None:
    program, inputs, samples = data.draw(placed_programs)
    here, _ = run_both(program, inputs, samples, engine="reference")
    used = [core for p in program.populations for core in p.cores]
    others = data.draw(st.lists(st.integers(0, 300), min_size=9, max_size=9, unique=True))
    moves = dict(zip(used, others, strict=False))
    there = dataclasses.replace(
        program,
        populations=tuple(
            dataclasses.replace(p, cores=tuple(moves[core] for core in p.cores))
            for p in program.populations
        ),
    )
    found, _ = run_both(there, inputs, samples, engine="reference")
    for core in here.cores:
        moved = found.cores.index(HOST if core == HOST else moves[core])
        for counter in CORE_COUNTERS:
            if counter not in ("hops_ew", "hops_ns", "interchip"):
                np.testing.assert_array_equal(
                    here.of(counter)[:, here.cores.index(core)], found.of(counter)[:, moved]
                )
