"""A program prints, and what prints parses back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.program.types import Program, Synapses
from hebbite.rules.errors import InputFileError
from hebbite.rules.sums import parse_sum


def test_a_program_prints_as_a_person_expects(
    program: Program, golden: Callable[[str], str]
) -> None:
    assert print_program(program) == golden("program/small")


def test_every_field_survives_printing_and_parsing(program: Program) -> None:
    parsed = parse_program(print_program(program), program.tensors)
    for field in fields(Program):
        if field.name != "tensors":
            assert getattr(parsed, field.name) == getattr(program, field.name), field.name


def test_an_inference_that_begins_late_survives(program: Program) -> None:
    late = replace(program, schedule=replace(program.schedule, inference_start=2))
    assert parse_program(print_program(late), late.tensors).schedule == late.schedule


@pytest.mark.parametrize("magnitude", [0, 64])
def test_a_mirror_and_a_delay_survive(program: Program, magnitude: int) -> None:
    changed = replace(program.synapses[2], mirror="to_out", delay=5, exponent=-3, graded=False)
    changed = replace(changed, magnitude=magnitude)
    odd = replace(program, synapses=(*program.synapses[:2], changed))
    assert parse_program(print_program(odd), odd.tensors).synapses[2] == changed
    assert isinstance(changed, Synapses)


def test_the_update_of_a_tag_survives(program: Program) -> None:
    first, *rest = program.plasticity
    tagged = replace(first, dt=parse_sum("dt = 2^-2*u0*x1*y2 - 2^-3*u0*t"))
    text = print_program(replace(program, plasticity=(tagged, *rest)))
    assert "    dt = 2^-2*u0*x1*y2 - 2^-3*u0*t\n  }" in text
    assert parse_program(text, program.tensors).plasticity == (tagged, *rest)
    twice = text.replace("    dt = ", "    dt = 2^0*u0*t\n    dt = ")
    with pytest.raises(InputFileError, match="and at most one"):
        parse_program(twice, program.tensors)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("program @small", "programme @small"),
        ("neurons[4]", "neurons[four]"),
        ("relu {", "rleu {"),
        ("period=4", "period"),
        ("readout %out v at 3", "readout %out v"),
        ("  readout %out v at 3\n", ""),
        ("wire(%target", "wire(target"),
        ("every 4", "every"),
        ("delay=1", "delay=1, delay"),
    ],
)
def test_damaged_text_is_refused_with_its_line(program: Program, old: str, new: str) -> None:
    text = print_program(program)
    assert old in text
    with pytest.raises(InputFileError, match="HB0710"):
        parse_program(text.replace(old, new, 1), program.tensors)


@pytest.mark.parametrize("text", ["", "x", "program @p for loihi2 {\n}"])
def test_text_that_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(InputFileError, match="HB0710"):
        parse_program(text, {})
