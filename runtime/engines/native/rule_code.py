"""The sums of a rule as loops over synapses, printed: what `arithmetic.learning` defines.

``row``     the synapses of one line, one a neuron: variables of the line are numbers
``column``  the synapses that end at one neuron that learnt, one a line: its variables are numbers.
            Lines that sent are left out, for their rows are visited anyway
``steps``   what a column adds to its weights, where it does not depend on them: with one product p
            in the sum, w' = clip(w + floor(p / 2^7) + (draw < p mod 2^7)): w 2^7 has no fraction

A trace in a product gated by x0 (y0) is the value at the line's (neuron's) last event of the epoch,
and at the epoch's end in one gated by u_k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llvmlite import ir

from hebbite.compiler.arithmetic.learning import FRACTION_BITS
from hebbite.compiler.arithmetic.traces import POST, PRE, TRACE_TOP
from hebbite.compiler.program.types import TAG, Plasticity, Widths
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.runtime.engines.native.llvm import (
    I32,
    I64,
    Array,
    Lane,
    Signature,
    Value,
    print_kernel,
)
from hebbite.runtime.engines.native.rule_tables import (
    CLOCKS,
    DRAW,
    LINE,
    MOVES,
    NONZERO,
    TAG_DRAW,
    TAGS,
    TARGET,
    TOTALS,
    TX,
    TY,
    WEIGHT,
    column_signature,
    row_signature,
)

Interval = tuple[int, int]
TRACE: Interval = (0, TRACE_TOP)


@dataclass(frozen=True)
class Rule:
    """A plasticity with what printing must know: widths, and bits of a stored target, 0 if dense.

    ``bits`` are those of a stored weight.
    """

    plasticity: Plasticity
    widths: Widths
    bits: int
    target: int = 0

    @property
    def tagged(self) -> bool:
        """Whether its synapses keep tags."""
        return self.plasticity.dt is not None


class View(Protocol):
    """Where the variables of a product stand, seen along a row or a column."""

    @property
    def signature(self) -> Signature:
        """The table of the kernel."""

    def variable(self, lane: Lane, name: str, gate: str) -> Value:
        """Return a variable as 32 bits, in a product with that gate."""

    def skips(self, product: Product) -> bool:
        """Whether a product is 0 in every synapse of the view."""


@dataclass(frozen=True)
class Row:
    """The synapses of one line."""

    rule: Rule

    @property
    def signature(self) -> Signature:
        """Weights, tags, draws and targets; y at the line's event, the neuron's, the end."""
        return row_signature(self.rule.bits, self.rule.target or 16)

    def variable(self, lane: Lane, name: str, gate: str) -> Value:
        """Return a variable; see `View`."""
        at = lane.load(TARGET) if self.rule.target else None
        if name in ("x0", *CLOCKS):
            return lane.number(name)
        if name == "y0":
            return lane.flag(lane.compare("!=", lane.load(TY, at), lane.constant(0)))
        moment = {"x0": "sent", "y0": "own"}.get(gate, "end")
        if name in POST:
            return lane.load(f"{moment} {name}", at)
        if moment != "own":
            return lane.number(f"{moment} {name}")
        if self.rule.plasticity.epoch == 1:
            return lane.number(f"end {name}")
        return lane.load(f"times {name}", lane.load(TY, at))

    def skips(self, product: Product) -> bool:
        """Nothing is left out."""
        return False


@dataclass(frozen=True)
class Column:
    """The synapses of the lines that did not send, to one neuron that learnt.

    Those of a list lie side by side here, and LINE says where each starts.
    """

    rule: Rule

    @property
    def signature(self) -> Signature:
        """Weights, tags and draws; x at the neuron's event and at the end."""
        return column_signature(self.rule.bits)

    def line(self, lane: Lane) -> Value | None:
        """Return the line of a synapse of a list; None where lines and synapses are the same."""
        return lane.load(LINE) if self.rule.target else None

    def variable(self, lane: Lane, name: str, gate: str) -> Value:
        """Return a variable; see `View`."""
        if name in CLOCKS:
            return lane.number(name)
        if name in ("x0", "y0"):
            return lane.constant(int(name == "y0"))
        moment = "own" if gate == "y0" else "end"
        if name in PRE:
            return lane.load(f"{moment} {name}", self.line(lane))
        return lane.number(f"{moment} {name}")

    def skips(self, product: Product) -> bool:
        """Whether a product asks for a message."""
        return "x0" in events_of(product)


