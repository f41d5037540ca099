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
from hebbite.compiler.program.neuron import Instruction, NeuronProgram
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


def forgetful(program: Program) -> Program:
    """Return the program with steps that overwrite all that a sample finds, at its start."""
    last = max((group.delay for group in program.synapses), default=1)

    def cleared(neuron: NeuronProgram) -> NeuronProgram:
        names = (*neuron.kept, "s", "e")
        ends = tuple(Instruction(1, last, "reset", name, ()) for name in names)
        return dataclasses.replace(neuron, instructions=(*neuron.instructions, *ends))

    parts = tuple(dataclasses.replace(p, neuron=cleared(p.neuron)) for p in program.populations)
    return dataclasses.replace(program, populations=parts)


@settings(max_examples=80, deadline=None, suppress_health_check=QUIET)
@given(data=st.data(), forgets=st.sampled_from((True, True, False)), learn_first=st.booleans())
def test_independent_programs_by_chance_run_over_threads_as_in_order(
    programs: Programs, data: st.DataObject, forgets: bool, learn_first: bool
) -> None:
    program, inputs, samples = data.draw(programs)
    program = forgetful(program) if forgets else program
    if carried(program) or samples < 2:
        event("samples depend on each other, or there is one")
        return
    event("samples are independent")
    check_threads(program, inputs, samples, learn_first=learn_first)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "perturbed", "convolutions"])
def test_units_that_are_reset_run_over_threads_as_in_order(case: Cases, name: str) -> None:
    program, data = case(name)
    assert carried(program) == ()
    check_threads(program, data, 12, learn_first=True)


def test_a_lif_that_is_not_reset_carries_its_potential_on(case: Cases) -> None:
    program, data = case("stdp, epoch 1")
    left = carried(program)
    assert {f"{p.name}.{r}" for p in program.populations for r in "uv"} <= {*left}
    machine, wanted = machine_of(program), machine_of(program)
    found = machine.run_split(cut(data), samples=12, each=1, threads=3)
    in_order = wanted.run(data, samples=12, learn=False)
    np.testing.assert_array_equal(found.answers, in_order.answers)
    assert found.counters == in_order.counters


def test_a_dependent_program_split_all_the_same_would_end_otherwise(case: Cases) -> None:
    program, data = case("instructions")
    assert carried(program)
    wanted, machine = machine_of(program), machine_of(program)
    wanted.run(data, samples=12, learn=False)
    run_batch(machine, cut(data), samples=12, each=1, threads=3)
    left, right = machine.state(), wanted.state()
    assert any(not np.array_equal(left[name], right[name]) for name in right)


def test_shares_are_even_and_none_is_empty() -> None:
    assert shares_of(7, 3) == [(0, 2), (2, 4), (4, 7)]
    assert shares_of(2, 5) == [(0, 1), (1, 2)]
    assert shares_of(0, 3) == [(0, 0)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_session_answers_and_counts_alike_over_any_number_of_threads(
    made: Compiled, threads: int
) -> None:
    x = np.concatenate([DIGITS.x_train, DIGITS.x_test])[:1600]
    with Session(made, engine="reference") as one, Session(made, threads=threads) as other:
        wanted, found = one.run(x[:70]), other.run(x[:70])
        np.testing.assert_array_equal(found.answers, wanted.answers)
        assert other.counters == one.counters
        np.testing.assert_array_equal(other.answers(x[:600]), one.answers(x[:600]))
        left, right = other.state(), one.state()
        assert all(np.array_equal(left[name], right[name]) for name in right)
        with Session(made, threads=1) as alone:
            np.testing.assert_array_equal(other.answers(x), alone.answers(x))


@pytest.mark.parametrize("threads", [1, 3])
def test_spiking_samples_and_labelled_ones_answer_alike_over_threads(threads: int) -> None:
    spikes = Settings(neuron="lif", encode="rate", window=12)
    for rule, settings_of in (("eprop", spikes), ("forward-forward", Settings())):
        made = compile(MODEL, rule=rule, settings=settings_of, calibration=DIGITS.x_train[:64])
        x = DIGITS.x_train[:1100]
        with Session(made, threads=threads) as one, Session(made, threads=1) as other:
            np.testing.assert_array_equal(one.answers(x), other.answers(x))
            assert one.run(x[:90]).counters == other.run(x[:90]).counters


@pytest.mark.parametrize("threads", ["0", "-1", "two", "1.5"])
def test_threads_are_a_number_from_one_on(
    made: Compiled, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEBBITE_THREADS", threads)
    with pytest.raises(UsageError, match="HB0115"):
        Session(made)


def test_the_environment_says_how_many_threads(
    made: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEBBITE_THREADS", "3")
    assert Session(made).threads == 3
    assert Session(made, threads=2).threads == 2


def test_a_refused_sample_at_the_end_stops_a_split_run_before_it_begins(made: Compiled) -> None:
    events = made.coding.inputs(DIGITS.x_train[:40])
    events = {name: values.astype(np.int64) for name, values in events.items()}
    next(iter(events.values()))[-1] = 999
    with Session(made, threads=2) as session, pytest.raises(UsageError, match="HB0114"):
        session.run_events(events, samples=40, learn=False)
    assert session.counters is None
