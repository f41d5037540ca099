"""A recording of learning: the model, the samples of every step, the weights before and after.

Nothing else is needed to ask which objective and rule the changes of the weights follow from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Training
from hebbite.compiler.program.types import IntArray, Program
from hebbite.rules.errors import InputFileError, Problem, UsageError

Labels = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class LearningRecording:
    """T steps of learning, of K samples each, in a row.

    model     the compiled model as it was before the first training step
    training  engine, rounding, seed and data that it learnt with
    x         (T, K, features): the samples of every step
    y         (T, K) classes, or (T, K, outputs) targets in [-1, 1]
    weights   group of synapses -> (T + 1, out, in): stored weights before the first step and after
              every one, in their own steps

    Raises:
        InputFileError: HB0232 for shapes or types that do not fit the model or each other, HB0234
            for samples that are not finite, classes and targets that the model does not have, and
            weights outside the chip's word.
    """

    model: Compiled
    training: Training
    x: Samples
    y: Labels
    weights: Mapping[str, IntArray]

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        _check_samples(self)
        for group in self.model.program.synapses:
            _check_weights(self.model.program, group.name, group.weight, self)

    @property
    def steps(self) -> int:
        """T."""
        return len(self.x)

    @property
    def every(self) -> int:
        """K, samples a step."""
        return int(self.x.shape[1])

    def before(self, step: int) -> Compiled:
        """Return the model with all weights as they stood before a step, 0..T-1."""
        groups = self.model.program.synapses
        return self.model.with_tensors({g.weight: self.weights[g.name][step] for g in groups})

    def change(self, group: str, step: int) -> NDArray[np.float64]:
        """Return what a step changed, (out, in), in steps of the weights."""
        before, after = self.weights[group][step : step + 2].astype(np.float64)
        return np.asarray(after - before, np.float64)


def _check_samples(recording: LearningRecording) -> None:
    x, y, coding = recording.x, recording.y, recording.model.coding
    inputs = recording.model.program.source(coding.source).size
    if x.dtype.kind != "f" or x.ndim != 3 or x.shape[2] != inputs or 0 in x.shape[:2]:
        _refuse("HB0232", f"x is {x.dtype} {x.shape}; wanted real (steps, samples, {inputs})")
    if y.shape[:2] != x.shape[:2] or y.ndim > 3:
        _refuse("HB0232", f"y has the shape {y.shape}, x {x.shape}")
    if not np.isfinite(x).all():
        _refuse("HB0234", "x holds NaN or infinity")
    try:
        coding.codes(y.reshape(x.shape[0] * x.shape[1], *y.shape[2:]))
    except UsageError as error:
        _refuse("HB0234", f"y: {error.problems[0].what}")


def _check_weights(program: Program, name: str, tensor: str, recording: LearningRecording) -> None:
    shape = (recording.steps + 1, *program.tensors[tensor].shape)
    found = recording.weights.get(name)
    if found is None or found.dtype.kind not in "iu" or found.shape != shape:
        what = "missing" if found is None else f"{found.dtype} {found.shape}"
        _refuse("HB0232", f"the weights of '{name}' are {what}; wanted integers {shape}")
    low, high = program.widths.weight_low, program.widths.weight_high
    if found.size and not low <= int(found.min()) <= int(found.max()) <= high:
        _refuse("HB0234", f"weights of '{name}' leave {low}..{high}")


def _refuse(code: str, what: str) -> NoReturn:
    raise InputFileError(Problem(code, what, "recording", hint=AGAIN))


AGAIN = "make it again: hebbite train FILE.hbt -o G.hbt --record REC.npz"
"""The mend of every recording that is not what it says."""
