"""What carries over from one sample to the next is found; what is overwritten is not named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hebbite.compiler.program.independence import carried
from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import (
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program

PERIOD = 4


def program_of(body: str, *, delay: int = 1, back: int = 0, states: str = "v") -> Program:
    """Return a source, one population and, ``back`` steps late, what it sends to itself."""
    neuron = parse_neuron(f"neuron unit() {{\n  state {states}\n{body}\n}}")
    groups = [Synapses("to", "in", "out", "w.to", delay=delay)]
    groups += [Synapses("back", "out", "out", "w.back", port="third", delay=back)] if back else []
    program = Program(
        name="one",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(Source("in", 2, (1,)),),
        populations=(Population("out", 3, neuron, cores=(0,)),),
        synapses=tuple(groups),
        readout=Readout("out", "v", PERIOD),
        tensors={
            "w.to": np.ones((3, 2), np.int64),
            **({"w.back": np.ones((3, 3), np.int64)} if back else {}),
        },
    )
    verify_program(program)
    return program


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("at 1\n v = reset\nat 2..4\n v = add v, a\n v = min v, 99\n v = max v, 0", ()),
        ("at 2\n v = mov a", ()),
        ("at 4\n v = mov 7", ()),
        ("always\n v = random 3", ()),
        ("always\n v = add v, a\n v = min v, 99\n v = max v, 0", ("out.v",)),
        ("at 1\n v = add v, a\n v = min v, 99\n v = max v, 0", ("out.v",)),
        ("at 1\n v = mul v, 0", ("out.v",)),
        ("at 2\n y1 = min v, 9\n y1 = max y1, 0\nat 3\n v = reset", ("out.y1",)),
        ("at 2\n v = reset\nat 1\n y1 = min v, 9\n y1 = max y1, 0\nat 4\n y1 = mov 1", ()),
        ("at 0\n v = add v, a\nat 1..4\n y1 = mov 1", ()),
    ],
)
def test_what_is_overwritten_before_the_sample_ends_does_not_carry_over(
    body: str, left: tuple[str, ...]
) -> None:
    assert carried(program_of(body)) == left


def test_a_message_that_arrives_in_the_next_sample_carries_over_where_it_is_kept() -> None:
    kept = "at 1\n v = mov a"
    assert carried(program_of(kept, delay=3)) == ()  # sent at 1, read at 4 only
    assert carried(program_of(kept, delay=4)) == ("out.v",)
    assert carried(program_of("at 2\n v = mov a", delay=4)) == ()


def test_a_message_under_way_is_stale_if_what_it_was_made_of_is() -> None:
    sends = "at 1\n q = min third, 9\n q = max q, 0\n s = mov q\nat 4\n s = mov q\n v = mov 1"
    stale = program_of("at 1\n v = reset\nat 4\n s = mov 1", back=1)
    assert carried(stale) == ()
    fed = program_of(f"{sends}\n", back=4, states="v, q")
    assert carried(fed) == ("out.q", "back")


def test_messages_that_are_longer_under_way_than_a_sample_carry_over() -> None:
    assert carried(program_of("at 2\n v = mov 1", delay=PERIOD)) == ()
    assert carried(program_of("at 2\n v = mov 1", delay=PERIOD + 1)) == ("to",)
    silent = program_of("at 2\n v = mov 1", back=PERIOD + 1)
    assert carried(silent) == ()


def test_a_bias_line_sends_what_the_program_says() -> None:
    program = program_of("at 1\n v = mov third", back=1)
    assert carried(program) == ()
    biased = dataclasses.replace(program.populations[0], bias=((4, 1),))
    weight = {**program.tensors, "w.back": np.ones((3, 4), np.int64)}
    program = dataclasses.replace(program, populations=(biased,), tensors=weight)
    verify_program(program)
    assert carried(program) == ("out.v",)
