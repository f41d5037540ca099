"""How a user's real samples become the integers that a program's sources take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.lowering.encode import payloads, rate_code
from hebbite.compiler.lowering.quantise import TOP_PAYLOAD, TOP_SIGNED
from hebbite.compiler.program.types import IntArray
from hebbite.rules.errors import Problem, UsageError

Samples = NDArray[np.floating]
"""Real samples, (samples, features...), in any float type."""


@dataclass(frozen=True)
class Coding:
    """Coding of inputs and targets.

    kind         ``payload`` (static values, one event a sample) or ``rate`` (Bernoulli spikes)
    source       name of the input source; ``teacher`` that of the target source, '' without one
    label        name of the source that tells hidden units the target itself, '' without one
    scale        payloads per unit of input; for ``rate``, the input that spikes fastest
    signed       whether payloads have a sign (-63..63, sent again to learn) or not (0..254)
    window, seed steps that spike and the seed of the spikes, for ``rate``
    outputs      neurons of the output population
    target_rate  output value, in 1..127, that a target of 1 stands for
    passes       times that a sample goes through the network: values and codes are sent in each
    """

    kind: str
    source: str
    teacher: str
    scale: float
    signed: bool
    window: int
    seed: int
    outputs: int
    target_rate: int
    passes: int = 1
    label: str = ""

    def events(self, x: Samples, *, first: int = 0) -> NDArray[np.int64]:
        """Return integers (samples, events, features) for x (samples, features...).

        ``first`` numbers the first sample within a run: rate codes are drawn by that number.

        Raises:
            UsageError: HB0131 if x is not finite.
        """
        real = np.asarray(x, np.float64)
        if not np.isfinite(real).all():
            raise UsageError(Problem("HB0131", "the samples hold NaN or infinity"))
        flat = real.reshape(len(real), math.prod(real.shape[1:]))
        if self.kind == "rate":
            return rate_code(flat, top=self.scale, window=self.window, seed=self.seed, first=first)
        return payloads(flat, scale=self.scale, signed=self.signed, passes=self.passes)

    def codes(self, y: NDArray[np.generic]) -> NDArray[np.int64]:
        """Return target codes (samples, outputs): target + 1, so that 0 means nobody teaches.

        ``y`` holds classes (samples,), or real targets (samples, outputs) in [-1, 1].

        Raises:
            UsageError: HB0132 for anything else.
        """
        self._check_targets(y)
        if y.ndim == 1:
            target = np.eye(self.outputs, dtype=np.float64)[y.astype(np.int64)]
        else:
            target = np.clip(np.asarray(y, np.float64), -1.0, 1.0)
        code = np.rint(target * self.target_rate).astype(np.int64) + 1
        return np.where(code == 0, 1, code)

    def inputs_as_targets(self, x: Samples) -> NDArray[np.float64]:
        """Return what outputs that stand for inputs are taught, (samples, features) in [-1, 1].

        1 is the largest payload, so the largest input on the calibration data.
        """
        real = np.asarray(x, np.float64).reshape(len(x), -1)
        top = (TOP_SIGNED if self.signed else TOP_PAYLOAD) / self.scale
        return np.clip(real / top, -1.0, 1.0)

    def labels(self, y: NDArray[np.generic]) -> NDArray[np.int64]:
        """Return targets (samples, outputs) as they are sent to hidden units: 0 sends nothing."""
        return self.codes(y) - 1

    def _check_targets(self, y: NDArray[np.generic]) -> None:
        """Refuse what is neither classes nor targets of this model (HB0132)."""
        if y.ndim == 1 and y.dtype.kind in "iub":
            known = not y.size or 0 <= int(y.min()) <= int(y.max()) < self.outputs
            what = f"classes are 0..{self.outputs - 1}"
        else:
            known = y.ndim == 2 and y.shape[1] == self.outputs and y.dtype.kind in "iubf"
            known = known and bool(np.isfinite(y.astype(np.float64)).all())
            what = f"targets are finite numbers (samples, {self.outputs}), or classes (samples,)"
        if not known:
            raise UsageError(Problem("HB0132", f"{what}; these are {y.dtype} {y.shape}"))

    def inputs(
        self, x: Samples, y: NDArray[np.generic] | None = None, *, first: int = 0
    ) -> dict[str, IntArray]:
        """Return what a machine takes for these samples; without y nobody teaches."""
        given: dict[str, IntArray] = {self.source: self.events(x, first=first)}
        if y is not None and self.teacher:
            given[self.teacher] = np.repeat(self.codes(y)[:, None, :], self.passes, axis=1)
        if y is not None and self.label:
            given[self.label] = self.labels(y)[:, None, :]
        return given
