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

from hebbite.compiler.arithmetic.learning import (
    FRACTION_BITS,
    EpochValues,
    accumulate_products,
    saturated,
)
from hebbite.compiler.arithmetic.traces import POST, PRE
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import Widths
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.kernel import Flags, Long, add_updates
from hebbite.runtime.credit.moments import Moments
from hebbite.runtime.credit.record import Record, Told


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

    ``draws``: how often the record holds every sample (see `record`). A sample is worked out on
    the synapses that it reaches; what the others do, a decay or nothing, is known once for all.
    """
    program = compiled.program
    plasticity = next(p for p in program.plasticity if p.synapses == group)
    weight = program.tensors[program.group(group).weight].astype(np.int64)
    told = found.told[group]
    parts = [
        _epoch(share, _in_force(plasticity.dw, number), weight, told, draws, program.widths)
        for share, number in _epochs(plasticity.dw)
    ]
    return ChipUpdate(
        Moments(
            mean=sum((part.moments.mean for part in parts), np.zeros(weight.shape)),
            square=sum(part.moments.square for part in parts),
            intrinsic=sum(part.moments.intrinsic for part in parts),
            noise=sum(part.moments.noise for part in parts),
        ),
        sum((part.unfloored for part in parts), np.zeros(weight.shape)),
        sum(part.reached for part in parts),
    )


def _epoch(
    share: float, dw: SumOfProducts, weight: Long, told: Told, draws: int, widths: Widths
) -> ChipUpdate:
    """Return what a kind of epoch adds to the whole, as ``share`` of all epochs."""
    samples = len(told.x1) // draws
    still, spread = _unreached(dw, weight, widths)
    rows, columns = _reached(dw, told, draws)
    sides = _sides(dw, weight, told)
    mean, sums = np.zeros(weight.shape), np.zeros((samples, 3))
    add_updates(
        weight,
        still,
        spread,
        sides.line.reshape(draws, samples, *sides.line.shape[1:]),
        sides.neuron.reshape(draws, samples, *sides.neuron.shape[1:]),
        sides.synapse,
        np.array([_reads_synapse(product) for product in dw.products], np.bool_),
        np.array([product.shift for product in dw.products], np.int64),
        np.array([product.exponent for product in dw.products], np.int64),
        rows,
        columns,
        np.zeros(weight.shape[1], np.int64),
        widths.weight,
        mean,
        sums,
    )
    square, rounding, between = sums.mean(axis=0)
    between *= draws / (draws - 1) if draws > 1 else 0.0
    quiet = float(spread.sum())
    return ChipUpdate(
        Moments(
            mean=share * (still + mean / samples),
            square=share * (float(np.vdot(still, still)) + quiet + square),
            intrinsic=share * (quiet + rounding + between),
            noise=share * between / (draws * samples),
        ),
        share * _unfloored(dw, sides),
        share * float(np.mean(rows.sum(axis=1) * columns.sum(axis=1))),
    )


@dataclass(frozen=True, eq=False)
class Sides:
    """Every product's factors, multiplied where they stand: at the line (samples, products,
    lines), at the neuron with the mantissa (samples, products, post), and at the synapse
    (products, post, lines)."""

    line: Long
    neuron: Long
    synapse: Long


def _sides(dw: SumOfProducts, weight: Long, told: Told) -> Sides:
    samples, products = len(told.x1), len(dw.products)
    line = np.ones((samples, products, told.x1.shape[1]), np.int64)
    neuron = np.ones((samples, products, told.y0.shape[1]), np.int64)
    synapse = np.ones((products, *weight.shape), np.int64)
    known = {"x0": told.x0, "x1": told.x1, "y0": told.y0, **told.y, "w": weight}
    for p, product in enumerate(dw.products):
        neuron[:, p] *= product.mantissa
        gate = () if product.dependency[0] == "u" else (Factor(product.dependency),)
        for factor in (*gate, *product.factors):
            value = known.get(factor.variable, np.zeros_like(weight)).astype(np.int64)
            side = {"x": line[:, p], "y": neuron[:, p]}.get(factor.variable[0], synapse[p])
            side *= saturated(factor, value)
    return Sides(line, neuron, synapse)


def _reads_synapse(product: Product) -> bool:
    return any(factor.variable[0] not in "xy" for factor in product.factors)


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


def _unreached(dw: SumOfProducts, weight: Long, widths: Widths) -> tuple[Real, Real]:
    """Return expectation and variance of the change of synapses that no sample reaches."""
    nothing: dict[str, Long] = {name: np.zeros((2, weight.shape[1]), np.int64) for name in PRE}
    nothing |= {name: np.zeros((2, weight.shape[0]), np.int64) for name in POST}
    lines, neurons = (np.zeros(size, np.int64) for size in weight.shape[::-1])
    total = accumulate_products(dw, EpochValues(weight, lines, neurons, 0, nothing), widths)
    chance = (total & (2**FRACTION_BITS - 1)) / 2.0**FRACTION_BITS
    down = np.clip(total >> FRACTION_BITS, widths.weight_low, widths.weight_high)
    up = np.clip((total >> FRACTION_BITS) + 1, widths.weight_low, widths.weight_high)
    return (down - weight) + chance * (up - down), chance * (1.0 - chance) * (up - down)


def _reached(dw: SumOfProducts, told: Told, draws: int) -> tuple[Flags, Flags]:
    """Return which neurons and which lines a sample reaches in some draw, (samples, size) each."""
    rows, columns = np.zeros(told.y0.shape, np.bool_), np.zeros(told.x0.shape, np.bool_)
    for product in dw.products:
        if not _is_the_same_for_all(product):
            rows |= _speaking(product, told)
            columns |= told.x0 if _gated_by(product, "x0") else True
    return _in_some_draw(rows, draws), _in_some_draw(columns, draws)


def _in_some_draw(flags: Flags, draws: int) -> Flags:
    return np.asarray(flags.reshape(draws, -1, flags.shape[1]).any(axis=0), np.bool_)


def _is_the_same_for_all(product: Product) -> bool:
    """Whether a product reads nothing but the synapse: a decay."""
    return product.dependency[0] == "u" and not any(f.variable[0] in "xy" for f in product.factors)


def _gated_by(product: Product, event: str) -> bool:
    return product.dependency == event or any(
        factor.is_event and factor.variable == event for factor in product.factors
    )


def _speaking(product: Product, told: Told) -> Flags:
    """Return the neurons whose side of a product is not 0, (samples, neurons)."""
    found = told.y0.copy() if _gated_by(product, "y0") else np.ones_like(told.y0)
    for factor in product.factors:
        if factor.variable in POST and not factor.constant and not factor.sign:
            found &= told.y[factor.variable] != 0
    return found


def _unfloored(dw: SumOfProducts, sides: Sides) -> Real:
    """Return the mean over all samples of the same sum in real numbers, nothing dropped: every
    product is one matrix product."""
    total = np.zeros(sides.synapse.shape[1:], np.float64)
    line, neuron = sides.line.astype(np.float64), sides.neuron.astype(np.float64)
    for p, product in enumerate(dw.products):
        scale = 2.0 ** (product.exponent - product.shift)
        total += scale * sides.synapse[p] * (neuron[:, p].T @ line[:, p]) / len(line)
    return total
