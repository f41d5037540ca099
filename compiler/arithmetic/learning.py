"""The weight update of one learning epoch, as the chip computes it.

    acc  = w * 2^7
    for every product:
        p   = gate * prod_k clip(f_k + C_k, -2^b_k, 2^b_k - 1) * mantissa
        p   = (p >> shift) << (exponent + 7),   shift = max(0, sum_k b_k + 4 - 15)
        acc = clip(acc + clip(p))               both to -(2^A) - 1 .. 2^A - 1
    w = clip(floor(acc / 2^7) + (k < frac * 2^53))

b_k is the width of factor k in bits, A = 15 for 8-bit weights; >> rounds down. A trace in a product
gated by x0 (y0) is the value at the line's (neuron's) last event of the epoch, in one gated by u at
the epoch's end. Source: Lava 0.10.0, ``LearningRuleApplierBitApprox``; the odd lower bound is its.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import EpochRandom
from hebbite.compiler.arithmetic.traces import POST, PRE, TraceState, end_epoch, history
from hebbite.compiler.program.types import Widths
from hebbite.rules.sums import Factor, SumOfProducts

Long = NDArray[np.int64]
FRACTION_BITS = 7


def learn(
    weight: Long,
    state: TraceState,
    *,
    group: int,
    epoch_number: int,
    widths: Widths,
    random: EpochRandom,
) -> Long:
    """Advance the traces by one epoch and return the new weights, (post, lines).

    ``epoch_number`` counts from 1; u_k gates every 2^k-th epoch.
    """
    dw = state.plasticity.dw
    histories = {name: history(state, name, group=group, random=random) for name in (*PRE, *POST)}
    values = EpochValues(weight, state.tx, state.ty, epoch_number, histories)
    total = accumulate_products(dw, values, widths)
    whole, fraction = total >> FRACTION_BITS, total & (2**FRACTION_BITS - 1)
    draw = random.draw("weight", group, weight.size)
    draw = draw if draw.size == 1 else draw.reshape(weight.shape[::-1]).T
    up = draw < (fraction << (53 - FRACTION_BITS))
    end_epoch(state, histories)
    return np.asarray(np.clip(whole + up, widths.weight_low, widths.weight_high), np.int64)


def accumulate_products(dw: SumOfProducts, values: EpochValues, widths: Widths) -> Long:
    """Return acc before it is rounded, (post, lines): a weight with 7 fractional bits."""
    low, high = -(2**widths.accumulator) - 1, 2**widths.accumulator - 1
    start = values.weight << FRACTION_BITS
    total = start
    for product in dw.products:
        term = np.broadcast_to(values.event(product.dependency), start.shape)
        for factor in product.factors:
            term = term * values.factor(factor, product.dependency)
        term = (term * product.mantissa) >> product.shift
        term = np.clip(term << (product.exponent + FRACTION_BITS), low, high)
        total = np.clip(total + term, low, high)
    return total


def saturated(factor: Factor, value: Long) -> Long:
    """Return a factor of a variable's value: constant added, sign taken, clipped to its width."""
    shifted = value + factor.constant
    if factor.sign:
        shifted = np.sign(shifted)
    bits = factor.width
    return np.asarray(np.clip(shifted, -(2**bits), 2**bits - 1), np.int64)


@dataclass(frozen=True)
class EpochValues:
    """The variables of a rule at the end of an epoch, each to broadcast to (post, lines).

    weight (post, lines); tx (lines,) and ty (post,): offset of the last event, 0 for none;
    ``histories``: trace -> values at offset 0..epoch, (epoch + 1, lines or post).
    """

    weight: Long
    tx: Long
    ty: Long
    epoch_number: int
    histories: dict[str, Long]

    def factor(self, factor: Factor, dependency: str) -> Long:
        """Return a factor, constant added and saturated to its width."""
        return saturated(factor, self._variable(factor.variable, dependency))

    def event(self, name: str) -> Long:
        """Return 1 where the line sent (x0), the neuron learnt (y0) or the epoch counts (u_k)."""
        if name == "x0":
            return (self.tx > 0).astype(np.int64)[None, :]
        if name == "y0":
            return (self.ty > 0).astype(np.int64)[:, None]
        return np.full((1, 1), self.epoch_number % 2 ** int(name[1:]) == 0, np.int64)

    def _variable(self, name: str, dependency: str) -> Long:
        if name in ("x0", "y0"):
            return self.event(name)
        if name == "w":
            return self.weight
        if name == "C":
            return np.zeros((1, 1), np.int64)
        return self._trace(name, dependency)

    def _trace(self, name: str, dependency: str) -> Long:
        values = self.histories[name]
        if dependency[0] == "u":
            last = values[-1]
            return np.asarray(last[None, :] if name in PRE else last[:, None], np.int64)
        if dependency == "x0":
            own = name in PRE
            picked = values[self.tx, np.arange(self.tx.size)] if own else values[self.tx]
            return np.asarray(picked[None, :] if own else picked.T, np.int64)
        own = name in POST
        picked = values[self.ty, np.arange(self.ty.size)] if own else values[self.ty]
        return np.asarray(picked[:, None] if own else picked, np.int64)
