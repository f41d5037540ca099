"""Traces: the 7-bit memory of past events that a learning engine keeps, and its decay.

In: a time constant in steps. Out: integers only. The decay of one step is stochastic:

    p = exp(-1/tau) h,    h' = floor(p) + (r < p - floor(p)),    r uniform in [0, 1)

h the trace, 0..127. The arithmetic holds p as two tables over h, computed once; no function of the
machine's mathematics library decides a bit, so every machine has the same tables.

Source: Lava 0.10.0, ``LearningConnectionModelBitApproximate._decay_trace``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.errors import Problem, UsageError

TraceMode = Literal["impulse", "overwrite"]

LONGEST_TAU = 65535
TOP = 127
RANDOM_BITS = 53
_DIGITS = 60  # of the exact exponential; more than enough to round a double of 53 bits correctly


@dataclass(frozen=True)
class Trace:
    """How one of x1, x2, y1, y2, y3 rises and falls.

    tau      time constant of the decay in steps, 1..65535
    impulse  what an event adds, 0..127, saturating at 127. Whole numbers only: Lava compares a
             fraction of 8 bits with a random number of 7, so that fractions round wrongly
    mode     ``impulse`` adds; ``overwrite`` replaces the trace by half the payload of a message
    """

    tau: int
    impulse: int = 0
    mode: TraceMode = "impulse"

    def __post_init__(self) -> None:
        """Check the ranges (HB0446)."""
        if not isinstance(self.tau, int) or not 1 <= self.tau <= LONGEST_TAU:
            what = f"tau is {self.tau} steps; a trace decays with 1..{LONGEST_TAU}"
            raise _refused(what, "tau=65535 for a trace that nearly holds")
        if not isinstance(self.impulse, int) or not 0 <= self.impulse <= TOP:
            raise _refused(f"impulse is {self.impulse}; a trace rises by 0..{TOP}", "impulse=16")
        if self.mode not in ("impulse", "overwrite"):
            raise _refused(f"unknown trace mode '{self.mode}'", "impulse or overwrite")
        if self.mode == "overwrite" and self.impulse:
            what = f"a trace that messages overwrite has no impulse, and here it is {self.impulse}"
            raise _refused(what, "impulse=0")


def _refused(what: str, hint: str) -> UsageError:
    return UsageError(Problem("HB0446", what, hint=hint))


@cache
def decay_table(tau: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (floor, threshold) of one step of decay, each int64 of shape (128,), indexed by h.

    With p = exp(-1/tau) h in float64: floor = floor(p), threshold = ceil((p - floor) 2^53). For an
    integer k of 53 random bits, ``k < threshold`` is the same event as ``k 2^-53 < p - floor``.

    ``tau`` is in steps, 1..65535; exp is correctly rounded; the arrays are shared and read-only.
    Raises UsageError HB0446 outside.
    """
    factor = float(_exp_of_minus_one_over(Trace(tau).tau))
    p = factor * np.arange(TOP + 1, dtype=np.float64)
    floor = np.floor(p)
    # p < 128 is a multiple of 2^-53 or finer only below 1, where ceil is what the comparison needs.
    threshold = np.ceil((p - floor) * 2.0**RANDOM_BITS)
    table = (floor.astype(np.int64), threshold.astype(np.int64))
    for array in table:
        array.flags.writeable = False
    return table


def kept(tau: int, bits: int) -> int:
    """Return round(exp(-1/tau) 2^bits): what a value keeps a step, tau 1..65535 steps."""
    return int((_exp_of_minus_one_over(Trace(tau).tau) * 2**bits).to_integral_value())


def _exp_of_minus_one_over(tau: int) -> Decimal:
    context = Context(prec=_DIGITS)
    return context.exp(context.divide(Decimal(-1), Decimal(tau)))
