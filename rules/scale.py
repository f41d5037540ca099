"""Real coefficients of a rule, and the scales of 4 bits and a shift that a chip has for them.

    c v_1 v_2 ...  becomes  m 2^e v_1 v_2 ...,    m in -8..7,  e in -7..8,  c ~ m 2^(e - shift)

A real coefficient c is what a model in real numbers would use: the mean change of the weight, in
steps of the weight, for a product of the variables that is 1. The chip drops ``shift`` bits of
every product (`Product.shift`: 3 for two traces, 10 for three), so that the scale that it needs is
2^shift larger. Coefficients without a decimal point are the chip's own m 2^e and are never changed.

The nearest scale is taken; of equally near ones that of the smallest mantissa. A coefficient of
4 2^-7 2^-shift or more is met within 1/9 of itself; below, the steps of 2^-7 are coarser than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from hebbite.rules.errors import Problem
from hebbite.rules.loihi import LOW_EXPONENT, LOW_MANTISSA, TOP_EXPONENT, TOP_MANTISSA
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumTarget, effective_scale

LARGEST_ERROR = 0.10
"""Relative; above it a rule is compiled with a warning."""


@dataclass(frozen=True)
class ScaleError:
    """What a product was asked to count, what it counts, in weight steps per unit of its variables.

    ``error`` is (on the chip - asked) / asked.
    """

    number: int
    target: SumTarget
    product: Product
    asked: float
    on_chip: float

    @property
    def error(self) -> float:
        """The relative error, with its sign."""
        return self.on_chip / self.asked - 1

    def __str__(self) -> str:
        """Return one line of ``hebbite check``."""
        return (
            f"product {self.number}, {self.target} = {self.product}: asked {self.asked:.6g}, "
            f"on the chip {self.on_chip:.6g} ({100 * self.error:+.2f} %)"
        )

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "number": self.number,
            "target": self.target,
            "product": str(self.product),
            "asked": self.asked,
            "on_chip": self.on_chip,
            "error": self.error,
        }


def nearest_scale(coefficient: float, factors: tuple[Factor, ...]) -> tuple[int, int] | Problem:
    """Return (mantissa, exponent) for a real coefficient of a product of ``factors``.

    Returns a problem instead: HB0490 if it is 0 on the chip, HB0491 if no scale is so large.
    """
    shift = Product(1, 0, "x0", factors).shift
    largest_mantissa = TOP_MANTISSA if coefficient > 0 else -LOW_MANTISSA
    top, least = Fraction(largest_mantissa) * 2**TOP_EXPONENT, Fraction(2) ** LOW_EXPONENT
    if abs(coefficient) == float("inf") or abs(Fraction(coefficient)) * 2**shift > top * Fraction(
        1 + LARGEST_ERROR
    ):
        largest = math.copysign(float(top / 2**shift), coefficient)
        what = f"{coefficient:.6g} is beyond the chip's largest scale here, {largest:.6g}"
        return Problem("HB0491", what, hint=f"{largest:.6g}, and scale the signal up")
    wanted = Fraction(coefficient) * 2**shift
    if 2 * abs(wanted) <= least:
        smallest = math.copysign(float(least / 2**shift), coefficient)
        what = f"{coefficient:.6g} is 0 on the chip, whose smallest scale here is {smallest:.6g}"
        return Problem("HB0490", what, hint=f"{smallest:.6g}, and scale the signal down")
    scales = (
        (sign * size, exponent)
        for sign in (1, -1)
        for size in range(1, -LOW_MANTISSA + 1)
        for exponent in range(LOW_EXPONENT, TOP_EXPONENT + 1)
        if LOW_MANTISSA <= sign * size <= TOP_MANTISSA
    )
    return min(scales, key=lambda s: (abs(s[0] * Fraction(2) ** s[1] - wanted), abs(s[0])))


def scale_errors(rule: LearningRule) -> tuple[ScaleError, ...]:
    """Return what became of every product of a rule that was written with real coefficients.

    Products are numbered from 1 through dw, dt and the update of feedback weights; a rule in the
    chip's own scales has none.
    """
    if not rule.real:
        return ()
    products = [(each.target, product) for each in rule.updates for product in each.products]
    return tuple(
        ScaleError(number, target, product, asked, effective_scale(product))
        for number, ((target, product), asked) in enumerate(
            zip(products, rule.real, strict=True), start=1
        )
    )


def scale_report(rule: LearningRule) -> dict[str, float]:
    """Return ``rule_error.<n>``, the relative error of product n, for the report of a model."""
    return {f"rule_error.{found.number}": found.error for found in scale_errors(rule)}


def scale_warnings(rule: LearningRule) -> tuple[Problem, ...]:
    """Return a warning (HB0492) for every product that is off by more than 10 %."""
    return tuple(
        Problem(
            "HB0492",
            f"a coefficient is {100 * found.error:+.1f} % off: asked {found.asked:.6g}",
            at=f"{found.target} = {found.product}",
            hint=f"{found.on_chip:.6g} is what the chip does",
        )
        for found in scale_errors(rule)
        if abs(found.error) > LARGEST_ERROR
    )
