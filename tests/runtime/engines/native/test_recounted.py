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
from hebbite.runtime.engines.native.aligned import padded
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.counts import BEHIND
from hebbite.runtime.engines.native.groups import varying
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.plan import (
    ALL,
    CONSTANT,
    FORGOTTEN,
    RECOUNTED,
    SOME,
    Short,
    Word,
)
from hebbite.runtime.engines.native.recounted import (
    BITS,
    LANES,
    WIDEST,
    reach_recounted,
    sum_recounted,
)
from hebbite.runtime.engines.registry import load_engine

WORD, SHORT, BYTE = (kind_of(np.dtype(each)) for each in (np.int32, np.int16, np.uint8))
ENGINES = ("reference", "native")
ROWS = 12_288
"""More than a tally holds: 3 * 12,288 > 2^15."""
SHARED = Synapses("again", "in", "cells", "w", graded=True, port="third")


@given(
    size=st.integers(1, 200),
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
    met, due = recounted(weights, ids, up)
    assert met == np.count_nonzero(weights)
    assert np.array_equal(due, weights.sum(axis=0, dtype=np.int64) << up)


@pytest.mark.parametrize("size", [WIDEST - 1, WIDEST, WIDEST + 1, 2 * WIDEST + 70])
@pytest.mark.parametrize("weight", [0, 2])
def test_rows_wider_than_a_count_of_16_bits_are_counted(size: int, weight: int) -> None:
    weights = np.full((13, size), weight, np.int16)
    weights[:, -1] = 5
    met, due = recounted(weights, np.arange(13, dtype=np.int32), 0)
    assert met == np.count_nonzero(weights)
    assert np.array_equal(due, weights.sum(axis=0))


def recounted(weights: Short, ids: Word, up: int) -> tuple[int, Word]:
    """Return what the kernel counts and sums of some rows; what stands behind rows, sums and inputs
    is not 0, and must not change the counts.
    """
    lines, size = weights.shape
    held = np.full(lines * size + BEHIND, 3, np.int16)
    held[: lines * size] = weights.reshape(-1)
    due, sums = np.full(size + 9, 4, np.int32), np.full(padded(size) + BEHIND, 7, np.int16)
    ramp = np.full(2 * padded(size) + LANES, -1, np.int16)
    ramp[-LANES:] = 0
    kinds = (WORD, SHORT, SHORT, SHORT, WORD, None, None)
    met = compiled(sum_recounted, *kinds)(due[:size], sums, ramp, held, ids, len(ids), up)
    assert met is not None
    assert (due[size:] == 4).all()
    assert np.array_equal(held[: lines * size].reshape(weights.shape), weights)
    return met, due[:size]


@pytest.mark.parametrize(
    ("rows", "filled"),
    [
        ([[1, 2, 3]], ALL),
        ([[1, 0, 3]], SOME),
        ([[1, 2, 3], [1, -2, 1]], ALL),
        ([[1, 2, 3], [1, -2, 0]], ALL),
        ([[1, 0, 3], [1, 0, 0]], SOME),
        ([[0, 5, 3], [1, 0, 0], [-1, 2, 2], [0, 1, 1]], ALL),
    ],
    ids=["one row", "one lacks", "a sum is 0", "all but one", "nobody", "sums of 0 in many rows"],
)
def test_a_sum_of_0_has_rows_asked_whom_they_reach(rows: list[list[int]], filled: int) -> None:
    weights = np.array(rows, np.int16)
    sums = np.zeros(3 + BEHIND, np.int16)
    sums[:3] = weights.sum(axis=0)
    held = np.append(weights.reshape(-1), np.zeros(BEHIND, np.int16))
    arrived, ids, missed = np.zeros(3, np.uint8), np.arange(len(rows)), np.zeros(80, np.int32)
    kinds = (BYTE, SHORT, SHORT, WORD, None, WORD)
    kernel = compiled(reach_recounted, *kinds)
    found = kernel(arrived, sums, held, ids.astype(np.int32), len(rows), missed)
    assert found == filled
    if filled == SOME:
        assert np.array_equal(arrived, (weights != 0).any(axis=0))


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
