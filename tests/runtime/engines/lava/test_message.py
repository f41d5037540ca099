"""A message arrives as it was sent, in whatever pieces it travels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbite.runtime.engines.lava.arrays import Array
from hebbite.runtime.engines.lava.fused.message import Message, decode, encode

SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
KINDS = st.sampled_from(["int64", "int32", "int16", "uint8", "bool"])


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    drawn = np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 9, draw(SHAPES))
    value: Array = np.asarray(drawn).astype(draw(KINDS))
    return value.T if draw(st.booleans()) else value


def through_a_pipe(*messages: Message) -> list[Message]:
    stream = b"".join(bytes(piece) for message in messages for piece in encode(message))
    place = 0

    def take(count: int) -> bytearray:
        nonlocal place
        place += count
        return bytearray(stream[place - count : place])

    found = [decode(take) for _ in messages]
    assert place == len(stream)
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.text(), arrays(), max_size=4), max_size=3), st.text())
def test_messages_in_a_row_arrive_as_they_were_sent(
    sent: list[dict[str, Array]], text: str
) -> None:
    fields = {"text": text, "number": 3}
    messages = through_a_pipe(*(Message("run", fields, each) for each in sent))
    for found, wanted in zip(messages, sent, strict=True):
        assert (found.kind, found.fields) == ("run", fields)
        assert list(found.arrays) == list(wanted)
        for name, value in wanted.items():
            assert found.arrays[name].dtype == value.dtype
            np.testing.assert_array_equal(found.arrays[name], value)


def test_arrays_that_arrive_can_be_written_to() -> None:
    (found,) = through_a_pipe(Message("done", arrays={"a": np.arange(3)}))
    found.arrays["a"][0] = 7
    assert found.arrays["a"].tolist() == [7, 1, 2]


def test_arrays_under_a_prefix_lose_it() -> None:
    message = Message("run", arrays={"event.in": np.ones(1, int), "eventful": np.zeros(1, int)})
    assert list(message.under("event")) == ["in"]


def test_nothing_but_integers_travels() -> None:
    with pytest.raises(AssertionError, match="a is float64"):
        list(encode(Message("run", arrays={"a": np.zeros(2)})))
