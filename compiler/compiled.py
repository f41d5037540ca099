"""A compiled model: the program, and what is needed to feed and to explain it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hebbite.compiler.arithmetic.blocks import flat_blocks
from hebbite.compiler.coding import Coding
from hebbite.compiler.program.text import print_program
from hebbite.compiler.program.types import IntArray, Program
from hebbite.compiler.settings import Settings
from hebbite.rules.objectives import Objective
from hebbite.rules.rule import LearningRule


@dataclass(frozen=True, eq=False)
class Compiled:
    """What `hebbite.compile` returns and a ``.hbt`` file holds.

    ``report`` holds real numbers for a reader (quantisation error per group, calibration);
    ``source_sha256`` names the model file it came from.
    """

    program: Program
    coding: Coding
    rule: LearningRule
    objective: Objective
    settings: Settings
    model: str
    source_sha256: str = ""
    report: Mapping[str, float] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Fingerprint of the program: its text and every tensor."""
        return program_sha256(self.program)

    def with_tensors(self, tensors: Mapping[str, IntArray]) -> Compiled:
        """Return the same model with some tensors replaced (learned weights)."""
        program = replace(self.program, tensors={**self.program.tensors, **tensors})
        return replace(self, program=program)


def program_sha256(program: Program) -> str:
    """Return the fingerprint of a program: text, then name, shape and values of every tensor."""
    digest = hashlib.sha256(print_program(program).encode())
    for name in sorted(program.tensors):
        values = np.atleast_1d(program.tensors[name])
        digest.update(f"{name} {values.shape}".encode())
        for block in flat_blocks(values):
            digest.update(block.astype("<i8").tobytes())
    return digest.hexdigest()
