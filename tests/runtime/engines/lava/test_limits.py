"""What stock Lava cannot do is refused when a program is opened: all at once, with reasons."""

from __future__ import annotations

import dataclasses

import pytest

from hebbite.compiler.program.types import Population, Program, Widths
from hebbite.rules.errors import EngineError
from hebbite.rules.traces import Trace
from hebbite.runtime.engines.lava.limits import check_limits


def test_both_programs_are_within_the_limits(graded: Program, spiking: Program) -> None:
    check_limits(graded, "lava-exact")
    check_limits(spiking, "lava-exact")


def test_independent_rounding_is_refused_where_something_learns(graded: Program) -> None:
    with pytest.raises(EngineError, match=r"HB0604.*one random number for all synapses"):
        check_limits(graded, "independent")
    groups = tuple(dataclasses.replace(group, mirror="") for group in graded.synapses)
    check_limits(dataclasses.replace(graded, plasticity=(), synapses=groups), "independent")


def test_everything_that_does_not_fit_is_listed(graded: Program) -> None:
    fc1 = dataclasses.replace(graded.plasticity[0], traces=(("x2", Trace(9, mode="overwrite")),))
    fc3 = dataclasses.replace(graded.plasticity[2], traces=(("y2", Trace(9)),))
    groups = list(graded.synapses)
    groups[0] = dataclasses.replace(groups[0], delay=2)
    groups[3] = dataclasses.replace(groups[3], mirror="fb2")
    groups[4] = dataclasses.replace(groups[4], weight="fc3", mirror="")
    program = dataclasses.replace(
        graded,
        widths=Widths(16),
        populations=(*graded.populations, Population("lonely", 3, graded.populations[0].neuron)),
        synapses=tuple(groups),
        plasticity=(fc1, graded.plasticity[1], fc3),
    )
    with pytest.raises(EngineError) as caught:
        check_limits(program, "lava-exact")
    assert [problem.code for problem in caught.value.problems] == ["HB0606"] * 7
    text = str(caught.value)
    for reason in (
        "weights have 8 bits",
        "%lonely has no connection to %h1",
        "mirrors %fb2, which does not learn",
        "shared with %fb2",
        "delay 1",
        "only x1 of a graded group can be overwritten",
        "y2 has tau 9, impulse 0",
    ):
        assert reason in text
