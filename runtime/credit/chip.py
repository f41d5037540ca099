"""The update that the chip really writes, sample by sample: integers, floors and rounding included.

For every synapse the learning engine forms acc, the weight with 7 fractional bits (see
`compiler.arithmetic.learning`), and stores floor(acc / 2^7), one more with the chance p of the
rest. So one epoch changes a weight by dw with

    E[dw] = acc / 2^7 - w,   Var[dw] = p (1 - p)     (within the weight's range)

known exactly, without drawing anything. Against the same products in real numbers, without the
floors of the chip, the mean difference is the floor drift. Traces that decay with tau = 65535 steps
are taken as standing still: that changes a trace with a chance below 0.2 % a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import (
    FRACTION_BITS,
    EpochValues,
    accumulate_products,
    saturated,
)
from hebbite.compiler.arithmetic.traces import POST
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import Widths
from hebbite.rules.sums import Factor, Product, SumOfProducts, effective_scale
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Moments, Part, Places, Stream
from hebbite.runtime.credit.record import Record, Told

Long = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChipUpdate:
    """``moments`` of dw in weight steps. ``unfloored``: the mean of the same products in real
    numbers, (out, in + 1). ``reached``: synapses a sample, both of whose sides speak.
    """

    moments: Moments
    unfloored: Real
    reached: float

    @property
    def drift_steps(self) -> float:
        """Mean floor drift of a synapse that is reached, in weight steps an epoch."""
        lost = float((self.moments.mean - self.unfloored).sum())
        return lost / self.reached if self.reached else 0.0


def chip_update(compiled: Compiled, group: str, found: Record, *, draws: int = 1) -> ChipUpdate:
    """Return the update of a plastic group at the weights of ``compiled``.

    ``draws``: how often the record holds every sample (see `record`).
    """
    program = compiled.program
    plasticity = next(p for p in program.plasticity if p.synapses == group)
    weight = program.tensors[program.group(group).weight].astype(np.int64)
    told = found.told[group]
    samples = len(told.x1) // draws
    stream, real = Stream(weight.shape), np.zeros(weight.shape, np.float64)
    reached = 0.0
    for share, number in _epochs(plasticity.dw):
        dw = _in_force(plasticity.dw, number)
        for sample in range(samples):
            rounds = range(sample, samples * draws, samples)
            rows, columns = _block(dw, told, rounds)
            values = [_values(weight, told, at, number, rows, columns) for at in rounds]
            part = _over_draws([_rounded(dw, each, program.widths) for each in values])
            stream.add(part, rows, columns, weight=share)
            reached += share * rows.size * columns.size
        real += share * _unfloored(dw, weight, told)
    return ChipUpdate(stream.moments(), real, reached / samples)


def _epochs(dw: SumOfProducts) -> list[tuple[float, int]]:
    """Return (share, epoch number) of each kind of epoch: a product gated by u_k counts in one of
    2^k."""
    k = max((int(p.dependency[1:]) for p in dw.products if p.dependency[0] == "u"), default=0)
    return [(1.0 - 0.5**k, 1), (0.5**k, 2**k)] if k else [(1.0, 1)]


def _in_force(dw: SumOfProducts, number: int) -> SumOfProducts:
    """Return the products that count in an epoch of this number."""
    held = tuple(
        p for p in dw.products if p.dependency[0] != "u" or number % 2 ** int(p.dependency[1:]) == 0
    )
    return SumOfProducts(dw.target, held)


def _block(dw: SumOfProducts, told: Told, rounds: range) -> tuple[Places, Places]:
    """Return the neurons and lines outside of which every product is 0, in all rounds."""
    rows = np.zeros(told.y0.shape[1], np.bool_)
    columns = np.zeros(told.x0.shape[1], np.bool_)
    for product in dw.products:
        for at in rounds:
            rows |= _speaking(product, told, at)
            columns |= told.x0[at] if _gated_by(product, "x0") else True
    return np.flatnonzero(rows), np.flatnonzero(columns)


def _gated_by(product: Product, event: str) -> bool:
    return product.dependency == event or any(
        factor.is_event and factor.variable == event for factor in product.factors
    )


def _speaking(product: Product, told: Told, at: int) -> NDArray[np.bool_]:
    """Return the neurons whose side of a product is not 0."""
    traces = [told.y[f.variable][at] != 0 for f in product.factors if _is_bare(f)]
    events = [told.y0[at]] if _gated_by(product, "y0") else []
    everywhere = np.ones(told.y0.shape[1], np.bool_)
    return np.asarray(np.logical_and.reduce([everywhere, *traces, *events]), np.bool_)


def _is_bare(factor: Factor) -> bool:
    return factor.variable in POST and not factor.constant and not factor.sign


def _values(
    weight: Long, told: Told, at: int, number: int, rows: Places, columns: Places
) -> EpochValues:
    """Return the variables of a block at the end of an epoch; its traces stood still."""
    x1 = told.x1[at, columns]
    histories = {"x1": np.stack([x1, x1]), "x2": np.zeros((2, x1.size), np.int64)}
    histories |= {name: np.stack([y[at, rows]] * 2) for name, y in told.y.items()}
    return EpochValues(
        weight[np.ix_(rows, columns)],
        told.x0[at, columns].astype(np.int64),
        told.y0[at, rows].astype(np.int64),
        number,
        histories,
    )


def _rounded(dw: SumOfProducts, values: EpochValues, widths: Widths) -> Part:
    """Return the change of the stored weights, its expectation and its variance exact."""
    total = accumulate_products(dw, values, widths)
    chance = (total & (2**FRACTION_BITS - 1)) / 2.0**FRACTION_BITS
    down = np.clip(total >> FRACTION_BITS, widths.weight_low, widths.weight_high)
    up = np.clip((total >> FRACTION_BITS) + 1, widths.weight_low, widths.weight_high)
    expected = (down - values.weight) + chance * (up - down)
    variance = float(np.sum(chance * (1.0 - chance) * (up - down)))
    return Part(expected, float(np.vdot(expected, expected)) + variance, variance)


def _over_draws(parts: list[Part]) -> Part:
    """Return one sample's update from what the draws of its neurons gave."""
    if len(parts) == 1:
        return parts[0]
    draws = len(parts)
    expected = np.mean([part.expected for part in parts], axis=0)
    square = float(np.mean([part.square for part in parts]))
    rounding = float(np.mean([part.intrinsic for part in parts]))
    between = (square - rounding - float(np.vdot(expected, expected))) * draws / (draws - 1)
    return Part(expected, square, rounding + between, between / draws)


def _unfloored(dw: SumOfProducts, weight: Long, told: Told) -> Real:
    """Return the mean over all samples of the same sum in real numbers, nothing dropped.

    Every factor stands at the line, at the neuron or at the synapse, so a product's mean is one
    matrix product.
    """
    total = np.zeros(weight.shape, np.float64)
    known = {"x0": told.x0, "x1": told.x1, "y0": told.y0, **told.y, "w": weight}
    for product in dw.products:
        line = np.ones(told.x0.shape, np.float64)
        neuron = np.ones(told.y0.shape, np.float64)
        synapse = np.full(weight.shape, effective_scale(product))
        for factor in (*_gate(product), *product.factors):
            value = known.get(factor.variable, np.zeros_like(weight)).astype(np.int64)
            side = {"x": line, "y": neuron}.get(factor.variable[0], synapse)
            side *= saturated(factor, value)
        total += synapse * (neuron.T @ line) / len(line)
    return total


def _gate(product: Product) -> tuple[Factor, ...]:
    """Return the gate as a factor; u_k is none, for these products are in force."""
    return () if product.dependency[0] == "u" else (Factor(product.dependency),)
