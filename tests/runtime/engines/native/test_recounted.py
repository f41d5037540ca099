"""Rows whose weights change are added and counted at once, however many there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.groups import varying
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.plan import CONSTANT, FORGOTTEN, RECOUNTED
from hebbite.runtime.engines.native.recounted import BITS, sum_recounted
from hebbite.runtime.engines.registry import load_engine

WORD, SHORT = kind_of(np.dtype(np.int32)), kind_of(np.dtype(np.int16))
ENGINES = ("reference", "native")
ROWS = 12_288
"""More than a tally holds: 3 * 12,288 > 2^15."""
SHARED = Synapses("again", "in", "cells", "w", graded=True, port="third")


@given(
    size=st.integers(1, 90),
    count=st.integers(1, 300),
    up=st.integers(0, 7),
    edge=st.sampled_from((-(2**BITS), 2**BITS - 1)),
    seed=st.integers(0, 9),
)
def test_rows_are_added_and_their_weights_that_are_not_0_counted(
    size: int, count: int, up: int, edge: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.choice([edge, 0, 1], (count, size), p=[0.9, 0.06, 0.04]).astype(np.int16)
    ids = rng.permutation(count).astype(np.int32)
    due, sums = rng.integers(-9, 9, size).astype(np.int32), np.full(size, 7, np.int16)
    kinds = (WORD, SHORT, SHORT, SHORT, WORD, None, None)
    met = compiled(sum_recounted, *kinds)(due, sums, sums + 1, weights.reshape(-1), ids, count, up)
    assert met == np.count_nonzero(weights)
    assert np.array_equal(due, weights.sum(axis=0, dtype=np.int64) << up)


def program(lines: int, post: int = 2, bits: int = BITS) -> Program:
    """Return lines to leaky units by a matrix all of which changes at every epoch."""
    lif = (("du_keep", 0), ("dv_keep", 3000), ("threshold", 64 * 1000))
    rule, traces = parse_sum("dw = u0*x1 - x0*w"), (("x1", Trace(8, 60)),)
    return Program(
        name="changing",
        target="ideal",
        schedule=Schedule(4, 4),
        sources=(Source("in", lines, (1, 3)),),
        populations=(Population("cells", post, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=(Synapses("group", "in", "cells", "w", graded=False),),
        plasticity=(Plasticity("group", rule, 1, traces, factors=2),),
        readout=Readout("cells", "s", 4, count=True),
        tensors={
            "bias": np.zeros(post, np.int32),
            "w": np.random.default_rng(lines).integers(-3, 3, (post, lines)).astype(np.int32),
        },
        widths=Widths(bits),
    )


def test_changed_weights_of_more_rows_than_a_tally_holds_are_all_counted() -> None:
    made = program(ROWS)
    sent = {"in": np.ones((2, 2, ROWS), np.int8)}
    machines = [load_engine(name).open(made, rounding="lava-exact") for name in ENGINES]
    defined, counted = (machine.run(sent, samples=2).counters for machine in machines)
    assert counted.total("updates_changed") > 2**15
    assert np.array_equal(counted.values, defined.values)


@pytest.mark.parametrize(
    ("made", "how"),
    [
        (program(9), RECOUNTED),
        (program(9, bits=BITS + 1), FORGOTTEN),
        (replace(program(9), synapses=(*program(9).synapses, SHARED)), FORGOTTEN),
        (replace(program(9), plasticity=()), CONSTANT),
    ],
    ids=["spikes", "wide weights", "payloads through the same weights", "nothing learns"],
)
def test_only_narrow_weights_through_which_spikes_alone_pass_are_counted_as_they_are_added(
    made: Program, how: int
) -> None:
    assert varying(made).get("w", CONSTANT) == how
