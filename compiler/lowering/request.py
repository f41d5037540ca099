"""What a lowering is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hebbite.compiler.coding import Coding
from hebbite.compiler.lowering.network import Network, Real
from hebbite.compiler.program.types import Program, Widths
from hebbite.compiler.settings import Settings
from hebbite.compiler.targets import Target
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule


@dataclass(frozen=True, eq=False)
class Request:
    """A network that is to learn by a rule for an objective, and real inputs that set its scales.

    ``data`` (samples, features), or (samples, T, features) for a series of T frames.
    """

    network: Network
    data: Real
    rule: LearningRule
    objective: Objective
    settings: Settings
    target: Target

    @property
    def widths(self) -> Widths:
        """Word widths of the chip."""
        return Widths(weight=int(self.target.weight_bits.value or 8))


@dataclass(frozen=True, eq=False)
class Lowered:
    """The program, not yet placed on cores; how samples become its integers; figures to report."""

    program: Program
    coding: Coding
    report: Mapping[str, float] = field(default_factory=dict)
