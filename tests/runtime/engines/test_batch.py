"""Samples over threads: the bits, counts and state of a run in order, or no threads at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.independence import carried
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UsageError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.base import Inputs
from hebbite.runtime.engines.native.batch import run_batch, shares_of
from hebbite.runtime.engines.native.machine import NativeMachine
from hebbite.runtime.session import Session

Data = Mapping[str, IntArray]
Cases = Callable[[str], tuple[Program, Data]]
Programs = st.SearchStrategy[tuple[Program, Data, int]]
MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def made() -> Compiled:
    return compile(MODEL, rule="dfa(rate=-4)", calibration=DIGITS.x_train[:64])


def machine_of(program: Program) -> NativeMachine:
    return NativeMachine(program, "independent", program.seed)


def cut(data: Data) -> Callable[[int, int], Inputs]:
    return lambda first, last: {name: values[first:last] for name, values in data.items()}


def check_threads(program: Program, data: Data, samples: int, *, learn_first: bool) -> None:
    """Compare runs over 1, 2 and 3 threads, from the state that other samples left."""
    given = cut(data)
    wanted, machines = machine_of(program), [machine_of(program) for _ in range(3)]
    for machine in (wanted, *machines):
        machine.run(given(0, 1), samples=1, learn=learn_first)
    in_order = wanted.run(given(1, samples), samples=samples - 1, learn=False)
    for threads, machine in enumerate(machines, start=1):
        found = run_batch(machine, lambda a, b: given(a + 1, b + 1), samples=samples - 1, each=1,
                          threads=threads)  # fmt: skip
        np.testing.assert_array_equal(found.answers, in_order.answers)
        assert found.counters == in_order.counters
        assert (found.samples, found.steps) == (in_order.samples, in_order.steps)
        left, right = machine.state(), wanted.state()
        for name, value in right.items():
            np.testing.assert_array_equal(left[name], value, err_msg=f"{threads}: {name}")
    last = [m.run(given(0, 1), samples=1) for m in (wanted, *machines)]
    assert all(each.counters == last[0].counters for each in last)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=QUIET)
@given(data=st.data(), learn_first=st.booleans())
def test_independent_programs_by_chance_run_over_threads_as_in_order(
    programs: Programs, data: st.DataObject, learn_first: bool
) -> None:
    program, inputs, samples = data.draw(programs)
    if carried(program) or samples < 2:
        event("samples depend on each other")
        return
    event("samples are independent")
    check_threads(program, inputs, samples, learn_first=learn_first)
