"""Rows of weights are added as their sums are defined, whatever words hold them on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.native.compiled import compiled
from hebbite.runtime.engines.native.language import kind_of
from hebbite.runtime.engines.native.plan import ALL, SOME
from hebbite.runtime.engines.native.spread import add_payloads, reach, sum_spikes_of_bytes

LINES = 40
WORD, SHORT, SMALL = (kind_of(np.dtype(f"i{size}"), 1) for size in (4, 2, 1))
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


@pytest.mark.parametrize("count", [1, 4, 255, 256, 511, 600])
def test_spikes_are_added_as_in_whole_words(count: int) -> None:
    weights = np.full((LINES, 20), -128, np.int8)
    ids = np.arange(count + 4, dtype=np.int32) % LINES
    due, sums = np.full(20, 7, np.int32), np.full(20, 99, np.int16)
    nonzero = np.arange(LINES, dtype=np.int32)
    add = compiled(sum_spikes_of_bytes, WORD, SHORT, SMALL, None, WORD, WORD, None, None)
    assert add(due, sums, weights.reshape(-1), 0, nonzero, ids, count, 1) == ids[:count].sum()
    assert np.array_equal(due, np.full(20, -256 * count, np.int64))


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
