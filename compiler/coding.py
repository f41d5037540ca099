"""How a user's real samples become the integers that a program's sources take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.lowering.encode import on_and_off, payloads, rate_code
from hebbite.compiler.lowering.quantise import TOP_PAYLOAD, TOP_SIGNED
from hebbite.compiler.program.types import IntArray
from hebbite.rules.errors import Problem, UsageError

LABEL_STREAM = 0x1ABE1
TOP = 254
"""Payload of the line of a label that is shown."""
Samples = NDArray[np.floating]
"""Real samples, (samples, features...), in any float type."""


@dataclass(frozen=True)
class Coding:
    """Coding of inputs and targets.

    kind         ``payload`` (static values, one event a sample), ``rate`` (Bernoulli spikes), or
                 ``labelled`` (payloads, the first lines a one-hot label, right or wrong)
    source       name of the input source; ``teacher`` that of the target source, '' without one
    label        name of the source that tells hidden units the target itself, '' without one
    scale        payloads per unit of input; for ``rate``, the input that spikes fastest
    signed       whether values have a sign: payloads in -63..63, sent again to learn, or two lines
                 a feature, for ``rate``; else payloads in 0..254, or one line
    features     values of one frame, for ``rate``: samples (T, features) are series; 0: no series
    window, seed steps that spike and the seed of the spikes, for ``rate``
    outputs      neurons of the output population
    target_rate  output value, in 1..127, that a target of 1 stands for
    passes       times that a sample goes through the network: values, or the same spikes, and codes
                 are sent in each
    norm         Euclidean norm that every sample is brought to before it is scaled, for units that
                 compare directions; 0 leaves samples as they are, and so does a sample of zeros
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
    features: int = 0
    label: str = ""
    norm: float = 0.0

    def events(self, x: Samples, *, first: int = 0) -> NDArray[np.int16]:
        """Return integers (samples, events, lines) for x (samples, features...), which -255..255
        hold.

        For ``rate``, x may be a series (samples, T, features...) of frames.
        ``first`` numbers the first sample within a run: rate codes are drawn by that number.

        Raises:
            UsageError: HB0131 if x is not finite, HB0133 if a series is longer than the window.
        """
        real = np.asarray(x, np.float64)
        if not np.isfinite(real).all():
            raise UsageError(Problem("HB0131", "the samples hold NaN or infinity"))
        if self.kind == "rate":
            lines = frames_of(real, self.features)
            lines = on_and_off(lines) if self.signed else lines
            once = rate_code(lines, top=self.scale, window=self.window, seed=self.seed, first=first)
            return np.tile(once.astype(np.int16), (1, self.passes, 1))
        flat = brought_to(self.norm, real.reshape(len(real), math.prod(real.shape[1:])))
        sent = payloads(flat, scale=self.scale, signed=self.signed, passes=self.passes)
        return sent.astype(np.int16)

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
        if self.kind == "labelled":
            return self._labelled(x, y, first)
        given: dict[str, IntArray] = {self.source: self.events(x, first=first)}
        if y is not None and self.teacher:
            given[self.teacher] = np.repeat(self.codes(y)[:, None, :], self.passes, axis=1)
        if y is not None and self.label:
            given[self.label] = self.labels(y)[:, None, :]
        return given

    def _labelled(
        self, x: Samples, y: NDArray[np.generic] | None, first: int
    ) -> dict[str, IntArray]:
        """Return samples with a label on their first lines, and whether it is right: 1 or -1.

        Without y every sample is given with every label in turn, and nobody says. With y a chance
        of 1/2, drawn by the number of the sample, gives it its own label or one of the others.
        """
        events = self.events(x)
        if y is None:
            events = np.repeat(events, self.outputs, axis=0)
            shown = np.tile(np.arange(self.outputs), len(x))
            return {self.source: with_labels(events, shown, self.outputs)}
        if y.ndim != 1:
            what = f"a label is a class (samples,); these are targets {y.shape}"
            raise UsageError(Problem("HB0132", what))
        self._check_targets(y)
        drawn = np.array(
            [words(2, seed=self.seed, stream=LABEL_STREAM, time=first + n) for n in range(len(x))],
            np.int64,
        ).reshape(len(x), 2)
        right = drawn[:, 0] & 1
        other = y.astype(np.int64) + 1 + drawn[:, 1] % (self.outputs - 1)
        shown = np.where(right == 1, y.astype(np.int64), other % self.outputs)
        return {
            self.source: with_labels(events, shown, self.outputs),
            self.teacher: (2 * right - 1)[:, None, None],
        }

    def shown(self, samples: int, *, taught: bool) -> int:
        """Return how many samples of the program ``samples`` of the user make."""
        return samples * self.outputs if self.kind == "labelled" and not taught else samples

    def answers(self, given: IntArray, samples: int) -> IntArray:
        """Return answers (samples, outputs) of the program's, which may hold one row a label."""
        return given.reshape(samples, -1) if len(given) != samples else given


def with_labels(events: IntArray, labels: IntArray, count: int) -> NDArray[np.int16]:
    """Return payloads (samples, events, lines) whose first ``count`` lines are one-hot labels."""
    found = events.astype(np.int16)
    found[:, :, :count] = TOP * np.eye(count, dtype=np.int16)[labels][:, None]
    return found


def brought_to(norm: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows of x (samples, features) with one Euclidean norm; 0 changes nothing."""
    if not norm:
        return x
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x * (norm / np.where(length > 0.0, length, 1.0)), np.float64)


def frames_of(x: NDArray[np.float64], features: int) -> NDArray[np.float64]:
    """Return x (samples, features...) flat, or as (samples, T, features) if it is a series.

    A series has frames (samples, T, ...) of ``features`` values each; 0 features: there is none.
    """
    if features and x.ndim > 2 and math.prod(x.shape[2:]) == features:
        return x.reshape(len(x), x.shape[1], features)
    return x.reshape(len(x), math.prod(x.shape[1:]))
