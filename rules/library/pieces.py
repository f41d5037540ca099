"""What error-driven rules share: the update dw = eta * x1 * error on integer payloads."""

from __future__ import annotations

from hebbite.rules.sums import Factor, Product, SumOfProducts


def error_update(*, rate: int, mantissa: int, gated: bool) -> SumOfProducts:
    """Return dw = mantissa 2^rate x0 x1 (y2 - y3), the error as two traces that are never negative.

    On the chip the mean change of a weight is mantissa * 2^(rate - 3) * x1 * error, in steps of the
    weight. The factor x0 is needed: a line that sent nothing keeps the x1 of an older sample. With
    ``gated`` only neurons with a learning event are visited (factor y0); the product is then one
    bit coarser, and the exponent one higher to make up for it.
    """
    gate = (Factor("y0"),) if gated else ()
    exponent = rate + gated

    def product(sign: int, trace: str) -> Product:
        return Product(sign * mantissa, exponent, "x0", (*gate, Factor("x1"), Factor(trace)))

    return SumOfProducts("dw", (product(1, "y2"), product(-1, "y3")))
