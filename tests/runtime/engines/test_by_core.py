"""Counts by core of programs by hand: they sum to the engine's; what cannot be told is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from hebbite.compiler.program.types import IntArray, Program
from hebbite.rules.errors import UsageError
from hebbite.runtime.bycore import CORE_COUNTERS, count_by_core
from hebbite.runtime.counters import INDEX
from hebbite.runtime.engines.lava.fused.engine import FusedEngine
from hebbite.runtime.engines.registry import load_engine

Case = tuple[Program, Mapping[str, IntArray]]


def spread_out(program: Program) -> Program:
    """The program with two or three cores a population, unless it has several already."""
    populations, core = [], 1
    for population in program.populations:
        fits = [n for n in (3, 2, 1) if -(-population.size // n) * (n - 1) < population.size]
        cores = tuple(range(core, core + fits[0] * 45, 45))
        core += 2
        many = (
            population
            if len(population.cores) > 1
            else dataclasses.replace(population, cores=cores)
        )
        populations.append(many)
    return dataclasses.replace(program, populations=tuple(populations))


def assert_sums(program: Program, data: Mapping[str, IntArray], engine: str) -> None:
    head, rest = ({name: x[part] for name, x in data.items()} for part in (slice(5), slice(5, 12)))
    machines = [load_engine(engine).open(program, rounding="independent") for _ in range(2)]
    for machine in machines:
        machine.run(head, samples=5)
    counts = count_by_core(machines[0], program, rest, samples=7)
    counters = machines[1].run(rest, samples=7).counters
    assert counts.steps == counters.total("steps")
    for place, name in enumerate(counters.components[1:], start=1):
        for counter in CORE_COUNTERS:
            found = counts.total(counter, components=[name])
            assert found == counters.values[place, :, INDEX[counter]].sum(), (name, counter)


def test_counts_by_core_of_every_case_sum_to_those_of_native(
    case: Callable[[str], Case], case_names: tuple[str, ...]
) -> None:
    for name in case_names:
        program, data = case(name)
        assert_sums(spread_out(program), data, "native")


def test_every_engine_gives_the_same_counts_by_core(
    case: Callable[[str], Case], fused: FusedEngine
) -> None:
    for name in ("lists, three factors", "stdp, epoch 4", "convolutions in one dimension"):
        program, data = case(name)
        program = spread_out(program)
        given = {source: values[:6] for source, values in data.items()}
        found = []
        for engine in (load_engine("reference"), load_engine("native"), fused):
            machine = engine.open(program, rounding="lava-exact")
            found.append(count_by_core(machine, program, given, samples=6))
            machine.close()
        for counts in found[1:]:
            assert counts.cores == found[0].cores
            np.testing.assert_array_equal(counts.values, found[0].values, err_msg=name)
            for group, sent in found[0].traffic.items():
                np.testing.assert_array_equal(counts.traffic[group].messages, sent.messages)


def test_learners_that_share_their_weights_cannot_be_told_apart(
    case: Callable[[str], Case],
) -> None:
    program, data = case("three factors, epoch 3")
    groups = tuple(dataclasses.replace(group, weight="rec") for group in program.synapses)
    shared = dataclasses.replace(program, synapses=groups)
    machine = load_engine("reference").open(shared, rounding="independent")
    with pytest.raises(UsageError, match="HB0550") as refused:
        count_by_core(machine, shared, data, samples=1)
    assert refused.value.problems[0].what == (
        "two groups that learn share @rec: who changed it cannot be told"
    )
    count_by_core(machine, shared, data, samples=1, learn=False)


def test_a_window_without_samples_is_refused(case: Callable[[str], Case]) -> None:
    program, data = case("relu")
    machine = load_engine("reference").open(program, rounding="independent")
    with pytest.raises(UsageError, match="HB0550"):
        count_by_core(machine, program, data, samples=0)
