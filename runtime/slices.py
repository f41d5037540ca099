"""The slice of training data that a saved model is verified by, and what the reference makes of it.

In: a compiled model and samples. Out: integer inputs for ``STEPS`` steps, and golden vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Golden, Saved
from hebbite.runtime.engines.base import Inputs
from hebbite.runtime.engines.reference import ReferenceEngine

Long = NDArray[np.int64]
Real = NDArray[np.float64]
STEPS = 500
"""Steps that the slice of a file suffices for."""
GOLDEN_SAMPLES = 8


def samples_for(compiled: Compiled, steps: int) -> int:
    """Return the number of whole samples that ``steps`` steps take."""
    return -(-steps // compiled.program.schedule.period)


def slice_of(
    compiled: Compiled, x: Real, y: NDArray[np.generic], *, steps: int = STEPS
) -> dict[str, Long]:
    """Return integer inputs (samples, events, size) of the first samples, taught."""
    samples = min(samples_for(compiled, steps), len(x))
    given = compiled.coding.inputs(x[:samples], y[:samples])
    return {name: np.asarray(values, np.int64) for name, values in given.items()}


def noise(features: int, classes: int, *, samples: int, seed: int) -> tuple[Real, Long]:
    """Return uniform inputs in [0, 1) and labels, for models without data."""
    x = uniform((samples, features), seed=seed, name="slice input")
    y = uniform((samples,), seed=seed, name="slice label") * classes
    return x, y.astype(np.int64)


def golden_of(compiled: Compiled, inputs: Inputs) -> Golden:
    """Return answers and weights of the reference engine on the first samples of a slice."""
    first = {name: values[:GOLDEN_SAMPLES] for name, values in inputs.items()}
    samples = min(GOLDEN_SAMPLES, *(len(values) for values in first.values()))
    machine = ReferenceEngine().open(compiled.program, rounding="lava-exact")
    recording = machine.run(first, samples=samples, learn=True)
    names = [group.weight for group in compiled.program.synapses]
    learned = compiled.with_tensors({name: machine.read(name) for name in names})
    return Golden(recording.answers, learned.sha256)


def golden_holds(saved: Saved) -> bool:
    """Whether this installation gives what is stored in the file; True if nothing is."""
    if saved.golden is None:
        return True
    now = golden_of(saved.compiled, saved.slice_inputs)
    same = np.array_equal(now.answers, saved.golden.answers)
    return same and now.weights_sha256 == saved.golden.weights_sha256
