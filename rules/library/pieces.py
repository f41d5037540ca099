"""What error-driven rules share: the update dw = eta * x1 * error on integer payloads."""

from __future__ import annotations

from collections.abc import Iterable

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.rule import Learns
from hebbite.rules.sums import Factor, Product, SumOfProducts


def in_range(option: str, value: int, low: int, high: int) -> int:
    """Return ``value``, or raise UsageError HB0447 if it is outside low..high."""
    if not low <= value <= high:
        what = f"{option}={value} is out of range"
        hint = f"{option}={min(max(value, low), high)} ({low}..{high})"
        raise UsageError(Problem("HB0447", what, hint=hint))
    return value


def decay_update(*, decay: int, every: int) -> Product:
    """Return -2^-decay w at every 2^every-th learning epoch, at every synapse, whatever was sent.

    Ranges: decay 1..7, every 0..9; UsageError HB0447 outside.
    """
    in_range("decay", decay, 1, 7)
    in_range("every", every, 0, 9)
    return Product(-1, -decay, f"u{every}", (Factor("w"),))


def error_update(*, rate: int, mantissa: int, gated: bool) -> SumOfProducts:
    """Return dw = mantissa 2^rate x0 x1 (y2 - y3), the error as two traces that are never negative.

    On the chip the mean change of a weight is mantissa * 2^(rate - 3) * x1 * error, in steps of the
    weight. The factor x0 is needed: a line that sent nothing keeps the x1 of an older sample. With
    ``gated`` only neurons with a learning event are visited (factor y0); the product is then one
    bit coarser, and the exponent one higher to make up for it.

    Ranges: rate -7..8 (7 if gated), mantissa 1..7; UsageError HB0447 outside.
    """
    gate = (Factor("y0"),) if gated else ()
    exponent = in_range("rate", rate, -7, 8 - gated) + gated
    in_range("mantissa", mantissa, 1, 7)

    def product(sign: int, trace: str) -> Product:
        return Product(sign * mantissa, exponent, "x0", (*gate, Factor("x1"), Factor(trace)))

    return SumOfProducts("dw", (product(1, "y2"), product(-1, "y3")))


def prototype_update() -> SumOfProducts:
    """Return dw = alpha (2 x1 - w) for a neuron with a learning event, alpha = y1 / 64, y1 0..64.

    Weights move to the payload, which is 2 x1; a line that sent nothing counts as 0. With y1 = 64
    they are the payload at once. What the chip drops of a product is 1/8 of a weight step at most,
    1/16 in the mean, always downwards: twice a visit, so that a weight settles up to
    1 / (8 alpha) steps below the mean of its payloads. The decay comes first, for a sum in between
    must not leave the accumulator.
    """
    forget = Product(-4, -3, "y0", (Factor("w"), Factor("y1")))
    take = Product(4, -3, "y0", (Factor("x0"), Factor("x1"), Factor("y1")))
    return SumOfProducts("dw", (forget, take))


def label_update(*, slowness: int) -> SumOfProducts:
    """Return dw = 2^-slowness (t - w) for lines whose learning payload is 128, so that x1 = 64.

    t = 254 for the class that is taught (y1 = 127) and 0 for the others; y2 = 64 where somebody
    teaches. A line that sent 1 alone has x1 = 0 and does not learn. Ranges: slowness 0..5;
    UsageError HB0447 outside.
    """
    in_range("slowness", slowness, 0, 5)
    forget = Product(-1, -slowness, "x0", (Factor("x1"), Factor("y2"), Factor("w")))
    take = Product(1, -2 - slowness, "x0", (Factor("x1"), Factor("y1")))
    return SumOfProducts("dw", (forget, take))


def event_update(*, rate: int, mantissa: int) -> SumOfProducts:
    """Return dw = mantissa 2^rate y0 x1 (y2 - y3), where the neuron had a learning event (y0).

    For filtered spikes: x1 is of this step whether the line spiked in it or not. On the chip the
    mean change of a weight is mantissa * 2^(rate - 3) * x1 * error, in steps of the weight.

    Ranges: rate -7..8, mantissa 1..7; UsageError HB0447 outside.
    """
    in_range("rate", rate, -7, 8)
    in_range("mantissa", mantissa, 1, 7)

    def product(sign: int, trace: str) -> Product:
        return Product(sign * mantissa, rate, "y0", (Factor("x1"), Factor(trace)))

    return SumOfProducts("dw", (product(1, "y2"), product(-1, "y3")))


def one_of(option: str, word: str, known: Iterable[str]) -> str:
    """Return ``word``, or raise UsageError HB0448 if it is none of ``known``."""
    if word not in known:
        what = f"{option}={word} is unknown"
        raise UsageError(Problem("HB0448", what, hint=near(word, known)))
    return word


def what_learns(word: str) -> Learns:
    """Return ``all`` or ``readout`` from an option (HB0448 for anything else)."""
    return "all" if one_of("learns", word, ("all", "readout")) == "all" else "readout"
