import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.layout.chips import divide

Long = NDArray[np.int64]


def by_chance(parts: int, seed: int, *, density: float = 0.2) -> Long:
    rng = np.random.default_rng(seed)
    sent = rng.integers(1, 50, (parts, parts)) * (rng.random((parts, parts)) < density)
    return np.asarray(sent + sent.T, np.int64)


def clusters(count: int, size: int, seed: int) -> Long:
    """Clusters of parts that send 9 messages to each other and none elsewhere, shuffled."""
    cluster = np.random.default_rng(seed).permutation(np.arange(count * size) % count)
    return np.asarray(9 * (cluster[:, None] == cluster), np.int64)


def crossing(messages: Long, chip: Long) -> int:
    return int(messages[chip[:, None] != chip].sum()) // 2


@pytest.mark.parametrize(("count", "size"), [(2, 8), (3, 5), (4, 16)])
def test_clusters_come_to_chips_of_their_own(count: int, size: int) -> None:
    messages = clusters(count, size, seed=3)
    assert crossing(messages, divide(messages, chips=count, each=size)) == 0


def test_a_part_moves_to_a_place_that_is_free() -> None:
    cluster = np.array([0, 0, 0, 1, 1])  # in linear order the last stands alone on its chip
    messages = np.asarray(7 * (cluster[:, None] == cluster), np.int64)
    assert divide(messages, chips=2, each=4).tolist() == [0, 0, 0, 1, 1]


def test_six_graphs_are_divided_at_least_as_well_as_by_the_bisection_of_networkx() -> None:
    found = known = 0
    halves = np.arange(40, dtype=np.int64) // 20
    for seed in range(6):
        messages = by_chance(40, seed)
        graph = nx.from_numpy_array(messages)
        graph.remove_edges_from(list(nx.selfloop_edges(graph)))
        start = set(range(20)), set(range(20, 40))
        one, _ = nx.community.kernighan_lin_bisection(graph, start)
        known += crossing(messages, np.isin(np.arange(40), list(one)).astype(np.int64))
        found += crossing(messages, divide(messages, chips=2, each=20))
    assert found <= known < sum(crossing(by_chance(40, seed), halves) for seed in range(6))


@settings(max_examples=40, deadline=None)
@given(
    parts=st.integers(1, 30), each=st.integers(1, 12), seed=st.integers(0, 999), more=st.booleans()
)
def test_no_chip_gets_more_than_it_holds_and_no_more_messages_cross_than_in_linear_order(
    parts: int, each: int, seed: int, more: bool
) -> None:
    messages, chips = by_chance(parts, seed), -(-parts // each) + more
    chip = divide(messages, chips=chips, each=each)
    assert chip.dtype == np.int64
    assert np.bincount(chip, minlength=chips).shape == (chips,)
    assert np.bincount(chip).max() <= each
    assert crossing(messages, chip) <= crossing(messages, np.arange(parts) // each)
    assert chip.tolist() == divide(messages, chips=chips, each=each).tolist()
