"""Neuron programs: text, law, and what each instruction computes."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.arithmetic.neuron import execute, new_registers
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.neuron import OPS, check_steps, parse_neuron
from hebbite.rules.errors import UsageError, VerifyError


def run_one(body: str, a: int, *, third: int = 0, offset: int = 1, tables: object = None) -> int:
    """Execute ``body`` once for one neuron and return what it sends on s."""
    table = np.array([10, 20, 30], np.int16)
    neuron = parse_neuron(f"neuron n(k) {{\n table t\n always\n{body}\n}}").bind({"k": 3}, period=4)
    registers = new_registers(neuron, 1)
    registers["a"] = np.array([a], np.int64)
    registers["third"] = np.array([third], np.int64)
    execute(
        neuron,
        registers,
        offset=offset,
        tables={"t": table},
        random=lambda index, bits: np.array([2**bits - 1], np.int64),
    )
    return int(registers["s"][0])


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=list(NEURONS))
def test_library_text_parses_back(neuron: object) -> None:
    assert parse_neuron(str(neuron)) == neuron


@pytest.mark.parametrize(
    ("op", "a", "third", "expected"),
    [
        ("mov a", 5, 0, 5),
        ("neg a", 5, 0, -5),
        ("abs a", -5, 0, 5),
        ("add a, third", 5, -7, -2),
        ("sub a, third", 5, 7, -2),
        ("mul a, third", 5, -7, -35),
        ("min a, third", 5, 7, 5),
        ("max a, third", 5, 7, 7),
        ("shl a, 3", -5, 0, -40),
        ("shr a, 1", -5, 0, -3),
        ("shrz a, 1", -5, 0, -2),
        ("decay a, 4095", -4096, 0, -4095),
        ("decay a, 4095", -1, 0, 0),
        ("decay a, 4096", 2**23, 0, 2**23),
        ("eq a, third", 5, 5, 1),
        ("ne a, third", 5, 5, 0),
        ("lt a, third", 4, 5, 1),
        ("ge a, third", 5, 5, 1),
        ("gt a, third", 5, 5, 0),
        ("and a, third", 6, 3, 2),
        ("select a, third, k", 1, 9, 9),
        ("select a, third, k", 0, 9, 3),
        ("table t, a", 1, 0, 20),
        ("table t, a", -4, 0, 10),
        ("table t, a", 99, 0, 30),
        ("random 4", 0, 0, 15),
        ("wrap24 a", 2**23, 0, 2**23),
        ("wrap24 a", 2**23 + 1, 0, 1 - 2**23),
        ("wrap24 a", -(2**23), 0, 2**23),
        ("wrap24 a", 2**25, 0, 2**25 - 2**24),
    ],
)
def test_each_op_computes_what_its_line_says(op: str, a: int, third: int, expected: int) -> None:
    assert run_one(f"s = {op}", a, third=third) == expected


def test_every_op_is_described_and_documented() -> None:
    assert all(arity <= 3 and text for arity, text in OPS.values())


@pytest.mark.parametrize(("offset", "expected"), [(1, 0), (2, 7), (3, 7), (4, 0)])
def test_a_guard_holds_from_its_first_to_its_last_offset(offset: int, expected: int) -> None:
    assert run_one("at 2..k\ns = mov 7", 0, offset=offset) == expected


@pytest.mark.parametrize("guard", ["feedback", "feedback..2", "1..feedback"])
def test_a_guard_of_zero_is_never_met(guard: str) -> None:
    neuron = parse_neuron(f"neuron n(feedback) {{\n at {guard}\n s = mov 1\n}}").bind(
        {"feedback": 0}, period=2
    )
    registers = new_registers(neuron, 1)
    for offset in (1, 2):
        execute(neuron, registers, offset=offset, tables={}, random=lambda i, b: np.zeros(1, int))
        assert registers["s"][0] == 0


def test_a_value_that_leaves_int32_is_never_wrapped_in_silence() -> None:
    with pytest.raises(AssertionError, match="leaves int32"):
        run_one("s = shl a, 31", 1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("s = addd a, 1", "did you mean 'add'"),
        ("s = add a", "takes 2 arguments"),
        ("a = mov 1", "can only be read"),
        ("s = mov q", "'q' is never written"),
        ("at q\ns = mov 1", "'q' is never written"),
    ],
)
def test_a_broken_line_is_named(body: str, message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        parse_neuron(f"neuron n() {{\n{body}\n}}")


@pytest.mark.parametrize("text", ["", "neuron n {", "neuron n() {\n s := 1\n}"])
def test_text_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HB0420"):
        parse_neuron(text)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("always\n s = mov t\n t = mov a", "t"),
        ("at 2\n t = mov a\n at 3\n s = mov t", "t"),
        ("at 2..3\n t = mov a\n at 3..4\n s = add 1, t", "t"),
        ("always\n t = add t, 1\n s = mov t", "t"),
        ("at 2\n t = mov a\n always\n s = table c, t", "t"),
    ],
)
def test_a_temporary_that_the_step_did_not_write_is_refused_by_name(body: str, name: str) -> None:
    neuron = parse_neuron(f"neuron n() {{\n table c\n{body}\n}}").bind({}, period=4)
    (problem,) = check_steps(neuron, period=4)
    assert problem.code == "HB0468"
    assert f"'{name}'" in problem.what
    assert problem.hint == f"declare it: state {name}"
    declared = parse_neuron(f"neuron n() {{\n table c\n state {name}\n{body}\n}}")
    assert not check_steps(declared.bind({}, period=4), period=4)


@pytest.mark.parametrize(
    "body",
    [
        "always\n t = mov a\n at 2\n s = mov t",
        "at 2..3\n t = mov a\n s = mov t",
        "at 0\n s = mov t\n always\n t = mov a",
        "always\n s = add s, e\n y2 = add y2, 1\n bap = mov third",
    ],
)
def test_what_a_step_wrote_before_and_what_outlives_it_can_be_read(body: str) -> None:
    neuron = parse_neuron(f"neuron n() {{\n{body}\n}}").bind({}, period=4)
    assert not check_steps(neuron, period=4)
