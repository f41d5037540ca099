"""Which populations are Lava's own ``LIF``, and with which constants.

In: a population. Out: the constructor's constants, or None where only our own process will do. Why:
programs of stock processes alone can be handed to other Lava backends.

    du = 4095 - du_keep,  dv = 4096 - dv_keep,  vth = threshold / 64,  bias = bias_mant * 2^bias_exp
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.types import IntArray, Population, Program

DECAY_TOP = 4095
MANTISSA_TOP = 4095
EXPONENT_TOP = 7
THRESHOLD_BITS = 17


@dataclass(frozen=True, eq=False)
class StockLif:
    """Constants of Lava's ``LIF``: 12-bit decays, 17-bit threshold, biases of 13 and 3 bits."""

    du: int
    dv: int
    vth: int
    bias_mant: NDArray[np.int64]
    bias_exp: NDArray[np.int64]


def stock_lif(program: Program, population: Population) -> StockLif | None:
    """Return the constants if Lava's ``LIF`` does exactly what this population does."""
    if population.neuron != LIF or population.bias or not _only_spikes(program, population):
        return None
    known = dict(population.constants)
    du, dv = DECAY_TOP - known["du_keep"], DECAY_TOP + 1 - known["dv_keep"]
    vth, rest = divmod(known["threshold"], 64)
    bias = split_bias(program.tensors[dict(population.tables)["bias"]])
    if rest or bias is None or not 0 <= vth < 2**THRESHOLD_BITS:
        return None
    if not (0 <= du <= DECAY_TOP and 0 <= dv <= DECAY_TOP):
        return None
    return StockLif(du, dv, vth, *bias)


def _only_spikes(program: Program, population: Population) -> bool:
    """Whether the population neither receives a third factor nor sends anything but s."""
    name = population.name
    asked = any(
        (group.post == name and group.port == "third")
        or (group.pre == name and group.output == "e")
        for group in program.synapses
    )
    wired = any(wire.post == name for wire in program.wires)
    writes = any(
        plasticity.factors == 3 and program.group(plasticity.synapses).post == name
        for plasticity in program.plasticity
    )
    return not (asked or wired or writes)


def split_bias(bias: IntArray) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return mantissas and exponents, or None if one bias is no such product."""
    rest = bias.astype(np.int64)
    exponent = np.zeros_like(rest)
    for _ in range(EXPONENT_TOP):
        halve = (np.abs(rest) > MANTISSA_TOP) & (rest % 2 == 0)
        rest, exponent = np.where(halve, rest >> 1, rest), exponent + halve
    return (rest, exponent) if np.all(np.abs(rest) <= MANTISSA_TOP) else None
