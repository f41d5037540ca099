"""Samples become the integers that sources take, and labels the codes of a teacher."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.coding import Coding

PAYLOAD = Coding(
    kind="payload",
    source="x",
    teacher="target",
    scale=254.0,
    signed=False,
    window=0,
    seed=0,
    outputs=3,
    target_rate=100,
)
SIGNED = dataclasses.replace(PAYLOAD, scale=63.0, signed=True)
RATE = dataclasses.replace(PAYLOAD, kind="rate", teacher="", scale=2.0, window=16, seed=5)


def test_payloads_are_one_event_rounded_and_within_their_word() -> None:
    x = np.array([[0.0, 0.5, 1.0, 7.0, -1.0]])
    assert PAYLOAD.events(x).tolist() == [[[0, 127, 254, 254, 0]]]
    assert PAYLOAD.events(x).dtype == np.int16


def test_payloads_with_a_sign_are_sent_again_for_the_trace() -> None:
    x = np.array([[0.0, 1.0, -1.0, 9.0, -9.0]])
    sent, again = SIGNED.events(x)[0]
    assert sent.tolist() == [0, 63, -63, 63, -63]
    assert again.tolist() == [128, 254, 2, 254, 2]  # its half less 64 is the payload


@pytest.mark.parametrize(("coding", "again"), [(PAYLOAD, 0), (SIGNED, 1)])
def test_a_sample_of_two_passes_is_sent_and_taught_twice(coding: Coding, again: int) -> None:
    twice = dataclasses.replace(coding, passes=2)
    x, y = np.random.default_rng(0).random((3, 4)), np.array([0, 2, 1])
    once, given_ = coding.inputs(x, y), twice.inputs(x, y)
    assert given_["x"].shape == (3, 2 + again, 4)
    assert np.array_equal(given_["x"][:, 0], given_["x"][:, 1])
    assert np.array_equal(given_["x"][:, 1:], once["x"])
    assert given_["target"].shape == (3, 2, 3)
    assert np.array_equal(given_["target"][:, 0], once["target"][:, 0])
    assert np.array_equal(given_["target"][:, 1], once["target"][:, 0])


def test_samples_are_brought_to_one_norm_where_the_coding_has_one() -> None:
    coding = dataclasses.replace(PAYLOAD, scale=100.0, norm=1.0)
    x = np.array([[3.0, 4.0], [30.0, 40.0], [0.0, 0.0]])
    assert coding.events(x)[:, 0].tolist() == [[60, 80], [60, 80], [0, 0]]
    assert dataclasses.replace(coding, norm=0.0).events(x)[0, 0].tolist() == [254, 254]


def test_features_of_any_shape_are_flattened_in_order() -> None:
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3) / 254
    assert PAYLOAD.events(x)[:, 0].tolist() == [list(range(6)), list(range(6, 12))]


def test_spikes_come_in_half_of_the_steps_at_the_top_and_never_below_zero() -> None:
    x = np.tile([[2.0, 1.0, 0.0, -3.0, 50.0]], (400, 1))
    spikes = RATE.events(x)
    assert spikes.shape == (400, 16, 5)
    assert set(np.unique(spikes)) == {0, 1}
    rates = spikes.mean(axis=(0, 1))
    np.testing.assert_allclose(rates, [0.5, 0.25, 0.0, 0.0, 0.5], atol=0.02)


@given(st.integers(0, 6), st.integers(0, 2**40))
def test_the_spikes_of_a_sample_depend_on_its_number_alone(cut: int, first: int) -> None:
    x = np.random.default_rng(0).random((6, 3))
    whole = RATE.events(x, first=first)
    parts = [RATE.events(x[:cut], first=first), RATE.events(x[cut:], first=first + cut)]
    kept = [part for part in parts if len(part)]
    assert np.concatenate(kept).tolist() == whole.tolist()


def test_another_seed_gives_other_spikes() -> None:
    x = np.full((20, 3), 1.0)
    other = dataclasses.replace(RATE, seed=6)
    assert (RATE.events(x) != other.events(x)).any()


def test_a_class_is_the_target_rate_at_its_neuron_and_one_more_everywhere() -> None:
    assert PAYLOAD.codes(np.array([2, 0])).tolist() == [[1, 1, 101], [101, 1, 1]]


def test_real_targets_are_scaled_and_held_within_plus_minus_one() -> None:
    y = np.array([[0.5, -0.5, 3.0], [-3.0, 0.0, 1.0]])
    assert PAYLOAD.codes(y).tolist() == [[51, -49, 101], [-99, 1, 101]]


def test_no_target_is_mistaken_for_no_teacher() -> None:
    y = np.array([[-0.01, -0.014, -0.006]])  # all of them -1 payload: code 0
    assert (PAYLOAD.codes(y) != 0).all()
    assert PAYLOAD.codes(y).tolist() == [[1, 1, 1]]


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_a_code_is_within_one_payload_of_its_target(values: list[float]) -> None:
    code = PAYLOAD.codes(np.array([values]))[0]
    wanted = np.clip(values, -1, 1) * PAYLOAD.target_rate
    assert np.abs(code - 1 - wanted).max() <= 1.5


@pytest.mark.parametrize("labels", [None, np.array([1, 2])])
def test_inputs_name_the_sources_and_a_teacher_only_with_labels(
    labels: NDArray[np.generic] | None,
) -> None:
    given_ = PAYLOAD.inputs(np.zeros((2, 4)), labels)
    assert given_["x"].shape == (2, 1, 4)
    assert ("target" in given_) is (labels is not None)
    if labels is not None:
        assert given_["target"].shape == (2, 1, 3)


def test_spiking_networks_have_no_teacher() -> None:
    assert set(RATE.inputs(np.zeros((2, 4)), np.array([0, 1]))) == {"x"}
