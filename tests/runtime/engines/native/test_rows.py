"""Rows of weights are added as their sums are defined, whatever words hold them on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kernel, kind_of
from hebbite.runtime.engines.native.plan import ALL, SOME, Long, Short, Small, Word
from hebbite.runtime.engines.native.spread import add_payloads, reach, sum_spikes_of_bytes
from hebbite.runtime.engines.native.weights import misses_of

LINES = 40
LONG, WORD, SHORT, SMALL = (kind_of(np.dtype(f"i{size}"), 1) for size in (8, 4, 2, 1))
PAYLOADS = (0, 1, 3, 31, 64, 85, 127, 128, 254, 255, 256, -1, -64, -255, 30000)


@settings(deadline=None, max_examples=200)
@given(
    size=st.integers(1, 70),
    sent=st.lists(st.sampled_from(PAYLOADS), max_size=60)
    | st.lists(st.integers(-9, 40), max_size=60),
    extreme=st.booleans(),
    up=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_payloads_are_added_as_in_whole_words(
    size: int, sent: list[int], extreme: bool, up: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (LINES, size)).astype(np.int8)
    weights = np.full_like(weights, -128) if extreme else weights
    ids = np.concatenate([np.arange(len(sent)) % LINES, np.zeros(4)]).astype(np.int32)
    payload = np.zeros(LINES, np.int32)
    payload[ids[: len(sent)]] = sent
    due, sums = np.zeros(size, np.int32), np.full(size, 99, np.int16)
    add = compiled(add_payloads, WORD, SHORT, SMALL, None, WORD, None, WORD, None, None)
    add(due, sums, weights.reshape(-1), 0, ids, len(sent), payload, 1, up)
    lines = ids[: len(sent)]
    wanted = (payload[lines].astype(np.int64) << up) @ weights[lines].astype(np.int64)
    assert np.array_equal(due, wanted)


@kernel
def add_and_tell(
    due: Word,
    sums: Short,
    weights: Small,
    nonzero: Word,
    misses: Long,
    ids: Word,
    count: int,
    told: Long,
) -> None:
    """Add spikes, and write what is returned where Python can see it."""
    met, missed = sum_spikes_of_bytes(due, sums, weights, 0, nonzero, misses, ids, count, 1)
    told[0] = met
    told[1] = missed


@pytest.mark.parametrize("count", [1, 4, 7, 8, 12, 13, 255, 256, 511, 600])
def test_spikes_are_added_as_in_whole_words_and_lines_tell_what_they_have(count: int) -> None:
    weights = np.full((LINES, 20), -128, np.int8)
    ids = np.arange(count + 4, dtype=np.int32) % LINES
    due, sums, told = np.full(20, 7, np.int32), np.full(20, 99, np.int16), np.zeros(2, np.int64)
    nonzero, misses = np.arange(LINES, dtype=np.int32), -1 << np.arange(LINES, dtype=np.int64)
    add = compiled(add_and_tell, WORD, SHORT, SMALL, WORD, LONG, WORD, None, LONG)
    add(due, sums, weights.reshape(-1), nonzero, misses, ids, count, told)
    assert np.array_equal(due, np.full(20, -256 * count, np.int64))
    assert told.tolist() == [ids[:count].sum(), -1 << min(count - 1, LINES - 1)]


@settings(deadline=None, max_examples=300)
@given(
    dtype=st.sampled_from([np.int8, np.int16, np.int32]),
    size=st.sampled_from([1, 5, 63, 64, 65, 127, 128, 129, 191, 192, 256, 300]),
    count=st.integers(1, 9),
    zeros=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 299)), max_size=12),
    missed=st.sets(st.integers(0, 299), max_size=3),
    base=st.integers(0, 3),
)
def test_a_message_reaches_whom_a_weight_that_is_not_0_connects(
    dtype: type[np.integer],
    size: int,
    count: int,
    zeros: list[tuple[int, int]],
    missed: set[int],
    base: int,
) -> None:
    top = 1 << 8 * np.dtype(dtype).itemsize - 2
    weights = np.full((9, size), top, dtype)
    for line, neuron in zeros:
        weights[line, neuron % size] = 0
    weights[:, [neuron for neuron in missed if neuron < size]] = 0
    ids = np.array([*range(8, 8 - count, -1), 0, 0, 0, 0], np.int32)
    arrived, listed = np.full(size, 7, np.uint8), np.zeros(size + 16, np.int32)
    kinds = kind_of(np.dtype(np.uint8)), kind_of(np.dtype(dtype))
    ask = compiled(reach, *kinds, None, WORD, None, WORD)
    held = np.concatenate([np.zeros(base, dtype), weights.reshape(-1)])
    found = ask(arrived, held, base, ids, count, listed)
    wanted = (weights[ids[:count]] != 0).any(axis=0)
    assert found == (ALL if wanted.all() else SOME)
    assert found == ALL or np.array_equal(arrived, wanted)


@settings(deadline=None, max_examples=300)
@given(
    size=st.sampled_from([1, 7, 63, 64, 65, 128, 200]),
    dtype=st.sampled_from([np.int8, np.int16, np.int64]),
    zeros=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 199)), max_size=40),
    lines=st.sets(st.integers(0, 5), min_size=1),
)
def test_lines_that_may_miss_nobody_in_common_reach_everybody(
    size: int, dtype: type[np.integer], zeros: list[tuple[int, int]], lines: set[int]
) -> None:
    weight = np.full((size, 6), -3, dtype)
    for line, neuron in zeros:
        weight[neuron % size, line] = 0
    chosen = sorted(lines)
    may_miss = int(np.bitwise_and.reduce(misses_of(weight)[chosen]))
    missed = np.flatnonzero((weight[:, chosen] == 0).all(axis=1))
    assert all(may_miss >> int(neuron) % 64 & 1 for neuron in missed)
    assert size > 64 or may_miss & (1 << 64) - 1 == sum(1 << int(neuron) for neuron in missed)


def test_a_line_of_a_large_matrix_may_miss_who_has_no_weight_in_any_part_of_it() -> None:
    weight = np.ones((3000, 500), np.int8)
    weight[2999, 7], weight[130, 7], weight[63, 499] = 0, 0, 0
    misses = misses_of(weight)
    assert misses[7] == 1 << 2999 % 64 | 1 << 130 % 64
    assert misses[499] == -1 << 63
    assert np.count_nonzero(misses) == 2
