"""A program with a part missing, doubled or wired wrongly has problems, and never crashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.compiler.program.types import Program, Readout, Schedule, Wire
from hebbite.compiler.program.verify import problems_of, verify_program
from hebbite.rules.errors import VerifyError

PARTS = ("sources", "populations", "synapses", "wires", "plasticity", "probes")


def without(program: Program) -> Iterator[tuple[str, Program]]:
    """Give the program without each one of its parts, in turn."""
    for field in PARTS:
        parts = getattr(program, field)
        for index in range(len(parts)):
            changes: Any = {field: (*parts[:index], *parts[index + 1 :])}
            yield f"{field}[{index}]", replace(program, **changes)
    for name in program.tensors:
        kept = {key: value for key, value in program.tensors.items() if key != name}
        yield f"@{name}", replace(program, tensors=kept)


def sound_or_refused(program: Program) -> None:
    if not list(problems_of(program)):
        verify_program(program)
        return
    with pytest.raises(VerifyError, match="HB04"):
        verify_program(program)


def test_a_part_left_out_is_refused_or_was_not_needed(program: Program) -> None:
    needed = []
    for name, left in without(program):
        sound_or_refused(left)
        if list(problems_of(left)):
            needed.append(name)
    assert needed == [
        "sources[0]",
        "sources[1]",
        "populations[0]",
        "populations[1]",
        "synapses[0]",
        "synapses[1]",
        "@to_hidden.weight",
        "@to_out.weight",
        "@back_hidden.weight",
    ]


def test_two_parts_left_out_are_refused_or_were_not_needed(program: Program) -> None:
    for _, left in without(program):
        for _, less in without(left):
            sound_or_refused(less)


def group(program: Program, index: int, **changes: Any) -> Program:
    changed = list(program.synapses)
    changed[index] = replace(changed[index], **changes)
    return replace(program, synapses=tuple(changed))


def renamed(program: Program) -> Program:
    """Return the program with another neuron program under the name of the first population's."""
    first, second, *rest = program.populations
    neuron = replace(second.neuron, name=first.neuron.name)
    return replace(program, populations=(first, replace(second, neuron=neuron), *rest))


