"""The update of weights and tags in one learning epoch, as the chip computes it.

    acc  = w * 2^7
    for every product of dw:
        p   = gate * prod_k clip(f_k + C_k, -2^b_k, 2^b_k - 1) * mantissa
        p   = (p >> shift) << (exponent + 7),   shift = max(0, sum_k b_k + 4 - 15)
        acc = clip(acc + clip(p))               both to -(2^A) - 1 .. 2^A - 1
    w = clip(floor(acc / 2^7) + (k < frac * 2^53))

b_k is the width of factor k in bits, A = 15 for 8-bit weights; >> rounds down. A trace in a product
gated by x0 (y0) is the value at the line's (neuron's) last event of the epoch, in one gated by u at
the epoch's end.

A tag t (8 bits and a sign, 0 at first) is updated in the same way by dt, with A = 15 whatever the
width of weights. Both sums read w and t as they stood before the epoch's end, so their order does
not matter. Two things are Lava's own and are kept:

* a tag is clipped to -257..255, one lower than its word, as the accumulator is. In the next epoch
  the sum with its first product, 0 if that does not hold, is clipped to the accumulator's range:
  left alone, a tag of -257 becomes -256, or stays with a chance of 1/128;
* in ``lava-exact`` the one random number of an epoch rounds weights and tags alike.

Source: Lava 0.10.0, ``LearningConnectionModelBitApproximate._apply_learning_rules`` and
``LearningRuleApplierBitApprox``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.randomness import EpochRandom
from hebbite.compiler.arithmetic.traces import POST, PRE, TraceState, end_epoch, history
from hebbite.compiler.program.connectivity import Ends, grid
from hebbite.compiler.program.types import TAG, Widths
from hebbite.rules.sums import Factor, SumOfProducts
from hebbite.rules.traces import RANDOM_BITS

Long = NDArray[np.int64]
FRACTION_BITS = 7
TAG_LOW = TAG.weight_low - 1
"""The smallest tag: Lava's lower bound, one below its word."""


class Synaptic(NamedTuple):
    """What a group of synapses holds, (post, lines) each: weights, and tags where it has any.

    In a group that is a list, (synapses,) each.
    """

    weight: Long
    tag: Long | None = None


def learn(
    held: Synaptic,
    state: TraceState,
    *,
    group: int,
    epoch_number: int,
    widths: Widths,
    random: EpochRandom,
    ends: Ends | None = None,
) -> Synaptic:
    """Advance the traces by one epoch and return the new weights and tags.

    ``epoch_number`` counts from 1; u_k gates every 2^k-th epoch. ``ends`` of the weights, None: a
    matrix.
    """
    dw, dt = state.plasticity.dw, state.plasticity.dt
    histories = {name: history(state, name, group=group, random=random) for name in (*PRE, *POST)}
    values = EpochValues(held.weight, state.tx, state.ty, epoch_number, histories, held.tag, ends)
    total = accumulate_products(dw, values, widths)
    rounded = _rounded(total, random.draw("weight", group, held.weight.size))
    weight = np.asarray(np.clip(rounded, widths.weight_low, widths.weight_high), np.int64)
    tag = held.tag
    if dt is not None:
        total = accumulate_products(dt, values, widths)
        rounded = _rounded(total, random.draw("tag", group, held.weight.size))
        tag = np.asarray(np.clip(rounded, TAG_LOW, TAG.weight_high), np.int64)
    end_epoch(state, histories)
    return Synaptic(weight, tag)


def _rounded(total: Long, draw: Long) -> Long:
    """Return acc / 2^7, up where the number drawn is below the fraction.

    Numbers go to a matrix line by line, to a list in its order.
    """
    whole, fraction = total >> FRACTION_BITS, total & (2**FRACTION_BITS - 1)
    draw = draw if draw.size == 1 else draw.reshape(total.shape[::-1]).T
    return np.asarray(whole + (draw < (fraction << (RANDOM_BITS - FRACTION_BITS))), np.int64)


def accumulate_products(update: SumOfProducts, values: EpochValues, widths: Widths) -> Long:
    """Return acc before it is rounded, shaped as the weights: these with 7 fractional bits."""
    start, bits = values.weight << FRACTION_BITS, widths.accumulator
    if update.target == "dt":
        start, bits = values.tags << FRACTION_BITS, TAG.accumulator
    low, high = -(2**bits) - 1, 2**bits - 1
    total = start
    for product in update.products:
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
    """The variables of a rule at the end of an epoch, each to broadcast to the weights' shape.

    weight and, where a rule keeps one, tag, as they stood before: (post, lines), or (synapses,)
    with the ``ends`` of each; tx (lines,) and ty (post,): offset of the last event, 0 for none;
    ``histories``: trace -> values at offset 0..epoch, (epoch + 1, lines or post).
    """

    weight: Long
    tx: Long
    ty: Long
    epoch_number: int
    histories: dict[str, Long]
    tag: Long | None = None
    ends: Ends | None = None

    @property
    def tags(self) -> Long:
        """The tags of a rule that keeps them: programs are lawful."""
        assert self.tag is not None
        return self.tag

    @cached_property
    def joined(self) -> Ends:
        """Line and neuron of every weight."""
        return grid(self.ty.size, self.tx.size) if self.ends is None else self.ends

    def factor(self, factor: Factor, dependency: str) -> Long:
        """Return a factor, constant added and saturated to its width."""
        return saturated(factor, self._variable(factor.variable, dependency))

    def event(self, name: str) -> Long:
        """Return 1 where the line sent (x0), the neuron learnt (y0) or the epoch counts (u_k)."""
        if name == "x0":
            return (self.tx > 0).astype(np.int64)[self.joined.line]
        if name == "y0":
            return (self.ty > 0).astype(np.int64)[self.joined.post]
        return np.full(1, self.epoch_number % 2 ** int(name[1:]) == 0, np.int64)

    def _variable(self, name: str, dependency: str) -> Long:
        if name in ("x0", "y0"):
            return self.event(name)
        if name == "w":
            return self.weight
        if name == "t":
            return self.tags
        if name == "C":
            return np.zeros(1, np.int64)
        return self._trace(name, dependency)

    def _trace(self, name: str, dependency: str) -> Long:
        """Return a trace at the end of the epoch, or at the event that the product depends on."""
        values, (line, post) = self.histories[name], self.joined
        own = line if name in PRE else post
        if dependency[0] == "u":
            return np.asarray(values[-1][own], np.int64)
        at = self.tx[line] if dependency == "x0" else self.ty[post]
        return np.asarray(values[at, own], np.int64)
