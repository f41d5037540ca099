"""What differs between two rules beyond constants: what a running session cannot change.

A learning engine's microcode names gates, variables and their order once; mantissas, exponents and
the constants that are added to variables are words in it that the host may write between samples.
"""

from __future__ import annotations

from dataclasses import fields

from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Product, SumOfProducts

NAMES = ("name", "text", "equation", "citation", "networks", "locality", "real")
"""Parts that say something about a rule and do nothing."""
SUMS = ("dw", "dt", "feedback_dw", "readout_dw")
PARTS = sorted(
    (each.name for each in fields(LearningRule) if each.name not in (*NAMES, *SUMS)),
    key=lambda name: name != "signal",
)
"""Parts that must be the same, what tells most first."""


def difference(old: LearningRule, new: LearningRule) -> str:
    """Return what differs in structure, or '' if only mantissas, exponents and constants do."""
    if not new.runs_on_chip:
        return f"'{new.name}' runs on no chip: {new.reason}"
    for part in PARTS:
        before, after = getattr(old, part), getattr(new, part)
        if before != after:
            return f"{part}: {_shown(before)} is not {_shown(after)}"
    for name in SUMS:
        before, after = getattr(old, name), getattr(new, name)
        if (before is None) != (after is None):
            return f"{name}: one rule has it, the other has not"
        if before is not None and (why := _difference(before, after)):
            return f"{name}: {why}"
    return ""


def shape_of(product: Product) -> tuple[object, ...]:
    """Return what no constant changes of a product: gate, variables and signs, in order."""
    return product.dependency, *((factor.variable, factor.sign) for factor in product.factors)


def _difference(old: SumOfProducts, new: SumOfProducts) -> str:
    if len(old.products) != len(new.products):
        return f"{len(old.products)} products are not {len(new.products)}"
    for number, (before, after) in enumerate(zip(old.products, new.products, strict=True), start=1):
        if shape_of(before) != shape_of(after):
            return f"product {number}, {before}, is not of the form of {after}"
    return ""


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
