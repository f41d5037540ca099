"""A population is Lava's own LIF exactly where that computes the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from hebbite.compiler.program.types import Plasticity, Program
from hebbite.runtime.engines.lava.stock import split_bias, stock_lif


def test_constants_are_translated(spiking: Program) -> None:
    found = stock_lif(spiking, spiking.population("cells"))
    assert found is not None
    assert (found.du, found.dv, found.vth) == (1095, 96, 1500)
    assert found.bias_mant.tolist() == [0, 64, 128, 192, 256, 320]
    assert not found.bias_exp.any()


@pytest.mark.parametrize(
    ("constant", "value"),
    [("threshold", 64 * 1500 + 1), ("threshold", 64 * 2**17), ("dv_keep", 0), ("du_keep", 4096)],
)
def test_a_constant_that_lava_lacks_needs_our_process(
    spiking: Program, constant: str, value: int
) -> None:
    cells = spiking.population("cells")
    constants = tuple({**dict(cells.constants), constant: value}.items())
    assert stock_lif(spiking, dataclasses.replace(cells, constants=constants)) is None


def test_a_bias_line_needs_our_process(spiking: Program) -> None:
    cells = dataclasses.replace(spiking.population("cells"), bias=((1, 1),))
    assert stock_lif(spiking, cells) is None


def test_other_neurons_need_our_process(spiking: Program, graded: Program) -> None:
    assert stock_lif(spiking, spiking.population("noisy")) is None
    assert stock_lif(graded, graded.population("h1")) is None


def test_three_factors_need_our_process(spiking: Program) -> None:
    old = spiking.plasticity[0]
    plasticity = Plasticity(old.synapses, old.dw, old.epoch, old.traces, factors=3)
    program = dataclasses.replace(spiking, plasticity=(plasticity,))
    assert stock_lif(program, program.population("cells")) is None


@given(arrays(np.int64, 5, elements=st.integers(-(2**21), 2**21)))
def test_a_split_bias_is_the_bias(bias: NDArray[np.int64]) -> None:
    found = split_bias(bias)
    if found is not None:
        mantissa, exponent = found
        assert (mantissa << exponent).tolist() == bias.tolist()
        assert (np.abs(mantissa) <= 4095).all()
        assert ((exponent >= 0) & (exponent <= 7)).all()
    else:
        assert (np.abs(bias) > 4095).any()
