"""The update that almost every error-driven rule is, in a kernel of its own: an outer product.

    dw_ij = sum_p m_p 2^e_p x0_i clip(x1_i + C_p) y_p,j      y_p one of y1..y3, C_p a constant

Every product is gated by x0 and has the factors x1 (with a constant) and one bare y, and may have
y0; products gated by u_k alone (a decay) may follow, and in the epochs in which they hold the
general kernel is at work. What stands on the line's side is computed once a line; a neuron costs
one multiplication for each of its traces that is not 0. The bits are those of the general kernel
in `learning`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hebbite.rules.sums import Product
from hebbite.runtime.engines.native.jit import helper
from hebbite.runtime.engines.native.plan import (
    D_EXPONENT,
    D_FIRST,
    D_LAST,
    D_MANTISSA,
    D_SHIFT,
    D_Y0,
    F_CONSTANT,
    F_KIND,
    F_WIDTH,
    KINDS,
    Long,
)

X1, Y1, W = KINDS.index("x1"), KINDS.index("y1"), KINDS.index("w")
SIDES = ("x1", "y0", "y1", "y2", "y3")
LIMIT = 8
"""Products of a rule that is taken for an outer product: room of the line's side."""


def outer_products(products: Sequence[Product]) -> int:
    """Return how many products make a sum such an update wherever no u_k holds; 0 if it is none.

    They stand first; every other one is gated by u_k alone, so that it is 0 in most epochs.
    """
    count = sum(map(_is_outer, products))
    others = products[count:]
    first = all(map(_is_outer, products[:count]))
    timed = all(p.dependency[0] == "u" and not any(f.is_event for f in p.factors) for p in others)
    return count if first and timed and count <= LIMIT else 0


def _is_outer(product: Product) -> bool:
    plain = [f.variable for f in product.factors if f.variable != "x1" and not f.constant]
    written = [name for name in plain if name in ("y1", "y2", "y3")]
    once = [f.variable for f in product.factors].count("x1") == 1 and len(written) == 1
    known = all(f.variable in SIDES and not f.sign for f in product.factors)
    bare = len(plain) + 1 == len(product.factors)
    return product.dependency == "x0" and known and once and bare


@helper
def line_side(products: Long, factors: Long, first: int, last: int, x1: int, side: Long) -> None:
    """Fill ``side[p]`` with m clip(x1 + C) of every product."""
    for p in range(first, last):
        for f in range(products[p, D_FIRST], products[p, D_LAST]):
            if factors[f, F_KIND] == X1:
                top = 1 << factors[f, F_WIDTH]
                factor = min(max(x1 + factors[f, F_CONSTANT], -top), top - 1)
                side[p - first] = products[p, D_MANTISSA] * factor


@helper
def neuron_side(products: Long, factors: Long, first: int, last: int, side: Long) -> None:
    """Fill ``side[LIMIT + p]`` with the number (0..2) of the trace y that product p reads."""
    for p in range(first, last):
        for f in range(products[p, D_FIRST], products[p, D_LAST]):
            if Y1 <= factors[f, F_KIND] < W:
                side[LIMIT + p - first] = factors[f, F_KIND] - Y1


@helper
def accumulate_outer(
    products: Long,
    history: Long,
    side: Long,
    first: int,
    last: int,
    sent: int,
    j: int,
    event: int,
    weight: int,
    high: int,
) -> int:
    """Return the accumulator of one synapse; see `learning.accumulate`."""
    low = -high - 2
    total = weight << 7
    if sent == 0:
        return total
    for p in range(first, last):
        y = history[2 + side[LIMIT + p - first], sent, j]
        if y == 0 or (products[p, D_Y0] and event == 0):
            continue
        value = side[p - first] * y
        value = (value >> products[p, D_SHIFT]) << (products[p, D_EXPONENT] + 7)
        total = min(max(total + min(max(value, low), high), low), high)
    return total
