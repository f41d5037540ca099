"""Plastic groups as tables: traces, the products whose gates are counted, and printed code."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from llvmlite import ir

from hebbite.compiler.arithmetic.randomness import TRACE_BITS
from hebbite.compiler.arithmetic.traces import POST, PRE, TRACE_TOP
from hebbite.compiler.program.types import Plasticity, Program
from hebbite.rules.sums import Product
from hebbite.rules.traces import RANDOM_BITS, decay_table
from hebbite.runtime.engines.native.llvm import Code, compile_text
from hebbite.runtime.engines.native.plan import (
    GATE_U,
    GATE_X0,
    GATE_Y0,
    T_IMPULSE,
    T_KEPT,
    T_OVERWRITE,
    T_SLOPE,
    TRACE,
    TRACES,
    Long,
)
from hebbite.runtime.engines.native.rule_code import (
    columns_step,
    print_settle,
    print_steps,
    print_update,
    rows_step,
)
from hebbite.runtime.engines.native.rule_views import (
    Column,
    Meeting,
    Row,
    Rule,
    Unlearnt,
    View,
    events_of,
    meets,
)

CODES = TRACE_TOP + 1
"""Values of a trace."""
DROPPED = RANDOM_BITS - TRACE_BITS
"""Bits of a random number below those that a trace of its own draws."""
SLOPE_BITS = 23
"""Bits of what a value keeps: its product with a value of 7 bits fits into 31."""


def product_row(product: Product) -> tuple[int, ...]:
    """Return (gate, whether x0 must hold, whether y0 must hold) of a product."""
    gate = {"x0": GATE_X0, "y0": GATE_Y0}.get(product.dependency)
    if gate is None:
        gate = GATE_U + int(product.dependency[1:])
    events = events_of(product)
    return gate, "x0" in events, "y0" in events


def rows_are_silent(plasticity: Plasticity) -> bool:
    """Whether a synapse of a line that sent stays as it is where its neuron did not learn and has
    y1..y3 of 0 at the line's event, unless a product has every synapse visited.
    """
    return all(_leaves_silent(product) for update in plasticity.sums for product in update.products)


def _leaves_silent(product: Product) -> bool:
    if "y0" in events_of(product):
        return True
    if product.dependency == "x0":
        return _follows(product, POST)
    return not any(factor.is_event for factor in product.factors)


def columns_are_silent(plasticity: Plasticity) -> bool:
    """Whether a column leaves a synapse as it is where x1 and x2 of its line are 0 at the neuron's
    event.
    """
    return all(
        "x0" in events_of(product) or (product.dependency == "y0" and _follows(product, PRE))
        for update in plasticity.sums
        for product in update.products
    )


def _follows(product: Product, names: tuple[str, ...]) -> bool:
    """Whether a product is 0 where the traces ``names`` are."""
    return any(factor.variable in names and not factor.constant for factor in product.factors)


def reads_at_event(plasticity: Plasticity, names: tuple[str, ...]) -> bool:
    """Whether a product gated by y0 reads one of the traces ``names``."""
    return any(
        factor.variable in names
        for update in plasticity.sums
        for product in update.products
        if product.dependency == "y0"
        for factor in product.factors
    )


def trace_tables(program: Program, *, independent: bool) -> tuple[Long, Long]:
    """Return (kept, falls) of the traces of every plastic group.

    A trace h falls to floor + (k < threshold) = (falls[h] - k) >> bits, for

        falls = floor 2^bits + threshold + 2^bits - 1

    k is a number of 53 bits, or of 40 where each trace draws its own.
    """
    count = len(program.plasticity)
    kept = np.zeros((count, len(TRACES), TRACE), np.int64)
    falls = np.zeros((count, len(TRACES), CODES), np.int64)
    for q, plasticity in enumerate(program.plasticity):
        for t, name in enumerate(TRACES):
            _fill_trace(plasticity, name, kept[q, t], falls[q, t], independent=independent)
    return kept, falls


def _fill_trace(
    plasticity: Plasticity, name: str, kept: Long, falls: Long, *, independent: bool
) -> None:
    """Fill the rows of one trace."""
    trace = plasticity.trace(name)
    if trace is None:
        return
    kept[T_SLOPE], falls[:] = decays(trace.tau, independent=independent)
    kept[[T_KEPT, T_OVERWRITE, T_IMPULSE]] = 1, trace.mode == "overwrite", trace.impulse


def decays(tau: int, *, independent: bool) -> tuple[int, Long]:
    """Return slope and table of a decay.

    A number k of r bits takes h to (table[h] - k) >> r. The slope times h is at most what the table
    says in 23 bits of fraction, and at least 128 less: floor(2^23 exp(-1/tau) - 2^-23), where 2^-23
    is more than products in float64 are wrong by.
    """
    bits, (floor, threshold) = RANDOM_BITS, decay_table(tau)
    slope = int(threshold[1]) - CODES >> RANDOM_BITS - SLOPE_BITS
    if independent:
        bits, threshold = TRACE_BITS, -(-threshold >> DROPPED)
    return slope, (floor << bits) + threshold + (1 << bits) - 1


class Kernels(NamedTuple):
    """Addresses of what is printed of a rule, 0 where it has no use: updates of rows and columns;
    steps of them; beside steps of rows alone, the update where a line that sent meets a neuron that
    learnt, and what brings rows into their range to which steps were added.
    """

    row: int
    column: int
    column_steps: int
    row_steps: int
    meeting: int
    settle: int


PRINTED: dict[str, tuple[Callable[[ir.Module, str, View], None], Callable[[Rule], View]]] = {
    "row": (print_update, Row),
    "column": (print_update, Column),
    "column_steps": (print_steps, Column),
    "row_steps": (print_steps, Unlearnt),
    "meeting": (print_update, Meeting),
    "settle": (print_settle, Row),
}
"""How each of `Kernels` is printed, and of which view."""


@lru_cache(maxsize=64)
def compile_rules(rules: tuple[Rule, ...]) -> tuple[Code, tuple[Kernels, ...]]:
    """Return the code of all rules, and the kernels of each one. Rules that were printed before are
    not printed again.
    """
    module = ir.Module("rules")
    numbers: dict[Rule, int] = {}
    for rule in rules:
        if rule not in numbers:
            number = numbers[rule] = len(numbers)
            for kind in used(rule):
                printed, view = PRINTED[kind]
                printed(module, f"{kind}{number}", view(rule))
    code = compile_text(str(module))
    found = {
        rule: {kind: code.address(f"{kind}{number}") for kind in used(rule)}
        for rule, number in numbers.items()
    }
    return code, tuple(
        Kernels(*(found[rule].get(kind, 0) for kind in Kernels._fields)) for rule in rules
    )


def used(rule: Rule) -> tuple[str, ...]:
    """Return which kernels a rule has."""
    kinds = ["row", "column"]
    if columns_step(rule.plasticity):
        kinds.append("column_steps")
    if rows_step(rule.plasticity) and not rule.target:
        kinds += ["row_steps", "settle"]
        kinds += ["meeting"] if meets(rule.plasticity) else []
    return tuple(kinds)


def columns_are_alike(plasticity: Plasticity) -> bool:
    """Whether the steps of all columns of an epoch are the same, but for what is drawn."""
    return plasticity.epoch == 1 and not reads_at_event(plasticity, POST)
