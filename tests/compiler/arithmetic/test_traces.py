"""Traces against Lava's formulas, written out for one element with real numbers.

decay      p = exp(-1/tau) h;  h' = floor(p) + (r < p - floor(p))
event      h' = clip(h + impulse, 0, 127), after the decay of its step
again      a second event of an epoch adds its impulse at once, before any decay
overwrite  x1 = uint8(round(payload / 2)) at once
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import KeyedRandom, SharedRandom
from hebbite.compiler.arithmetic.traces import (
    TraceState,
    end_epoch,
    history,
    new_traces,
    note_events,
    note_messages,
)
from hebbite.compiler.program.types import Plasticity
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

STEPS = 4
DW = parse_sum("dw = 2^0*x0*x1")
NOTHING: dict[str, NDArray[np.int64]] = {}


class Scalar:
    """One trace of one element, as Lava computes it."""

    def __init__(self, tau: int, impulse: int, *, overwrite: bool = False) -> None:
        self.tau, self.impulse, self.overwrite = tau, impulse, overwrite
        self.value = 0

    def epoch(self, payloads: list[int], r: float) -> list[int]:
        """Return the values h[0..steps] of an epoch with these payloads, 0 for no event."""
        last = 0
        for step, payload in enumerate(payloads, start=1):
            if payload and self.overwrite:
                self.value = int(np.uint8(round(payload / 2)))
            elif payload and last:
                self.value = min(self.value + self.impulse, 127)
            last = step if payload else last
        found = [self.value]
        for step in range(1, len(payloads) + 1):
            p = math.exp(-1 / self.tau) * self.value
            self.value = math.floor(p) + (r < p - math.floor(p))
            if step == last:
                self.value = max(0, min(self.value + self.impulse, 127))
            found.append(self.value)
        return found


def state_of(trace: Trace, *, name: str, factors: int = 2) -> TraceState:
    return new_traces(Plasticity("s", DW, STEPS, ((name, trace),), factors), lines=1, neurons=1)


def epoch_of(state: TraceState, payloads: list[int], *, name: str, number: int) -> list[int]:
    """Run one epoch with events on the side of the trace; return its history."""
    for offset, payload in enumerate(payloads, start=1):
        one, none = np.array([payload]), np.array([0])
        pre = name[0] == "x"
        note_messages(state, one if pre else none, offset=offset)
        note_events(state, none if pre else one, NOTHING, offset=offset)
    random = SharedRandom(number, number, 0)
    found = history(state, name, group=0, random=random)
    end_epoch(state, {name: found})
    return [int(v) for v in found[:, 0]]


EPOCHS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 2), min_size=STEPS, max_size=STEPS), st.integers(0, 2**53 - 1)
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("name", ["x1", "x2", "y1", "y2", "y3"])
@given(st.integers(1, 200), st.integers(0, 127), EPOCHS)
def test_an_impulse_trace_is_lavas(
    name: str, tau: int, impulse: int, epochs: list[tuple[list[int], int]]
) -> None:
    state, scalar = state_of(Trace(tau, impulse), name=name), Scalar(tau, impulse)
    for payloads, number in epochs:
        wanted = scalar.epoch(payloads, number / 2**53)
        assert epoch_of(state, payloads, name=name, number=number) == wanted


@given(st.integers(1, 65535), st.lists(st.integers(0, 254), min_size=STEPS, max_size=STEPS))
def test_an_overwrite_trace_is_lavas(tau: int, payloads: list[int]) -> None:
    trace = Trace(tau, mode="overwrite")
    state, scalar = state_of(trace, name="x1", factors=3), Scalar(tau, 0, overwrite=True)
    for offset, payload in enumerate(payloads, start=1):
        note_messages(state, np.array([payload]), offset=offset)
    found = history(state, "x1", group=0, random=SharedRandom(2**52, 0, 0))
    assert [int(v) for v in found[:, 0]] == scalar.epoch(payloads, 0.5)


def test_only_the_last_of_several_events_keeps_its_time() -> None:
    state = state_of(Trace(tau=65535, impulse=10), name="x1")
    # the events at 2 and 3 are "again": +20 at once; that at 1 is forgotten; +10 at 3 itself
    assert epoch_of(state, [1, 1, 1, 0], name="x1", number=0) == [20, 20, 20, 30, 30]


def test_a_trace_saturates_at_127() -> None:
    state = state_of(Trace(tau=65535, impulse=100), name="y1")
    assert epoch_of(state, [1, 1, 0, 0], name="y1", number=0) == [100, 100, 127, 127, 127]


def test_decay_rounds_down_or_up_by_its_number() -> None:
    p = math.exp(-1 / 10) * 100
    for number, expected in ((0, math.ceil(p)), (2**53 - 1, math.floor(p))):
        state = state_of(Trace(tau=10, impulse=100), name="x1")
        epoch_of(state, [0, 0, 0, 1], name="x1", number=number)
        assert epoch_of(state, [0] * STEPS, name="x1", number=number)[1] == expected


def test_neurons_that_write_their_traces_keep_what_they_wrote() -> None:
    state = state_of(Trace(65535), name="y2", factors=3)
    written = {name: np.array([value]) for name, value in (("y1", 3), ("y2", 40), ("y3", 5))}
    note_messages(state, np.array([0]), offset=1)
    note_events(state, np.array([0]), written, offset=1)
    low = history(state, "y2", group=0, random=SharedRandom(0, 2**53 - 1, 0))
    assert low[:, 0].tolist() == [40, 39, 38, 37, 36]  # inside the epoch it decays
    end_epoch(state, {"y2": low})
    assert [int(state.values[n][0]) for n in ("y1", "y2", "y3")] == [3, 40, 5]


def test_a_trace_that_is_not_kept_stays_where_it_is() -> None:
    state = state_of(Trace(5, 9), name="x1")
    assert not history(state, "x2", group=0, random=SharedRandom(0, 0, 0)).any()


def test_keyed_numbers_differ_from_line_to_line() -> None:
    trace = ("x1", Trace(3, 100))
    state = new_traces(Plasticity("s", DW, STEPS, (trace,), 2), lines=200, neurons=1)
    note_messages(state, np.ones(200, np.int64), offset=1)
    found = history(state, "x1", group=0, random=KeyedRandom(0, 1))
    assert (found[1] == 100).all()
    assert len(set(found[2].tolist())) == 2  # 71.65: 71 or 72
    assert abs(found[2].mean() - 100 * math.exp(-1 / 3)) < 0.1
