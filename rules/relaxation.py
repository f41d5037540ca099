"""How a network settles before its synapses learn: what a rule of relaxation chooses.

A network of couplings W_l up and gamma W_l^T down settles twice, freely and while its output is
nudged towards the target with strength beta.
"""

from __future__ import annotations

from dataclasses import dataclass

from hebbite.rules.errors import Problem, UsageError


@dataclass(frozen=True)
class Relaxation:
    """A way to settle.

    nudge     beta = 2^-nudge, strength of the nudge (0..8)
    coupling  gamma = 2^-coupling, strength of the way down, beside that of the way up (0..8)
    steps     steps of a phase on a chip (1..31)
    """

    nudge: int = 0
    coupling: int = 0
    steps: int = 10

    def __post_init__(self) -> None:
        """Check the ranges (HB0426)."""
        for name, value, low, high in (
            ("nudge", self.nudge, 0, 8),
            ("coupling", self.coupling, 0, 8),
            ("steps", self.steps, 1, 31),
        ):
            if not low <= value <= high:
                hint = f"{name}={min(max(value, low), high)} ({low}..{high})"
                raise UsageError(Problem("HB0426", f"{name}={value} is out of range", hint=hint))

    def __str__(self) -> str:
        """Return the text that a rule prints."""
        return f"relaxation={{nudge={self.nudge}, coupling={self.coupling}, steps={self.steps}}}"
