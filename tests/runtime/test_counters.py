"""Every count of a tiny program, by hand.

Two samples of four steps; inference ends at step 3. The input sends (2, 0) and then (0, 0), its
bias line 4; the teacher sends 5 and then nothing.

                      sample 1                      sample 2
    step 1  in        2, -, bias 4                  -, -, bias 4
    step 2  cells v   1*2, 5*4 = 2, 20: both send   2*4, 25*4 = 8, 100: both send
    step 3  top v     3*2 + 0*20 = 6; e = 6 + 5     3*8 + 0*100 = 24; e = 24
    step 4  learn     fc += y1 = (2, 20) on lines   fc += (8, 100) on the bias line; the second
                      0 and bias: four changes      epoch also takes 1 where x0 and y0: two changes
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hebbite.compiler.program.neuron import parse_neuron
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Wire,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.counters import COUNTERS, INDEX, PHASES, Counters
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.gates import gates
from hebbite.runtime.recording import Recording

CELL = parse_neuron("""
neuron cell() {
  state v
  at 1
    v = reset
    y1 = mov 0
  at 2
    v = add v, a
    v = max v, -999
    v = min v, 999
    s = mov v
    n = random 3
  at 4
    y1 = max v, 0
    y1 = min y1, 127
    bap = gt v, 9
}
""")
TOP = parse_neuron("""
neuron top() {
  state v
  at 1
    v = reset
    y1 = mov 0
  at 3
    v = add v, a
    v = max v, -999
    v = min v, 999
    e = add v, third
  at 4
    y1 = mov 0
}
""")
WRITTEN = Trace(tau=65535)

EXPECTED = {
    # 3 of 4 steps serve inference, in both samples
    ("tiny", "inference"): {"steps": 6},
    ("tiny", "learning"): {"steps": 2},
    # words: 2 and the bias, then the bias alone
    ("in", "inference"): {"host_words": 3},
    # the teacher is learning whenever it speaks; in sample 2 it does not
    ("target", "learning"): {"host_words": 1},
    # active: steps 1..3 of sample 1: 0 (v = 0), 2 (messages), 2 (v); of sample 2: 2 (v of before),
    # 2 (the bias line reaches both: its weights are 2 and 25 now), 2
    ("cells", "inference"): {
        "neuron_steps": 12,
        "neuron_active": 10,
        "spikes_out": 4,
        "resets": 4,
        "rng_draws": 4,
    },
    ("cells", "learning"): {"neuron_steps": 4, "neuron_active": 4},
    # active: 0, 0, 1 (message), then 1 (v of before), 0, 1; one word of answer a sample; e is 6 and
    # the teacher, then 24
    ("top", "inference"): {
        "neuron_steps": 6,
        "neuron_active": 3,
        "spikes_out": 2,
        "resets": 2,
        "host_words": 2,
    },
    ("top", "learning"): {"neuron_steps": 2, "neuron_active": 2},
    # sample 1: lines 0 and bias reach one non-zero weight each; sample 2: the bias line reaches
    # two. Three messages go to both cores of cells; the host's lines take no axon
    ("fc", "inference"): {"syn_ops": 4, "spikes_in": 6},
    # traces: x1 by 2 + 1 messages, y1 by 2 + 2 values that are not 0. Visited: 2 lines x 2
    # neurons, then 1 x 2; terms: 4, then 2 and one of the product that waits for u1
    ("fc", "learning"): {
        "trace_updates": 7,
        "rule_terms": 7,
        "updates_visited": 6,
        "updates_changed": 6,
        "rng_draws": 6,
    },
    # two messages a sample, of which one meets a weight; from tiles (0, 0) and (0, 1) to (0, 2)
    ("out", "inference"): {"syn_ops": 2, "spikes_in": 4, "axon_out": 4, "hops_ns": 6},
    # both lines sent, so both synapses are visited, and y1 = 0 changes nothing
    ("out", "learning"): {"rule_terms": 4, "updates_visited": 4, "rng_draws": 4},
    # one message a sample to two cores, 2 and 1 tiles away; one non-zero weight; 2 words a copy
    ("back", "learning"): {
        "syn_ops": 2,
        "spikes_in": 4,
        "axon_out": 4,
        "hops_ns": 6,
        "host_words": 4,
    },
}


@pytest.fixture
def tiny() -> Program:
    """2 inputs, 2 cells on two cores, 1 output that sends back what it holds."""
    fc = parse_sum("dw = 2^0*x0*y1 - 2^0*u1*x0*y0")
    held = Trace(tau=65535, mode="overwrite")
    return Program(
        name="tiny",
        target="loihi2",
        schedule=Schedule(4, 3),
        sources=(Source("in", 2, (1,), ((1, 4),)), Source("target", 1, (3,), role="target")),
        populations=(
            Population("cells", 2, CELL, cores=(0, 4)),
            Population("top", 1, TOP, cores=(8,)),
        ),
        synapses=(
            Synapses("fc", "in", "cells", "fc"),
            Synapses("out", "cells", "top", "out"),
            Synapses(
                "back",
                "top",
                "cells",
                "back",
                output="e",
                port="third",
                role="feedback",
                mirror="out",
            ),
        ),
        readout=Readout("top", "v", 3),
        wires=(Wire("target", "top"),),
        plasticity=(
            Plasticity("fc", fc, 4, (("x1", held), ("y1", WRITTEN))),
            Plasticity("out", parse_sum("dw = 2^0*x0*y1"), 4, (("y1", WRITTEN),)),
        ),
        tensors={
            "fc": np.array([[1, 2, 0], [0, 3, 5]], np.int16),
            "out": np.array([[3, 0]], np.int16),
            "back": np.array([[3], [0]], np.int16),
        },
    )


def ran(program: Program, engine: str) -> Recording:
    machine = load_engine(engine).open(program, rounding="independent")
    found = machine.run(
        {"in": np.array([[[2, 0]], [[0, 0]]]), "target": np.array([[[5]], [[0]]])}, samples=2
    )
    assert machine.read("fc").tolist() == [[3, 2, 10], [20, 3, 124]]
    return found


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_every_count_is_the_one_made_by_hand(tiny: Program, engine: str) -> None:
    verify_program(tiny)
    found = ran(tiny, engine)
    assert found.answers.tolist() == [[6], [24]]
    counters = found.counters
    for c, component in enumerate(counters.components):
        for p, phase in enumerate(PHASES):
            counted = {k: int(counters.values[c, p, i]) for k, i in INDEX.items()}
            counted = {name: value for name, value in counted.items() if value}
            assert counted == EXPECTED.get((component, phase), {}), (component, phase)


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_what_happens_before_inference_begins_is_learning(tiny: Program, engine: str) -> None:
    late = replace(tiny, schedule=replace(tiny.schedule, inference_start=3))
    verify_program(late)
    whole, counted = ran(tiny, engine).counters, ran(late, engine).counters
    assert counted.total("steps", phase="inference") == 2  # step 3 of both samples
    for name in COUNTERS:
        assert counted.total(name) == whole.total(name)
    words = counted.to_json()["by_component"]
    assert isinstance(words, dict)
    assert words["in.learning"] == {"host_words": 3}
    assert "in.inference" not in words


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_copied_sign_costs_the_host_the_word_of_a_weight(tiny: Program, engine: str) -> None:
    *groups, back = tiny.synapses
    signs = replace(tiny, synapses=(*groups, replace(back, magnitude=3)))
    verify_program(signs)
    copied = ran(tiny, engine).counters
    assert ran(signs, engine).counters.total("host_words") == copied.total("host_words")


def test_totals_and_plain_data_say_the_same(tiny: Program) -> None:
    counters = ran(tiny, "native").counters
    assert counters.total("host_words") == 14 - 4
    assert counters.total("host_words", phase="inference") == 5
    plain = counters.to_json()
    assert plain["steps"] == 8
    parts = plain["by_component"]
    assert isinstance(parts, dict)
    assert parts["out.learning"] == EXPECTED["out", "learning"]
    assert "target.inference" not in parts


def test_counts_add_up_and_compare(tiny: Program) -> None:
    counters = ran(tiny, "native").counters
    twice = counters + counters
    assert all(twice.total(name) == 2 * counters.total(name) for name in COUNTERS)
    assert twice != counters
    assert counters == ran(tiny, "reference").counters
    other = Counters((*counters.components[:-1], "x"), counters.values)
    assert counters != other
    assert counters != "counters"


@pytest.mark.parametrize(
    ("dw", "number", "visited", "terms"),
    [
        # three lines of which two sent, two neurons of which one learnt
        ("dw = 2^0*x0*w", 1, 4, 4),
        ("dw = 2^0*y0*w", 1, 3, 3),
        ("dw = 2^0*x0*y0*w", 1, 2, 2),
        ("dw = 2^0*x0*w + 2^0*y0*w", 1, 5, 7),  # 4 + 3, two of them the same
        ("dw = 2^0*u0*w", 1, 6, 6),
        ("dw = 2^0*u2*w", 3, 0, 0),
        ("dw = 2^0*u2*w - 2^0*x0*w", 4, 6, 10),
        ("dw = 2^0*u0*x0*y0", 1, 2, 2),
        ("dw = 2^0*x0*(y0-1)", 1, 4, 4),  # a constant beside y0: no gate
    ],
)
def test_gates_say_which_synapses_are_visited(
    dw: str, number: int, visited: int, terms: int
) -> None:
    x0, y0 = np.array([1, 0, 1]), np.array([0, 1])
    assert gates([parse_sum(dw)], x0, y0, number) == (visited, terms, visited)


def test_a_tag_is_visited_with_its_weight_and_drawn_for_on_its_own() -> None:
    x0, y0 = np.array([1, 0, 1]), np.array([0, 1])
    sums = [parse_sum("dw = 2^0*x0*t"), parse_sum("dt = 2^0*y0*x1 - 2^0*x0*y0*t")]
    assert gates(sums, x0, y0, 1) == (5, 4 + 3 + 2, 4 + 3)
    assert gates(sums[1:], x0, y0, 1) == (3, 5, 3)