BREAKS: dict[str, tuple[str, Callable[[Program], Program]]] = {
    "wire from nowhere": ("HB0431", lambda p: replace(p, wires=(Wire("none", "out"),))),
    "wire to nowhere": ("HB0431", lambda p: replace(p, wires=(Wire("target", "none"),))),
    "wire too wide": ("HB0464", lambda p: replace(p, wires=(Wire("target", "hidden"),))),
    "wire twice": ("HB0461", lambda p: replace(p, wires=p.wires * 2)),
    "plastic nothing": (
        "HB0431",
        lambda p: replace(p, plasticity=(replace(p.plasticity[0], synapses="none"),)),
    ),
    "two rules": ("HB0461", lambda p: replace(p, plasticity=p.plasticity * 2)),
    "the name of a source": ("HB0430", lambda p: replace(p, name="image")),
    "the name of a population": ("HB0430", lambda p: replace(p, name="out")),
    "the name of a group": ("HB0430", lambda p: replace(p, name="to_out")),
    "two neuron programs of one name": ("HB0430", renamed),
    "readout of nobody": ("HB0431", lambda p: replace(p, readout=Readout("none", "v", 3))),
    "readout of a source": ("HB0431", lambda p: replace(p, readout=Readout("image", "v", 3))),
    "no such register": ("HB0462", lambda p: replace(p, readout=Readout("out", "vv", 3))),
    "readout too late": ("HB0462", lambda p: replace(p, readout=Readout("out", "v", 5))),
    "readout at 0": ("HB0462", lambda p: replace(p, readout=Readout("out", "v", 0))),
    "mirror of nothing": ("HB0431", lambda p: group(p, 2, mirror="none")),
    "mirror of another shape": ("HB0464", lambda p: group(p, 2, mirror="to_hidden")),
    "mirror of itself": ("HB0461", lambda p: group(p, 2, mirror="back_hidden")),
    "mirror that learns": ("HB0461", lambda p: group(p, 0, mirror="to_out")),
    "magnitude of no mirror": ("HB0461", lambda p: group(p, 2, magnitude=8)),
    "magnitude beyond the word": (
        "HB0435",
        lambda p: group(p, 2, mirror="to_out", magnitude=256),
    ),
    "magnitude below 0": ("HB0435", lambda p: group(p, 2, mirror="to_out", magnitude=-1)),
    "no such port": ("HB0464", lambda p: group(p, 0, port="b")),
    "no such output": ("HB0464", lambda p: group(p, 2, output="q")),
    "errors of a source": ("HB0464", lambda p: group(p, 0, output="e")),
    "group from nowhere": ("HB0431", lambda p: group(p, 0, pre="none")),
    "group to nowhere": ("HB0431", lambda p: group(p, 0, post="none")),
    "period of 0": ("HB0463", lambda p: replace(p, schedule=Schedule(0, 0))),
    "inference too long": ("HB0463", lambda p: replace(p, schedule=Schedule(4, 5))),
    "inference from step 0": (
        "HB0463",
        lambda p: replace(p, schedule=replace(p.schedule, inference_start=0)),
    ),
    "inference begun after its end": (
        "HB0463",
        lambda p: replace(p, schedule=replace(p.schedule, inference_start=4)),
    ),
    "empty population": (
        "HB0463",
        lambda p: replace(p, populations=(replace(p.populations[0], size=0), p.populations[1])),
    ),
    "late bias": (
        "HB0433",
        lambda p: replace(
            p, populations=(replace(p.populations[0], bias=((9, 1),)), p.populations[1])
        ),
    ),
    "unknown trace": (
        "HB0438",
        lambda p: replace(
            p,
            plasticity=(
                replace(
                    p.plasticity[0], traces=(*p.plasticity[0].traces, p.plasticity[0].traces[0])
                ),
            ),
        ),
    ),
    "real table": (
        "HB0432",
        lambda p: replace(
            p,
            populations=(replace(p.populations[0], tables=(("bias", "t"),)), p.populations[1]),
            tensors={**p.tensors, "t": np.zeros(4)},  # type: ignore[dict-item]
        ),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_wrong_wiring_is_a_problem_with_its_code(program: Program, name: str) -> None:
    code, break_ = BREAKS[name]
    broken = break_(program)
    assert code in [problem.code for problem in problems_of(broken)]
    sound_or_refused(broken)


def test_a_mirror_of_the_transposed_shape_is_sound(program: Program) -> None:
    assert not list(problems_of(group(program, 2, mirror="to_out")))
    assert not list(problems_of(group(program, 2, mirror="to_out", magnitude=255)))


def test_a_source_that_sends_its_bias_only_is_no_crash(program: Program) -> None:
    sources = (replace(program.sources[0], offsets=()), program.sources[1])
    sound_or_refused(replace(program, sources=sources))


NAMES = st.sampled_from(["image", "target", "hidden", "out", "to_out", "none", ""])
NUMBERS = st.integers(-3, 9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_field_changed_by_chance_gives_problems_or_a_sound_program(
    program: Program, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(["sources", "populations", "synapses", "wires", "readout"]))
    value = getattr(program, field)
    parts = list(value) if isinstance(value, tuple) else [value]
    index = data.draw(st.integers(0, len(parts) - 1))
    part = parts[index]
    simple = [f.name for f in fields(part) if isinstance(getattr(part, f.name), str | int)]
    name = data.draw(st.sampled_from(simple))
    kind = NAMES if isinstance(getattr(part, name), str) else NUMBERS
    parts[index] = replace(part, **{name: data.draw(kind)})
    changed: Any = tuple(parts) if isinstance(value, tuple) else parts[0]
    sound_or_refused(replace(program, **{field: changed}))


@pytest.mark.parametrize("kind", ["source", "population", "group"])
def test_a_name_that_is_not_there_is_told(program: Program, kind: str) -> None:
    with pytest.raises(LookupError, match="has no"):
        getattr(program, kind)("none")
