"""The sums of a rule as loops over synapses, printed: what `arithmetic.learning` defines.

An update writes weights and tags. Steps are what is added to the weights where that does not depend
on them: with one product p in the sum, w' = clip(w + floor(p / 2^7) + (draw < p mod 2^7)), for
w 2^7 has no fraction. `row_sums` adds steps to rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from hebbite.compiler.arithmetic.learning import FRACTION_BITS
from hebbite.compiler.arithmetic.traces import POST, PRE, TRACE_TOP
from hebbite.compiler.program.types import TAG, Plasticity
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.runtime.engines.native.llvm import (
    I32,
    I64,
    Lane,
    Value,
    print_kernel,
)
from hebbite.runtime.engines.native.rule_tables import (
    CHANGES,
    DRAW,
    STEP,
    TAG_DRAW,
    TAGS,
    WEIGHT,
    settle_signature,
)
from hebbite.runtime.engines.native.rule_views import View, events_of

Interval = tuple[int, int]
TRACE: Interval = (0, TRACE_TOP)


def print_update(module: ir.Module, name: str, view: View) -> None:
    """Print the kernel of a rule's update, over the synapses of a view."""
    print_kernel(module, name, view.signature, lambda lane: _Update(lane, view).print())


def print_steps(module: ir.Module, name: str, view: View) -> None:
    """Print the kernel of a rule's steps, into w; how many are not 0 is told as ``changed``."""

    def body(lane: Lane) -> Sequence[Value]:
        step = _Update(lane, view).step()
        lane.store(WEIGHT, step)
        moves = lane.compare("!=", step, lane.constant(0))
        return [moves, *[lane.constant(0)] * (len(view.signature.totals) - 1)]

    print_kernel(module, name, view.signature, body)


def print_settle(module: ir.Module, name: str, view: View) -> None:
    """Print the kernel that brings sums of weights and steps into the range of weights."""

    def body(lane: Lane) -> Sequence[Value]:
        total, widths = lane.element(WEIGHT), view.rule.widths
        before = lane.builder.sub(total, lane.element(STEP))
        lane.store(WEIGHT, lane.clip(total, widths.weight_low, widths.weight_high))
        lane.tally(CHANGES, _changes(lane, before))
        return []

    print_kernel(module, name, settle_signature(view.rule.bits), body)


def _changes(lane: Lane, before: Value) -> Value:
    """Return whether a weight is another than ``before``, as it is stored: narrow elements are
    compared faster.
    """
    return lane.compare("!=", lane.element(WEIGHT), before)


def visits_columns(plasticity: Plasticity) -> bool:
    """Whether an event of a neuron alone has synapses visited."""
    products = (p for update in plasticity.sums for p in update.products)
    return any({"x0", "y0"} & events_of(product) == {"y0"} for product in products)


def columns_step(plasticity: Plasticity) -> bool:
    """Whether what a column adds to its weights does not depend on them."""
    return _steps(plasticity, without="x0", beside=())


def rows_step(plasticity: Plasticity) -> bool:
    """Whether what a row adds to its weights depends neither on them nor on its line, but where a
    neuron learnt: rows add the same, but for what is drawn.
    """
    products = (p for p in plasticity.dw.products if "y0" not in events_of(p))
    sent = all("x0" in events_of(product) for product in products)
    return sent and plasticity.epoch == 1 and _steps(plasticity, without="y0", beside=PRE)


def _steps(plasticity: Plasticity, *, without: str, beside: Sequence[str]) -> bool:
    """Whether one product of dw does not ask for an event, and reads no weight, tag or trace of
    those named.
    """
    products = [p for p in plasticity.dw.products if without not in events_of(p)]
    reads = {factor.variable for product in products for factor in product.factors}
    return plasticity.dt is None and len(products) == 1 and not reads & {WEIGHT, TAGS, *beside}


