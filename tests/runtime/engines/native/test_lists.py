"""Lists of synapses: however their targets are written, they compute and learn the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.rules.registry import parse_rule
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace
from hebbite.runtime.engines.native import connections
from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.connections import Connections, borders_of, gaps_of
from hebbite.runtime.engines.native.language import kernel, kind_of
from hebbite.runtime.engines.native.lists import keep_marked, seek
from hebbite.runtime.engines.native.plan import BLOCK, LEAP, SPARSE, SPARSE_BLOCKS, SPARSE_WIDE
from hebbite.runtime.engines.native.rules import columns_are_silent, rows_are_silent
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.verify import verify

STDP = parse_rule("stdp(up=6, down=6, tau_pre=16, tau_post=16)")
TAG = parse_sum("dt = 2^-2*x0*y1 + 2^-1*y0*x1")
STEPS = 40


def listed(lines: int, post: int, share: float, *, tagged: bool = False) -> Program:
    """Return lines to leaky units by a list of a share of all pairs; it learns both ways."""
    rng = np.random.default_rng(post)
    degrees = rng.binomial(post, share, lines)
    targets = [np.sort(rng.choice(post, degree, replace=False)) for degree in degrees]
    threshold = int(64 * 45 * np.sqrt(lines * share))
    lif = (("du_keep", 0), ("dv_keep", 3000), ("threshold", threshold))
    dt = TAG if tagged else None
    return Program(
        name="listed",
        target="ideal",
        schedule=Schedule(STEPS, STEPS),
        sources=(Source("in", lines, tuple(range(1, STEPS, 3))),),
        populations=(Population("cells", post, NEURONS["lif"], lif, (("bias", "bias"),)),),
        synapses=(
            Synapses(
                "group", "in", "cells", "w", connect=Sparse("starts", "targets"), graded=False
            ),
        ),
        plasticity=(Plasticity("group", STDP.dw, 4, STDP.traces, factors=2, dt=dt),),
        readout=Readout("cells", "s", STEPS, count=True),
        tensors={
            "bias": np.zeros(post, np.int32),
            "w": rng.integers(-100, 128, sum(degrees)).astype(np.int16),
            "starts": np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64),
            "targets": np.concatenate(targets).astype(np.int32),
        },
    )


def form_of(program: Program) -> int:
    return Connections().enter(program, program.synapses[0], columns=True)[0]


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize(
    ("lines", "post", "share", "kind"),
    [
        (700, 200, 0.1, SPARSE_BLOCKS),
        (600, 700, 0.2, SPARSE_BLOCKS),
        (60, 2 * BLOCK, 1.0, SPARSE_BLOCKS),
        (900, 700, 0.02, SPARSE),
        (300, 70_000, 0.002, SPARSE_WIDE),
    ],
    ids=["one block", "blocks", "whole blocks", "16 bits", "32 bits"],
)
def test_a_list_learns_by_rows_and_columns_as_the_reference_says(
    lines: int, post: int, share: float, kind: int, tagged: bool
) -> None:
    program = listed(lines, post, share, tagged=tagged)
    assert form_of(program) == kind
    source = program.sources[0]
    drawn = np.random.default_rng(1).random((2, len(source.offsets), lines))
    sent = {"in": (drawn < 0.1).astype(np.int8)}
    engines = ("reference", "native")
    found = verify(program, sent, engines=engines, steps=2 * STEPS, rounding="independent")
    assert found.equal
    machines = [load_engine(name).open(program, rounding="independent") for name in engines]
    defined, counters = (machine.run(sent, samples=2).counters for machine in machines)
    assert np.array_equal(counters.values, defined.values)
    assert 0 < counters.total("spikes_out") / (2 * STEPS * post) < 1 / 20
    assert counters.total("updates_changed") > 0


def check_learns_as_the_reference(program: Program) -> None:
    shape = (2, len(program.sources[0].offsets), program.sources[0].size)
    sent = {"in": (np.random.default_rng(2).random(shape) < 0.1).astype(np.int8)}
    engines = ("reference", "native")
    found = verify(program, sent, engines=engines, steps=2 * STEPS, rounding="independent")
    assert found.equal
    machine = load_engine("native").open(program, rounding="independent")
    assert machine.run(sent, samples=2).counters.total("updates_changed") > 0


@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("dw = 2^-4*y0*x1 - 2^-5*x0*y1", True),
        ("dw = 2^-6*y0*x2 + 2^-3*y0*x1 - 2^-6*x0*w", True),
        ("dw = 2^-4*y0*x1 - 2^-6*y0*w", False),
        ("dw = 2^-4*y0*x1 + 2^-6*u1*y0*x1", False),
        ("dw = 2^-3*y0*(x1 + 2)", False),
    ],
)
def test_columns_spare_only_what_no_product_moves(text: str, spared: bool, epoch: int) -> None:
    program = listed(600, 90, 0.2)
    dw = parse_sum(text)
    traces = (*STDP.traces, ("x2", Trace(3, 90)))
    (plasticity,) = program.plasticity
    plasticity = replace(plasticity, dw=dw, traces=traces, epoch=epoch)
    assert columns_are_silent(plasticity) == spared
    check_learns_as_the_reference(replace(program, plasticity=(plasticity,)))


def brief(text: str, lines: int, post: int, share: float, epoch: int) -> Program:
    """Return a list that learns a sum; hardly any neuron keeps a trace for long."""
    program = listed(lines, post, share)
    (plasticity,) = program.plasticity
    traces = (("x1", Trace(4, 20)), ("y1", Trace(1, 90)))
    plasticity = replace(plasticity, dw=parse_sum(text), traces=traces, epoch=epoch)
    return replace(program, plasticity=(plasticity,))


@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("dw = 2^-2*x0*y1 - 2^-4*y0*x1", True),
        ("dw = 2^-2*x0*y1 + 2^-4*x0*y0*w", True),
        ("dw = 2^-2*x0*y1 - 2^-7*u1*w", True),
        ("dw = 2^-3*x0*(y1 + 1)", False),
        ("dw = 2^-3*x0*y1 - 2^-6*x0*w", False),
        ("dw = 2^-2*u0*x0*y1", False),
    ],
)
def test_rows_spare_only_what_no_product_moves(text: str, spared: bool, epoch: int) -> None:
    program = brief(text, 600, 90, 0.1, epoch)
    assert rows_are_silent(program.plasticity[0]) == spared
    check_learns_as_the_reference(program)


@pytest.mark.parametrize(
    ("lines", "post", "share", "kind"),
    [(600, 700, 0.1, SPARSE_BLOCKS), (900, 700, 0.02, SPARSE), (300, 70_000, 0.0005, SPARSE_WIDE)],
    ids=["blocks", "16 bits", "32 bits"],
)
def test_rows_of_every_kind_are_spared(lines: int, post: int, share: float, kind: int) -> None:
    program = brief("dw = 2^-2*x0*y1 - 2^-4*y0*x1", lines, post, share, 1)
    assert form_of(program) == kind
    check_learns_as_the_reference(program)


@st.composite
def pairs(draw: st.DrawFn) -> NDArray[np.bool_]:
    """Return which pairs of a line and a neuron a list holds."""
    shape = draw(st.integers(1, 800)), draw(st.integers(1, 12))
    share = draw(st.sampled_from([0.0, 0.003, 0.1, 1.0]))
    return np.random.default_rng(draw(st.integers(0, 99))).random(shape) < share


def list_of(held: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return targets and starts."""
    starts = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int64)
    return np.nonzero(held)[1].astype(np.int32), starts


