"""The law of a program: each way to break it has its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import Program, Schedule, Wire
from hebbite.compiler.program.verify import problems_of, verify_program
from hebbite.rules.errors import VerifyError
from hebbite.rules.sums import parse_sum


def constant(program: Program, index: int, name: str, value: int) -> Program:
    """Return the program with one constant of one population changed."""
    population = program.populations[index]
    pairs = tuple((key, value if key == name else old) for key, old in population.constants)
    changed = list(program.populations)
    changed[index] = replace(population, constants=pairs)
    return replace(program, populations=tuple(changed))


def neuron(program: Program, index: int, text: str) -> Program:
    """Return the program with one population's neuron program replaced."""
    changed = list(program.populations)
    changed[index] = replace(changed[index], neuron=parse_neuron(text), constants=(), tables=())
    return replace(program, populations=tuple(changed))


def weight(program: Program, name: str, value: Any) -> Program:
    """Return the program with one tensor replaced."""
    return replace(program, tensors={**program.tensors, name: value})


def group(program: Program, index: int, **changes: object) -> Program:
    """Return the program with one group of synapses changed."""
    changed = list(program.synapses)
    changed[index] = replace(changed[index], **changes)  # type: ignore[arg-type]
    return replace(program, synapses=tuple(changed))


def plastic(program: Program, **changes: object) -> Program:
    """Return the program with its first plastic group changed."""
    first, *rest = program.plasticity
    return replace(program, plasticity=(replace(first, **changes), *rest))  # type: ignore[arg-type]


def test_a_sound_program_passes(program: Program) -> None:
    verify_program(program)


BREAKS: list[tuple[str, Callable[[Program], Program]]] = [
    ("HB0430", lambda p: replace(p, sources=(*p.sources, p.sources[0]))),
    ("HB0431", lambda p: group(p, 0, pre="nobody")),
    ("HB0431", lambda p: replace(p, wires=(Wire("hidden", "out"),))),
    (
        "HB0432",
        lambda p: replace(
            p, populations=(replace(p.populations[0], constants=()), p.populations[1])
        ),
    ),
    ("HB0469", lambda p: neuron(p, 0, "neuron still() {\n state q\n always\n q = mov a\n}")),
    ("HB0433", lambda p: constant(p, 0, "feedback", 5)),
    ("HB0433", lambda p: replace(p, sources=(replace(p.sources[0], offsets=(0,)), p.sources[1]))),
    ("HB0434", lambda p: weight(p, "to_out.weight", np.zeros((3, 4), np.int16))),
    ("HB0434", lambda p: weight(p, "to_out.weight", np.zeros((3, 5)))),
    ("HB0435", lambda p: weight(p, "to_out.weight", np.full((3, 5), 300, np.int16))),
    ("HB0435", lambda p: group(p, 0, delay=0)),
    ("HB0435", lambda p: group(p, 0, exponent=8)),
    ("HB0436", lambda p: group(p, 1, delay=2)),
    ("HB0436", lambda p: constant(p, 1, "fire", 2)),
    ("HB0437", lambda p: plastic(p, epoch=3)),
    (
        "HB0437",
        lambda p: replace(
            p,
            schedule=Schedule(70, 3),
            plasticity=tuple(replace(x, epoch=70) for x in p.plasticity),
        ),
    ),
    ("HB0438", lambda p: plastic(replace(p, target="ideal"), dw=parse_sum("dw = 2^-8*x0*x1"))),
    ("HB0438", lambda p: group(p, 0, delay=2)),
    ("HB0438", lambda p: plastic(p, traces=p.plasticity[0].traces[:2])),
    ("HB0438", lambda p: plastic(p, dw=parse_sum("dw = x0*x1*y2*y3*w"))),
    ("HB0438", lambda p: plastic(p, dw=parse_sum("dw = 2^-1*u0*t"))),
    ("HB0438", lambda p: plastic(p, dw=parse_sum("dw = 2^-1*u0*d"))),
    ("HB0438", lambda p: plastic(p, dw=parse_sum("dt = 2^-1*u0*w"))),
    ("HB0438", lambda p: plastic(p, dt=parse_sum("dd = 2^-1*u0*t"))),
    ("HB0438", lambda p: plastic(p, dt=parse_sum("dt = 2^-1*u0*y1"))),
    ("HB0454", lambda p: plastic(p, dw=parse_sum("dw = u1*t"), dt=parse_sum("dt = u0*t"))),
    ("HB0450", lambda p: plastic(p, dt=parse_sum("dt = 9*u0*t"))),
]


@pytest.mark.parametrize(("code", "break_"), BREAKS)
def test_a_broken_law_is_reported_with_its_code(
    program: Program, code: str, break_: Callable[[Program], Program]
) -> None:
    broken = break_(program)
    assert code in [problem.code for problem in problems_of(broken)]
    with pytest.raises(VerifyError, match="after pass 'place'"):
        verify_program(broken, running="place")


def test_a_stale_temporary_is_reported_with_the_node_of_the_users_file(program: Program) -> None:
    text = "neuron stale(fire) {\nat 1\nt = mov a\nat fire\nv = mov t\n}"
    changed = replace(program.populations[1], neuron=parse_neuron(text))
    stale = replace(program, populations=(program.populations[0], changed))
    (found,) = [problem for problem in problems_of(stale) if problem.code == "HB0468"]
    assert found.origin == "node 'fc2'"
    assert found.hint == "declare it: state t"


def test_a_rule_may_keep_a_tag_and_read_it(program: Program) -> None:
    dw, dt = parse_sum("dw = 2^-3*u1*t"), parse_sum("dt = 2^-2*x0*x1*y2 - 2^-3*u1*t")
    verify_program(plastic(program, dw=dw, dt=dt))


def test_an_input_sum_that_can_leave_int32_is_refused(program: Program) -> None:
    lines = 40_000
    wide = replace(program.sources[0], size=lines - 1)
    big = weight(program, "to_hidden.weight", np.zeros((4, lines), np.int16))
    big = replace(big, sources=(wide, program.sources[1]))
    assert "beyond int32" in str([p.what for p in problems_of(big)])
