"""Real networks to integers: scales, shifts and the error that they leave."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbite.compiler.lowering.network import Network, Stage
from hebbite.compiler.lowering.quantise import (
    encode_input,
    even,
    input_scale,
    nearest_shift,
    quantise,
)
from hebbite.compiler.settings import Settings


def network(activation: str, *sizes: int) -> Network:
    rng = np.random.default_rng(3)
    stages = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        name = "out" if last else f"h{index}"
        reach = inputs**-0.5
        stages.append(
            Stage(
                name,
                f"to_{name}",
                rng.uniform(-reach, reach, (outputs, inputs)),
                rng.uniform(-reach, reach, outputs),
                "none" if last else activation,
                "",
            )
        )
    return Network("n", "x", sizes[0], tuple(stages))


def real_output(net: Network, x: NDArray[np.float64]) -> NDArray[np.float64]:
    act: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "relu": lambda v: np.maximum(v, 0),
        "tanh": np.tanh,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "none": lambda v: v,
    }
    for stage in net.stages:
        x = act[stage.activation](x @ stage.weight.T + stage.bias)
    return x


def integer_output(net: Network, x: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    made = quantise(net, x, settings)
    payload = encode_input(x, scale=made.input_scale, signed=made.signed_input)
    signed = made.signed_input
    for stage, integers in zip(net.stages, made.stages, strict=True):
        bias = 63 if signed else settings.bias_payload
        lines = np.column_stack([payload, np.full(len(payload), bias)])
        v = lines @ integers.weight.T.astype(np.int64)
        if integers.tables:
            index = np.clip((v >> integers.shift) + 128, 0, 255)
            payload = integers.tables[0][1].astype(np.int64)[index]
        else:
            payload = np.clip(v >> integers.shift, 0, 254)
        signed = stage.activation == "tanh"
    return v


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("sign", [0.0, -1.0])
def test_integers_compute_what_the_real_network_computes(activation: str, sign: float) -> None:
    net = network(activation, 24, 20, 16, 5)
    x = np.random.default_rng(1).uniform(sign, 1, (400, 24))
    real, integer = real_output(net, x), integer_output(net, x, Settings())
    assert np.corrcoef(real.ravel(), integer.ravel())[0, 1] > 0.98


@given(st.floats(-256, 254))
def test_even_gives_the_nearest_even_integer(value: float) -> None:
    got = int(even(np.array([value]))[0])
    assert got % 2 == 0
    assert abs(got - value) <= 1


def test_even_saturates() -> None:
    assert even(np.array([1e9, -1e9])).tolist() == [254, -256]


def test_an_input_with_a_sign_is_sent_with_a_sign() -> None:
    assert input_scale(np.array([[0.0, 2.0]])) == (127.0, False)
    assert input_scale(np.array([[-2.0, 1.0]])) == (31.5, True)


def test_payloads_saturate() -> None:
    assert encode_input(np.array([[-1.0, 9.0]]), scale=254, signed=False).tolist() == [[0, 254]]
    assert encode_input(np.array([[-9.0, 9.0]]), scale=63, signed=True).tolist() == [[-63, 63]]


@given(st.integers(0, 16), st.floats(8, 120))
def test_a_shift_brings_the_size_within_a_factor_of_root_two(power: int, wanted: float) -> None:
    v = np.array([int(wanted * 2**power)])
    assert abs(nearest_shift(v, wanted) - power) <= 1


def test_weights_keep_their_scale_when_the_largest_would_not_fit() -> None:
    weight = np.zeros((2, 50))
    weight[0, 0] = 1.0
    net = Network("n", "x", 50, (Stage("out", "to_out", weight, np.zeros(2), "none", ""),))
    made = quantise(net, np.ones((4, 50)), Settings())
    assert made.stages[0].weight[0, 0] == 254


def test_weights_keep_their_scale_when_the_largest_bias_would_not_fit() -> None:
    weight, bias = np.full((2, 50), 0.1), np.array([400.0, -100.0])
    net = Network("n", "x", 50, (Stage("out", "to_out", weight, bias, "none", ""),))
    settings = Settings()
    made = quantise(net, np.ones((4, 50)), settings)
    (stage,) = made.stages
    assert stage.weight[:, -1].tolist() == [254, -64]  # -63.5, to the even integer
    unit = stage.weight_scale * made.input_scale
    real = stage.weight[:, -1] * settings.bias_payload / unit
    np.testing.assert_allclose(real, bias, rtol=0.01)