def events_of(product: Product) -> frozenset[str]:
    """Return the events without which a product is 0: its gate, and bare factors x0 and y0."""
    bare = (factor.variable for factor in product.factors if factor.is_event)
    return frozenset((product.dependency, *bare))


def print_row(module: ir.Module, name: str, rule: Rule) -> None:
    """Print the kernel of a row."""
    view = Row(rule)
    print_kernel(module, name, view.signature, lambda lane: _Update(lane, rule, view).print())


def print_column(module: ir.Module, name: str, rule: Rule) -> None:
    """Print the kernel of a column."""
    view = Column(rule)
    print_kernel(module, name, view.signature, lambda lane: _Update(lane, rule, view).print())


def visits_columns(plasticity: Plasticity) -> bool:
    """Whether an event of a neuron alone has synapses visited."""
    products = (p for update in plasticity.sums for p in update.products)
    return any({"x0", "y0"} & events_of(product) == {"y0"} for product in products)


def has_steps(plasticity: Plasticity) -> bool:
    """Whether what a column adds to its weights does not depend on them."""
    products = [p for p in plasticity.dw.products if "x0" not in events_of(p)]
    reads = {factor.variable for product in products for factor in product.factors}
    return plasticity.dt is None and len(products) == 1 and not reads & {WEIGHT, TAGS}


def print_steps(module: ir.Module, name: str, rule: Rule) -> None:
    """Print the kernel of the steps of a column: into w, and into moves whether there is one."""
    view = Column(rule)
    signature = view.signature
    arrays = [Array(MOVES, 8) if a.name == NONZERO else a for a in signature.arrays]

    def body(lane: Lane) -> Sequence[Value]:
        step = _Update(lane, rule, view).step()
        moves = lane.flag(lane.compare("!=", step, lane.constant(0)))
        lane.store(WEIGHT, step)
        lane.store(MOVES, moves)
        return [lane.constant(0)] * len(TOTALS)

    print_kernel(module, name, Signature(arrays, signature.numbers, signature.totals), body)


class _Update:
    """One synapse's update."""

    def __init__(self, lane: Lane, rule: Rule, view: View) -> None:
        self._lane = lane
        self._rule = rule
        self._view = view
        self._weight = lane.load(WEIGHT)
        self._tag = lane.load(TAGS) if rule.tagged else lane.constant(0)

    def print(self) -> Sequence[Value]:
        """Print the update; return what the totals gain: changed, non-zero weights, low tags."""
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
        changed = lane.flag(lane.compare("!=", weight, self._weight))
        gained = lane.builder.sub(self._is(self._weight, 0), self._is(weight, 0))
        if isinstance(self._view, Column):
            at = self._view.line(lane)
            lane.store(NONZERO, lane.builder.add(lane.load(NONZERO, at), gained), at)
        return changed, gained, below

    def step(self) -> Value:
        """Print the one product of a column, rounded; 0 where the line sent."""
        bits = self._rule.widths.accumulator
        (product,) = (p for p in self._rule.plasticity.dw.products if not self._view.skips(p))
        total = self._term(product, -(2**bits) - 1, 2**bits - 1)
        return self._kept(self._round(total, DRAW), self._lane.constant(0))

    def _is(self, value: Value, constant: int) -> Value:
        return self._lane.flag(self._lane.compare("==", value, self._lane.constant(constant)))

    def _kept(self, new: Value, old: Value) -> Value:
        """Return the old value where a column meets the row of a line that sent."""
        if not isinstance(self._view, Column):
            return new
        seen = self._lane.load(TX, self._view.line(self._lane))
        sent = self._lane.compare("!=", seen, self._lane.constant(0))
        return self._lane.builder.select(sent, old, new)

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
