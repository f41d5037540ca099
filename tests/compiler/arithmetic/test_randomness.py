"""Rounding numbers: those of Lava are NumPy's, epoch by epoch; the others have one place each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler.arithmetic.philox import octets, words
from hebbite.compiler.arithmetic.randomness import (
    BELOW,
    KIND,
    KeyedRandom,
    LavaStreams,
    SharedRandom,
    stream_of,
)


@pytest.mark.parametrize("seed", [0, 7, 2**40 + 1])
@pytest.mark.parametrize("steps", [1, 5])
def test_an_epoch_uses_the_last_of_two_draws_a_step(seed: int, steps: int) -> None:
    x, y, weight = (np.random.default_rng(s) for s in (seed, seed + 2, 2))
    for generator in (x, y, weight):
        generator.random()  # the constructor's own draw
    expected = []
    for _ in range(3):
        last_x, last_y = 0.0, 0.0
        for _ in range(2 * steps):
            last_x, last_y = x.random(), y.random()
        expected.append([int(v * 2**53) for v in (last_x, last_y, weight.random())])
    assert LavaStreams(seed).epochs(3, steps).tolist() == expected


def test_the_weight_draw_does_not_depend_on_the_seed() -> None:
    one, other = LavaStreams(0).epochs(4, 3), LavaStreams(99).epochs(4, 3)
    assert one[:, 2].tolist() == other[:, 2].tolist()
    assert one[:, 0].tolist() != other[:, 0].tolist()


@given(st.integers(0, 2**62), st.lists(st.integers(0, 4), max_size=5), st.integers(1, 9))
def test_epochs_may_be_drawn_in_any_pieces(seed: int, pieces: list[int], steps: int) -> None:
    streams = LavaStreams(seed)
    parts = [streams.epochs(count, steps) for count in pieces]
    whole = LavaStreams(seed).epochs(sum(pieces), steps)
    assert np.concatenate([np.zeros((0, 3), np.int64), *parts]).tolist() == whole.tolist()


def test_a_number_is_the_real_number_of_53_bits() -> None:
    generator = np.random.default_rng(2)
    generator.random()
    drawn = LavaStreams(0).epochs(1, 1)[0, 2]
    assert float(drawn) / 2**53 == generator.random()


def test_one_number_serves_all_elements_of_a_kind() -> None:
    shared = SharedRandom(x=1, y=2, weight=3)
    kinds = ("x1", "x2", "y1", "y2", "y3", "weight")
    assert [shared.draw(kind, 4, 9).tolist() for kind in kinds] == [[1], [1], [2], [2], [2], [3]]


def test_traces_are_given_a_byte_above_a_word_in_the_upper_bits() -> None:
    place = {"seed": 2**33 + 1, "time": 17}
    drawn = KeyedRandom(2**33 + 1, 17).draw("y2", 5, 21)
    assert (drawn >> 45).tolist() == octets(21, stream=4 << 24 | 5, **place).tolist()
    low = words(21, stream=12 << 24 | 5, **place)
    assert (drawn >> 13 & 2**32 - 1).tolist() == low.tolist()
    assert not (drawn & 2**13 - 1).any()


@pytest.mark.parametrize(("kind", "stream"), [("weight", 5), ("tag", 7 << 24 | 5)])
def test_weights_and_tags_are_given_bytes_in_the_upper_bits(kind: str, stream: int) -> None:
    drawn = KeyedRandom(2**33 + 1, 17).draw(kind, 5, 21)
    expected = octets(21, seed=2**33 + 1, stream=stream, time=17)
    assert (drawn >> 45).tolist() == expected.tolist()
    assert not (drawn & (2**45 - 1)).any()


@pytest.mark.parametrize("kind", ["weight", "tag"])
def test_a_fraction_is_rounded_up_as_often_as_it_is_large(kind: str) -> None:
    drawn = KeyedRandom(3, 1).draw(kind, 0, 2**20) >> 46
    counts = np.bincount(drawn, minlength=128)
    assert counts.size == 128
    assert np.abs(counts - 2**13).max() < 5 * np.sqrt(2**13)


def test_no_two_draws_of_an_epoch_share_a_stream() -> None:
    groups = (0, 1, 255, 256, 2**16 - 1)
    streams = {
        stream_of(kind, group) | below for kind in KIND for group in groups for below in (0, BELOW)
    }
    assert len(streams) == 2 * len(KIND) * len(groups)
    assert max(streams) < 2**32