@kernel
def element_of(targets: Any, first: int, last: int, wanted: int) -> int:
    return seek(targets, first, last, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize(
    "lengths",
    [(1,), (16, 2), (63,), (64,), (3, 65), (200, 16, 16), (1, 1, 64, 200, 63, 2)],
    ids=str,
)
def test_every_synapse_of_a_line_is_found_wherever_the_line_stands(
    both: Callable[..., int], lengths: tuple[int, ...], dtype: type[Any]
) -> None:
    rng = np.random.default_rng(len(lengths))
    lines = [np.sort(rng.choice(250, length, replace=False)) for length in lengths]
    targets, first = np.concatenate(lines).astype(dtype), 0
    for line in lines:
        for k, wanted in enumerate(line):
            assert both(element_of, targets, first, first + line.size, int(wanted)) == first + k
        first += line.size


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
@pytest.mark.parametrize("neurons", [40, 4000])
def test_lines_that_reach_a_marked_neuron_are_kept_in_their_order(
    neurons: int, dtype: type[Any]
) -> None:
    rng = np.random.default_rng(neurons)
    degrees = np.array([*range(41), 0, 1, 16, 40, 0])
    targets = [np.sort(rng.choice(neurons, degree, replace=False)) for degree in degrees]
    starts = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int64)
    flat = np.concatenate(targets).astype(dtype)
    words, longs, near, octets = (
        kind_of(np.dtype(each)) for each in (np.int32, np.int64, dtype, np.uint8)
    )
    keep = compiled(keep_marked, words, words, None, longs, near, octets)
    for share in (0.0, 1 / neurons, 0.1, 1.0):
        marks = (rng.random(neurons) < share).astype(np.uint8)
        lines = rng.permutation(degrees.size).astype(np.int32)
        wanted = [i for i in lines if marks[targets[i]].any()]
        count = keep(lines, lines, lines.size, starts, flat, marks)
        assert list(lines[:count]) == wanted


@pytest.mark.parametrize("together", [7, connections.PART])
@settings(deadline=None)
@given(held=pairs())
def test_gaps_lead_to_every_line_of_a_neuron_however_many_are_looked_at_together(
    together: int, held: NDArray[np.bool_]
) -> None:
    targets, starts = list_of(held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "PART", together)
        gaps, gap_starts = gaps_of(targets, starts, held.shape[1])
    assert gap_starts[-1] == gaps.size
    for neuron, lines in enumerate(held.T):
        each = gaps[gap_starts[neuron] : gap_starts[neuron + 1]].astype(np.int64)
        reached = np.cumsum(np.where(each == 0, LEAP, each)) - 1
        assert np.array_equal(reached[each > 0], np.nonzero(lines)[0])


def test_borders_say_how_many_of_a_line_stand_before_each_block() -> None:
    held = np.random.default_rng(0).random((40, 600)) < 0.3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "PART", 3 * 3 * BLOCK)
        borders = borders_of(*list_of(held), 3)
    wanted = [[line[: BLOCK * b].sum() for b in range(4)] for line in held]
    assert np.array_equal(borders, wanted)
