from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.layout.tiles import settle

Long = NDArray[np.int64]


def mesh(columns: int, rows: int) -> Long:
    x, y = np.divmod(np.arange(columns * rows, dtype=np.int64), rows)
    return np.asarray(np.abs(x[:, None] - x) + np.abs(y[:, None] - y), np.int64)


def by_chance(parts: int, seed: int) -> Long:
    rng = np.random.default_rng(seed)
    sent = np.triu(rng.integers(1, 50, (parts, parts)) * (rng.random((parts, parts)) < 0.5), 1)
    return np.asarray(sent + sent.T, np.int64)


def cost(messages: Long, ways: Long, tile: Long, pull: Long) -> int:
    inside = int((messages * ways[np.ix_(tile, tile)]).sum()) // 2
    return inside + int(pull[np.arange(len(tile)), tile].sum())


def settled(
    messages: Long, ways: Long, *, each: int = 1, pull: Long | None = None, patience: int = 60
) -> Long:
    start = np.arange(len(messages), dtype=np.int64) // each
    pull = np.zeros((len(messages), len(ways)), np.int64) if pull is None else pull
    return settle(messages, ways, start, pull=pull, each=each, seed=0, patience=patience)


def test_two_parts_that_talk_come_to_one_tile() -> None:
    messages = np.zeros((4, 4), np.int64)
    messages[0, 3] = messages[3, 0] = 1
    tile = settled(messages, mesh(2, 2), each=2)
    assert tile[0] == tile[3]


def test_a_part_goes_where_other_chips_pull_it() -> None:
    pull = np.array([[9, 9, 0, 9], [0, 9, 9, 9]], np.int64)
    assert settled(np.zeros((2, 2), np.int64), mesh(4, 1), pull=pull).tolist() == [2, 0]


def test_where_every_tile_is_full_parts_are_exchanged() -> None:
    messages = np.zeros((3, 3), np.int64)
    messages[0, 2] = messages[2, 0] = 1
    tile = settled(messages, mesh(3, 1))
    assert sorted(tile.tolist()) == [0, 1, 2]
    assert abs(tile[0] - tile[2]) == 1


def test_a_chip_that_leaves_no_move_stays_as_it_is() -> None:
    assert settled(np.zeros((1, 1), np.int64), mesh(1, 1)).tolist() == [0]


def test_five_parts_on_six_tiles_are_settled_as_well_as_can_be() -> None:
    ways, none = mesh(3, 2), np.zeros((5, 6), np.int64)
    for seed in range(8):
        messages = by_chance(5, seed)
        every = (np.asarray(tile, np.int64) for tile in permutations(range(6), 5))
        best = min(cost(messages, ways, tile, none) for tile in every)
        assert cost(messages, ways, settled(messages, ways), none) == best


@settings(max_examples=40, deadline=None)
@given(
    parts=st.integers(1, 12),
    each=st.integers(1, 3),
    seed=st.integers(0, 999),
    patience=st.integers(1, 40),
)
def test_no_tile_takes_too_many_and_all_cost_no_more_than_at_first(
    parts: int, each: int, seed: int, patience: int
) -> None:
    messages, ways = by_chance(parts, seed), mesh(4, 3)
    pull = np.random.default_rng(seed).integers(0, 99, (parts, 12)).astype(np.int64)
    tile = settled(messages, ways, each=each, pull=pull, patience=patience)
    assert np.bincount(tile).max() <= each
    start = np.arange(parts, dtype=np.int64) // each
    assert cost(messages, ways, tile, pull) <= cost(messages, ways, start, pull)
    again = settled(messages, ways, each=each, pull=pull, patience=patience)
    assert tile.tolist() == again.tolist()
    longer = settled(messages, ways, each=each, pull=pull, patience=4 * patience)
    assert cost(messages, ways, longer, pull) <= cost(messages, ways, tile, pull)
