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

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import (
    FRACTION_BITS,
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
Mask = NDArray[np.bool_]
ELEMENTS = 2**18
"""Synapses times samples that are looked at at once: 2 MiB an array."""


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
    size = max(1, ELEMENTS // (weight.size * draws))
    for share, number in _epochs(plasticity.dw):
        dw = _in_force(plasticity.dw, number)
        for first in range(0, samples, size):
            chunk = np.arange(first, min(first + size, samples))
            rounds = chunk + samples * np.arange(draws)[:, None]
            rows, columns = _speaking(dw, told, rounds)
            block = np.flatnonzero(rows.any(axis=0)), np.flatnonzero(columns.any(axis=0))
            values = _values(weight, told, rounds, number, *block)
            stream.add(_part(dw, values, program.widths), *block, weight=share)
            reached += share * float(rows.sum(axis=1) @ columns.sum(axis=1))
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


def _speaking(dw: SumOfProducts, told: Told, rounds: Places) -> tuple[Mask, Mask]:
    """Return the neurons and lines of every sample without which all products are 0.

    ``rounds`` (draws, samples); the masks are (samples, neurons) and (samples, lines).
    """
    rows = np.zeros((rounds.shape[1], told.y0.shape[1]), np.bool_)
    columns = np.zeros((rounds.shape[1], told.x0.shape[1]), np.bool_)
    for product in dw.products:
        rows |= _neurons(product, told, rounds).any(axis=0)
        columns |= told.x0[rounds].any(axis=0) if _gated_by(product, "x0") else True
    return rows, columns


def _gated_by(product: Product, event: str) -> bool:
    return product.dependency == event or any(
        factor.is_event and factor.variable == event for factor in product.factors
    )


def _neurons(product: Product, told: Told, rounds: Places) -> Mask:
    """Return where the neuron's side of a product is not 0, (draws, samples, neurons)."""
    speaks = np.ones((*rounds.shape, told.y0.shape[1]), np.bool_)
    for factor in product.factors:
        if _is_bare(factor):
            speaks &= told.y[factor.variable][rounds] != 0
    return speaks & told.y0[rounds] if _gated_by(product, "y0") else speaks


def _is_bare(factor: Factor) -> bool:
    return factor.variable in POST and not factor.constant and not factor.sign


@dataclass(frozen=True, eq=False)
class Block:
    """The variables of a rule on a block of synapses at the end of an epoch; traces stood still.

    weight (draws, samples, rows, columns); x (draws, samples, 1, columns) and y (draws, samples,
    rows, 1) by name, events among them; ``number`` of the epoch, from 1.
    """

    weight: Long
    x: Mapping[str, Long]
    y: Mapping[str, Long]
    number: int

    def event(self, name: str) -> Long:
        """Return 1 where the line sent (x0), the neuron learnt (y0) or the epoch counts (u_k)."""
        if name[0] == "u":
            return np.full((1, 1), self.number % 2 ** int(name[1:]) == 0, np.int64)
        return self._variable(name)

    def factor(self, factor: Factor, dependency: str) -> Long:
        """Return a factor; as traces stood still, it is the same whatever gates the product."""
        return saturated(factor, self._variable(factor.variable))

    def _variable(self, name: str) -> Long:
        known = {"w": self.weight, **self.x, **self.y}
        return known.get(name, np.zeros((1, 1), np.int64))


def _values(
    weight: Long, told: Told, rounds: Places, number: int, rows: Places, columns: Places
) -> Block:
    """Return the variables of a block for (draws, samples) of a record."""
    part = weight[np.ix_(rows, columns)]
    at = rounds[..., None]
    lines = {"x0": told.x0.astype(np.int64), "x1": told.x1}
    neurons = {"y0": told.y0.astype(np.int64), **told.y}
    return Block(
        np.broadcast_to(part, (*rounds.shape, *part.shape)),
        {name: values[at, columns][..., None, :] for name, values in lines.items()},
        {name: values[at, rows][..., :, None] for name, values in neurons.items()},
        number,
    )


def _part(dw: SumOfProducts, values: Block, widths: Widths) -> Part:
    """Return the changes of the stored weights, added over samples and averaged over draws.

    What rounding does is exact: expectation and variance; what the neurons drew is a mean over D
    draws, whose own squared error, the variance between draws over D, is the ``noise``.
    """
    total = accumulate_products(dw, values, widths)
    chance = (total & (2**FRACTION_BITS - 1)) / 2.0**FRACTION_BITS
    down = np.clip(total >> FRACTION_BITS, widths.weight_low, widths.weight_high)
    up = np.clip((total >> FRACTION_BITS) + 1, widths.weight_low, widths.weight_high)
    change = (down - values.weight) + chance * (up - down)
    draws, samples = change.shape[:2]
    rounding = float(np.sum(chance * (1.0 - chance) * (up - down))) / draws
    square = float(np.vdot(change, change)) / draws + rounding
    if draws == 1:
        return Part(change[0].sum(axis=0), square, rounding, 0.0, samples)
    expected = change.mean(axis=0)
    between = square - rounding - float(np.vdot(expected, expected))
    drawn = between * draws / (draws - 1)
    return Part(expected.sum(axis=0), square, rounding + drawn, drawn / draws, samples)


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
