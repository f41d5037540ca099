"""Where the variables of a rule stand, seen along a row or a column of synapses.

A trace in a product gated by x0 (y0) is the value at the line's (neuron's) last event of the epoch,
and at the epoch's end in one gated by u_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hebbite.compiler.arithmetic.traces import POST, PRE
from hebbite.compiler.program.types import Plasticity, Widths
from hebbite.rules.sums import Product
from hebbite.runtime.engines.native.llvm import Lane, Signature, Value
from hebbite.runtime.engines.native.rule_tables import (
    CLOCKS,
    LINE,
    TARGET,
    TX,
    TY,
    column_signature,
    meeting_signature,
    row_signature,
)


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
    def rule(self) -> Rule:
        """The rule."""

    @property
    def signature(self) -> Signature:
        """The table of the kernel."""

    @property
    def tallies(self) -> bool:
        """Whether changed weights are tallied in an array, not summed up."""

    def variable(self, lane: Lane, name: str, gate: str) -> Value:
        """Return a variable as 32 bits, in a product with that gate."""

    def skips(self, product: Product) -> bool:
        """Whether a product is 0 in every synapse of the view."""

    def spares(self, lane: Lane) -> Value | None:
        """Return whether a synapse stays as it is; None if none does."""


@dataclass(frozen=True)
class Whole:
    """Synapses that all take part in every product, unless a view of some of them says less."""

    rule: Rule

    def skips(self, product: Product) -> bool:
        """Nothing is left out."""
        return False

    def spares(self, lane: Lane) -> Value | None:
        """No synapse is."""
        return None


@dataclass(frozen=True)
class Row(Whole):
    """The synapses of one line."""

    @property
    def tallies(self) -> bool:
        """Yes: a row may be so short that to sum up its lanes takes longer."""
        return True

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


@dataclass(frozen=True)
class Unlearnt(Row):
    """The synapses of one line that end at neurons that did not learn."""

    def skips(self, product: Product) -> bool:
        """Whether a product asks that the neuron learnt."""
        return "y0" in events_of(product)

    def spares(self, lane: Lane) -> Value | None:
        """Return whether the neuron learnt, if any product asks for that."""
        if not meets(self.rule.plasticity):
            return None
        return lane.compare("!=", lane.load(TY), lane.constant(0))


@dataclass(frozen=True)
class Column:
    """The synapses of the lines that did not send, to one neuron that learnt.

    Those of a list lie side by side here, and LINE says where each starts.
    """

    rule: Rule

    @property
    def tallies(self) -> bool:
        """No: a column is long, and one of few."""
        return False

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

    def spares(self, lane: Lane) -> Value | None:
        """Return whether the line sent."""
        return lane.compare("!=", lane.load(TX, self.line(lane)), lane.constant(0))


@dataclass(frozen=True)
class Meeting(Whole):
    """Synapses of lines that sent to neurons that learnt, in epochs of one step: all events are
    their ends.
    """

    @property
    def tallies(self) -> bool:
        """No: there are many, and one list of them."""
        return False

    @property
    def signature(self) -> Signature:
        """Weights, tags and draws; the traces of each synapse."""
        return meeting_signature(self.rule.bits)

    def variable(self, lane: Lane, name: str, gate: str) -> Value:
        """Return a variable; see `View`."""
        if name in CLOCKS:
            return lane.number(name)
        if name in ("x0", "y0"):
            return lane.constant(1)
        return lane.load(name)


def events_of(product: Product) -> frozenset[str]:
    """Return the events without which a product is 0: its gate, and bare factors x0 and y0."""
    bare = (factor.variable for factor in product.factors if factor.is_event)
    return frozenset((product.dependency, *bare))


def meets(plasticity: Plasticity) -> bool:
    """Whether a product of dw asks that the neuron learnt."""
    return any("y0" in events_of(product) for product in plasticity.dw.products)
