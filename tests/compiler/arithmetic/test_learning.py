"""The update of a weight: hand-computed numbers, and each trap of the chip's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import Synaptic, learn
from hebbite.compiler.arithmetic.randomness import SharedRandom
from hebbite.compiler.arithmetic.traces import (
    TraceState,
    new_traces,
    note_events,
    note_messages,
)
from hebbite.compiler.program.connectivity import Ends
from hebbite.compiler.program.types import Plasticity, Widths
from hebbite.rules.sums import parse_sum
from hebbite.rules.traces import Trace

NEVER = SharedRandom(2**53 - 1, 2**53 - 1, 2**53 - 1)
ALWAYS = SharedRandom(0, 0, 0)
HELD = Trace(tau=65535, impulse=0, mode="overwrite")
WRITTEN = Trace(tau=65535, impulse=0)


def once(
    dw: str,
    *,
    weight: int = 0,
    payload: int = 0,
    y2: int = 0,
    y3: int = 0,
    bap: int = 0,
    random: SharedRandom = ALWAYS,
    epoch_number: int = 1,
    bits: int = 8,
) -> int:
    """Return one weight after one epoch of one step with the given signals.

    Rounding numbers of 0 keep a trace with tau 65535 as it is and round every weight up.
    """
    traces = (("x1", HELD), ("y1", WRITTEN), ("y2", WRITTEN), ("y3", WRITTEN))
    state = new_traces(Plasticity("s", parse_sum(dw), 1, traces), lines=1, neurons=1)
    note_messages(state, np.array([payload]), offset=1)
    written = {name: np.array([value]) for name, value in (("y1", 0), ("y2", y2), ("y3", y3))}
    note_events(state, np.array([bap]), written, offset=1)
    new = learn(
        Synaptic(np.array([[weight]])),
        state,
        group=0,
        epoch_number=epoch_number,
        widths=Widths(weight=bits),
        random=random,
    )
    return int(new.weight[0, 0])


def test_two_traces_lose_three_bits() -> None:
    assert once("dw = 2^-4*x0*x1*y2", payload=128, y2=8) == (64 * 8 >> 3) * 2**3 // 128


def test_negative_products_round_down_and_positive_ones_to_zero() -> None:
    assert once("dw = 2^-7*x0*x1*y2", payload=2, y2=7, weight=5) == 5
    assert once("dw = -2^-7*x0*x1*y2", payload=2, y2=7, weight=5) == 5  # -1/128 rounds up
    lower = SharedRandom(0, 0, 2**53 - 1)
    assert once("dw = -2^-7*x0*x1*y2", payload=2, y2=7, weight=5, random=lower) == 4


@pytest.mark.parametrize(("number", "expected"), [(0, 1), (2**51 - 1, 1), (2**51, 0)])
def test_a_quarter_rounds_up_for_a_quarter_of_all_numbers(number: int, expected: int) -> None:
    random = SharedRandom(0, 0, number)
    assert once("dw = 2^-7*x0*x1*y2", payload=64, y2=8, random=random) == expected


def test_a_line_that_sent_nothing_does_not_learn() -> None:
    assert once("dw = 2^2*x0*x1*y2", payload=0, y2=127) == 0


def test_a_learning_event_gates_y0_and_costs_one_bit() -> None:
    rule = "dw = 2^0*x0*y0*x1*y2"
    assert once(rule, payload=128, y2=8, bap=0) == 0
    assert once(rule, payload=128, y2=8, bap=1) == 64 * 8 // 16


def test_u_fires_every_second_power_of_epochs() -> None:
    rule = "dw = 2^0*u1*w"
    assert once(rule, weight=4, epoch_number=1) == 4
    assert once(rule, weight=4, epoch_number=2) == 8


def tagged(
    dw: str, dt: str, *, weight: int = 0, tag: int = 0, payload: int = 0, random: SharedRandom
) -> tuple[int, int]:
    """Return one weight and its tag after one epoch of one step."""
    plasticity = Plasticity("s", parse_sum(dw), 1, (("x1", HELD),), dt=parse_sum(dt))
    state = new_traces(plasticity, lines=1, neurons=1)
    note_messages(state, np.array([payload]), offset=1)
    held = Synaptic(np.array([[weight]]), np.array([[tag]]))
    new = learn(held, state, group=0, epoch_number=1, widths=Widths(16), random=random)
    assert new.tag is not None
    return int(new.weight[0, 0]), int(new.tag[0, 0])


def test_both_sums_read_weight_and_tag_as_they_stood_before() -> None:
    found = tagged("dw = 2^0*u0*t", "dt = 2^0*u0*w", weight=5, tag=7, random=NEVER)
    assert found == (12, 12)


def test_a_tag_has_eight_bits_and_a_sign_beside_weights_of_any_width() -> None:
    up, down = "dt = 2^5*x0*x1", "dt = -2^5*x0*x1"
    assert tagged("dw = 2^5*x0*x1", up, payload=254, random=ALWAYS) == (127 * 32, 255)
    assert tagged("dw = 2^0*u0*w", down, payload=254, random=ALWAYS)[1] == -256


def test_a_tag_may_end_one_below_its_word_and_rises_when_nothing_holds() -> None:
    still = "dw = 2^0*u9*w"
    assert tagged(still, "dt = -2^5*x0*x1", payload=254, random=NEVER)[1] == -257
    assert tagged(still, "dt = 2^0*x0*x1", tag=-257, random=ALWAYS)[1] == -256
    assert tagged(still, "dt = 2^0*x0*x1", tag=-257, random=NEVER)[1] == -257
    assert tagged(still, "dt = 2^-1*u0*t", tag=3, random=NEVER)[1] == 4  # 3 + 1.5


def test_weights_saturate_at_both_ends() -> None:
    assert once("dw = 2^5*x0*x1*y2", weight=250, payload=254, y2=127) == 255
    assert once("dw = -2^5*x0*x1*y2", weight=-250, payload=254, y2=127) == -256


def test_a_wide_word_holds_more() -> None:
    # (64 * 8) >> 3 = 64 per unit of scale, 2^5 of them above a weight of 250
    assert once("dw = 2^5*x0*x1*y2", weight=250, payload=128, y2=8, bits=16) == 250 + 64 * 32


def test_a_constant_beside_a_trace_is_saturated_with_it() -> None:
    assert once("dw = 2^0*x0*(x1-64)*y2", payload=126, y2=8) == -1  # (63 - 64) * 8 >> 3
    assert once("dw = 2^0*x0*(w-300)", weight=0) == 0  # no message, no update


def test_sign_reads_minus_one_zero_one() -> None:
    for weight, expected in ((9, 8), (0, 0), (-9, -8)):
        assert once("dw = -2^0*u0*sgn(w)", weight=weight) == expected


@pytest.mark.parametrize(
    ("payload", "half"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (7, 4), (254, 127)]
)
def test_an_overwrite_trace_holds_half_the_payload_rounded_to_even(payload: int, half: int) -> None:
    assert once("dw = 2^0*x0*x1", payload=payload) == half


RULES = (
    ("dw = 2^-3*x0*x1*y2 - 2^-4*y0*x2*(w-3) + 3*2^-2*u1*sgn(w)", None),
    ("dw = 2^-2*u0*t*y1 - 2^-2*x0*y0*y2", "dt = 2^-1*x0*x2*y2 - 2^-1*y0*t*x1 + 2^-3*u0*w"),
)


def met(dw: str, dt: str | None) -> TraceState:
    """Return the traces of 7 lines and 5 neurons after an epoch of three steps, by chance."""
    traces = (("x1", HELD), ("x2", Trace(9, 31)), ("y1", WRITTEN), ("y2", WRITTEN))
    update = None if dt is None else parse_sum(dt)
    plasticity = Plasticity("s", parse_sum(dw), 3, traces, dt=update)
    state, rng = new_traces(plasticity, lines=7, neurons=5), np.random.default_rng(3)
    for offset in (1, 2, 3):
        note_messages(state, rng.integers(0, 255, 7) * (rng.random(7) < 0.5), offset=offset)
        written = {name: rng.integers(0, 128, 5) for name in ("y1", "y2", "y3")}
        note_events(state, (rng.random(5) < 0.4).astype(np.int64), written, offset=offset)
    return state


@dataclass(frozen=True)
class Dealt:
    """Numbers of synapses as they are dealt, by the size of what draws them."""

    numbers: dict[int, NDArray[np.int64]]

    def draw(self, kind: str, group: int, size: int) -> NDArray[np.int64]:
        """Return the numbers of synapses; traces have one."""
        return self.numbers[size] if kind in ("weight", "tag") else np.full(1, 2**51, np.int64)


@pytest.mark.parametrize("epoch_number", [1, 2])
@pytest.mark.parametrize(("dw", "dt"), RULES)
def test_a_list_learns_as_its_synapses_do_in_a_matrix(
    dw: str, dt: str | None, epoch_number: int
) -> None:
    """The k-th stored synapse takes the k-th number; a matrix takes them line by line."""
    rng = np.random.default_rng(1)
    kept = rng.random((7, 5)) < 0.5
    line, post = np.nonzero(kept)
    weight, tag = rng.integers(-256, 256, (2, 5, 7))
    numbers = rng.integers(0, 2**53, 35)
    random = Dealt({35: numbers, line.size: numbers[kept.ravel()]})
    matrix, listed = (
        learn(
            Synaptic(weight[chosen], None if dt is None else tag[chosen]),
            met(dw, dt),
            group=0,
            epoch_number=epoch_number,
            widths=Widths(),
            random=random,
            ends=ends,
        )
        for chosen, ends in ((np.s_[:, :], None), ((post, line), Ends(line, post)))
    )
    assert (matrix.weight != weight).mean() > 0.3
    np.testing.assert_array_equal(listed.weight, matrix.weight[post, line])
    if dt is not None:
        assert listed.tag is not None
        assert matrix.tag is not None
        np.testing.assert_array_equal(listed.tag, matrix.tag[post, line])