class _Update:
    """One synapse's update."""

    def __init__(self, lane: Lane, view: View) -> None:
        self._lane = lane
        self._rule = view.rule
        self._view = view
        self._stored = lane.element(WEIGHT)
        self._weight = lane.load(WEIGHT)
        self._tag = lane.load(TAGS) if view.rule.tagged else lane.constant(0)

    def print(self) -> Sequence[Value]:
        """Print the update; return what the totals gain: whether the weight changed, unless that is
        tallied, and low tags.
        """
        lane, widths = self._lane, self._rule.widths
        plasticity, below = self._rule.plasticity, lane.constant(0)
        total = self._accumulate(plasticity.dw, self._weight, widths.accumulator)
        weight = lane.clip(self._round(total, DRAW), widths.weight_low, widths.weight_high)
        weight = self._kept(weight, self._weight)
        lane.store(WEIGHT, weight)
        if plasticity.dt is not None:
            low = TAG.weight_low - 1
            total = self._accumulate(plasticity.dt, self._tag, TAG.accumulator)
            tag = lane.clip(self._round(total, TAG_DRAW), low, TAG.weight_high)
            tag = self._kept(tag, self._tag)
            lane.store(TAGS, tag)
            below = lane.builder.sub(self._is(tag, low), self._is(self._tag, low))
        changes = _changes(lane, self._stored)
        if self._view.tallies:
            lane.tally(CHANGES, changes)
            changes = lane.constant(0)
        return changes, below

    def step(self) -> Value:
        """Print the one product of the view, rounded; 0 where a synapse is spared."""
        bits = self._rule.widths.accumulator
        (product,) = (p for p in self._rule.plasticity.dw.products if not self._view.skips(p))
        total = self._term(product, -(2**bits) - 1, 2**bits - 1)
        return self._kept(self._round(total, DRAW), self._lane.constant(0))

    def _is(self, value: Value, constant: int) -> Value:
        return self._lane.flag(self._lane.compare("==", value, self._lane.constant(constant)))

    def _kept(self, new: Value, old: Value) -> Value:
        """Return the old value where a synapse is spared."""
        spared = self._view.spares(self._lane)
        return new if spared is None else self._lane.builder.select(spared, old, new)

    def _accumulate(self, update: SumOfProducts, start: Value, bits: int) -> Value:
        """Return acc: start * 2^7 plus every product, saturated after each."""
        lane, low, high = self._lane, -(2**bits) - 1, 2**bits - 1
        total = lane.builder.shl(start, lane.constant(FRACTION_BITS))
        for product in update.products:
            if not self._view.skips(product):
                total = lane.builder.add(total, self._term(product, low, high))
            if update.target == "dt" or not self._view.skips(product):
                total = lane.clip(total, low, high)
        return total

    def _term(self, product: Product, low: int, high: int) -> Value:
        """Return one product, gated, shifted and saturated."""
        builder = self._lane.builder
        value, (least, most) = self._factors(product)
        kind, left = value.type, product.exponent + FRACTION_BITS
        value = builder.ashr(value, ir.Constant(kind, product.shift))
        value = builder.shl(value, ir.Constant(kind, left))
        least, most = (least >> product.shift) << left, (most >> product.shift) << left
        if least < low or most > high:
            value = self._lane.clip(value, low, high)
        return value if kind == I32 else builder.trunc(value, I32)

    def _factors(self, product: Product) -> tuple[Value, Interval]:
        """Return gate * prod_k clip(f_k + C_k) * mantissa, and the interval in which it lies."""
        lane, gate = self._lane, product.dependency
        parts = [(self._view.variable(lane, gate, gate), (0, 1))]
        parts += [self._factor(factor, gate) for factor in product.factors]
        parts.append((lane.constant(product.mantissa), (product.mantissa, product.mantissa)))
        span, peak = (1, 1), 1
        for _, interval in parts:
            span = _times(span, interval)
            peak = max(peak, -span[0], span[1])
        left = product.exponent + FRACTION_BITS
        wide = max(peak, max(-span[0], span[1]) >> product.shift << left) >= 2**31 - 1
        value: Value | None = None
        for part, _ in parts:
            part = lane.builder.sext(part, I64) if wide else part
            value = part if value is None else lane.builder.mul(value, part)
        return value, span

    def _factor(self, factor: Factor, gate: str) -> tuple[Value, Interval]:
        """Return clip(f + C), or the sign of f + C, and the interval in which it lies."""
        lane, builder = self._lane, self._lane.builder
        value, (low, high) = self._variable(factor.variable, gate)
        value = builder.add(value, lane.constant(factor.constant))
        low, high = low + factor.constant, high + factor.constant
        if factor.sign:
            above = lane.flag(lane.compare(">", value, lane.constant(0)))
            below = lane.flag(lane.compare("<", value, lane.constant(0)))
            value, low, high = builder.sub(above, below), -1, 1
        least, most = -(2**factor.width), 2**factor.width - 1
        if low < least or high > most:
            value = lane.clip(value, least, most)
        return value, (min(max(low, least), most), min(max(high, least), most))

    def _variable(self, name: str, gate: str) -> tuple[Value, Interval]:
        widths = self._rule.widths
        if name == "C":
            return self._lane.constant(0), (0, 0)
        if name == "w":
            return self._weight, (widths.weight_low, widths.weight_high)
        if name == "t":
            return self._tag, (TAG.weight_low - 1, TAG.weight_high)
        if name in (*PRE, *POST) and self._rule.plasticity.trace(name) is None:
            return self._lane.constant(0), (0, 0)
        value = self._view.variable(self._lane, name, gate)
        return value, TRACE if name in (*PRE, *POST) else (0, 1)

    def _round(self, total: Value, draw: str) -> Value:
        """Return acc / 2^7, up where half of the byte drawn lies below its fraction f: where
        f + 2^7 - 1 - half carries over.
        """
        lane, builder = self._lane, self._lane.builder
        half = builder.lshr(lane.load(draw), lane.constant(1))
        carried = builder.sub(lane.constant(2**FRACTION_BITS - 1), half)
        return builder.ashr(builder.add(total, carried), lane.constant(FRACTION_BITS))


def _times(one: Interval, other: Interval) -> Interval:
    corners = [a * b for a in one for b in other]
    return min(corners), max(corners)
