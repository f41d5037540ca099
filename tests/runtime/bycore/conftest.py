"""Programs by chance that are placed: the strategies of the engines' tests, on several cores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import strategies as st

from hebbite.compiler.program.types import IntArray, Program

Sample = tuple[Program, Mapping[str, IntArray], int]
CORES = st.integers(0, 300)


@st.composite
def placed(draw: st.DrawFn, programs: st.SearchStrategy[Sample]) -> Sample:
    """Return a program whose populations have one to three cores of their own, by chance, none of
    them empty."""
    program, data, samples = draw(programs)
    free = draw(st.lists(CORES, min_size=9, max_size=9, unique=True))
    populations = []
    for population in program.populations:
        fits = [n for n in (1, 2, 3) if -(-population.size // n) * (n - 1) < population.size]
        count = draw(st.sampled_from(fits))
        cores, free = tuple(free[:count]), free[count:]
        populations.append(dataclasses.replace(population, cores=cores))
    return dataclasses.replace(program, populations=tuple(populations)), data, samples


@pytest.fixture(scope="session")
def placed_programs(joined_programs: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    """Give the strategy of lawful programs on several cores, connected anyhow."""
    return placed(joined_programs)
