"""Thresholds of LIF units at which a population spikes at a wanted rate on the calibration data.

In: what arrives in every step, and constant drive. Out: the threshold, found by
bisection on the integer neuron itself, and the spikes that it gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hebbite.compiler.arithmetic.neuron import execute, new_registers
from hebbite.compiler.lowering.network import Long
from hebbite.compiler.lowering.shared import delivered
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.program.connectivity import Dense
from hebbite.compiler.program.types import IntArray

DU_KEEP = 0
"""The current forgets at once: a message acts for one step."""
TOP_THRESHOLD = 2**17 - 1
INPUT_SHIFT = 6


@dataclass(frozen=True, eq=False)
class Drive:
    """What drives one population.

    arrived    (samples, window, neurons) what spikes from below deliver, in steps of a weight
    bias       (neurons,) added to v in every step
    dv_keep    v keeps dv_keep / 4096 of itself a step
    recurrent  (neurons, neurons) from the population to itself, one step late; None for none
    """

    arrived: Long
    bias: IntArray
    dv_keep: int
    recurrent: Long | None = None


def fitted_threshold(drive: Drive, *, rate: float) -> tuple[int, Long]:
    """Return vth (in steps of 64) for ``rate`` spikes a neuron and step, and the spikes (samples,
    window, neurons) that it gives.
    """
    low, high = 1, TOP_THRESHOLD
    while low < high:
        middle = (low + high) // 2
        if _simulated(drive, middle).mean() > rate:
            low = middle + 1
        else:
            high = middle
    return high, _simulated(drive, high)


def _simulated(drive: Drive, threshold: int) -> Long:
    """Return the spikes of one population from rest, every sample on its own."""
    samples, window, neurons = drive.arrived.shape
    constants = {
        "du_keep": DU_KEEP,
        "dv_keep": drive.dv_keep,
        "threshold": threshold << INPUT_SHIFT,
    }
    program = NEURONS["lif"].bind(constants, period=window)
    registers = new_registers(program, samples * neurons)
    tables = {"bias": np.tile(drive.bias, samples)}
    out = np.zeros((samples, window, neurons), np.int64)
    for step in range(window):
        if step:
            current = drive.arrived[:, step - 1]
            if drive.recurrent is not None:
                current = current + delivered(Dense(), drive.recurrent, out[:, step - 1])
            registers["a"] = current.reshape(-1)
        execute(program, registers, offset=1, tables=tables, random=_no_random)
        out[:, step] = registers["s"].reshape(samples, neurons)
    return out


def _no_random(instruction: int, bits: int) -> Long:
    raise AssertionError("a LIF unit draws nothing")
