"""Rows and columns that add steps to their weights learn what every synapse by itself does."""

from __future__ import annotations

import numpy as np
import pytest

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
    Widths,
)
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.engines.native.rule_views import Rule
from hebbite.runtime.engines.native.rules import used
from hebbite.runtime.engines.native.weights import SHORT_BITS
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.verify import verify

STEPS = 120
TRACES = (("x1", Trace(8, 60)), ("y1", Trace(8, 60)))


def dense(text: str, lines: int, post: int, bits: int) -> Program:
    """Return lines to leaky units by a matrix that learns a sum, step by step."""
    rng, top = np.random.default_rng(post), 2**bits
    weight = rng.choice([-top, top - 1, -1, 0, 0, 1, top // 3, top // 4], (post, lines))
    threshold = int(64 * 256 * np.sqrt(0.05 * lines))
    lif = (("du_keep", 0), ("dv_keep", 3000), ("threshold", threshold))
    return Program(
        name="dense",
        target="ideal",
        schedule=Schedule(STEPS, STEPS),
        sources=(Source("in", lines, tuple(range(1, STEPS + 1))),),
        populations=(Population("cells", post, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=(Synapses("group", "in", "cells", "w", exponent=8 - bits, graded=False),),
        plasticity=(Plasticity("group", parse_sum(text), 1, TRACES, factors=2),),
        readout=Readout("cells", "s", STEPS, count=True),
        tensors={"bias": np.zeros(post, np.int32), "w": weight.astype(np.int32)},
        widths=Widths(bits),
    )


@pytest.mark.parametrize("bits", [8, SHORT_BITS, SHORT_BITS + 1, 16])
@pytest.mark.parametrize(("lines", "post"), [(60, 200), (300, 33)])
@pytest.mark.parametrize(
    "text",
    [
        "dw = 2^-6*y0*x1 - 2^-6*x0*y1",
        "dw = 2^0*y0*x1 - 2^1*x0*y1",
        "dw = 2^-3*x0*y1",
        "dw = 2^-2*x0*y1 - 2^-4*y0*x0*w",
        "dw = 2^-2*x0 - 2^-1*y0*x1",
        "dw = 2^-3*u1*x0*y1 - 2^-5*y0*w",
    ],
)
def test_rows_of_lines_that_sent_step_as_the_reference_learns(
    text: str, lines: int, post: int, bits: int
) -> None:
    program = dense(text, lines, post, bits)
    (plasticity,) = program.plasticity
    assert "row_steps" in used(Rule(plasticity, program.widths, 16))
    shape = (2, STEPS, lines)
    sent = {"in": (np.random.default_rng(3).random(shape) < 0.05).astype(np.int8)}
    engines = ("reference", "native")
    found = verify(program, sent, engines=engines, steps=2 * STEPS, rounding="lava-exact")
    assert found.equal
    machines = [load_engine(name).open(program, rounding="lava-exact") for name in engines]
    defined, counted = (machine.run(sent, samples=2).counters for machine in machines)
    assert np.array_equal(counted.values, defined.values)
    assert 0.002 < counted.total("spikes_out") / (2 * STEPS * post) < 0.9
    assert counted.total("updates_changed") > 0


def test_all_synapses_learn_where_more_meet_than_a_column_has_room_for() -> None:
    lines, post, steps = 40, 50, 40
    program = dense("dw = 2^-2*y0*x1 - 2^-2*x0*y1", lines, post, 8)
    sent = {"in": np.ones((1, STEPS, lines), np.int8)}
    engines = ("reference", "native")
    assert verify(program, sent, engines=engines, steps=steps, rounding="lava-exact").equal
    probed = load_engine("native").open(program, rounding="lava-exact")
    spikes = probed.run(sent, samples=1, probes=("cells.s",)).values["cells.s"]
    assert (spikes != 0).sum(axis=-1).max() * lines > max(lines, post) + 16


def test_rows_of_a_list_do_not_step() -> None:
    plasticity = Plasticity("group", parse_sum("dw = 2^-3*x0*y1"), 1, TRACES)
    assert used(Rule(plasticity, Widths(8), 16, target=16)) == ("row", "column")
