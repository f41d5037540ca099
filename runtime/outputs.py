"""What an output unit makes of its potential before it compares itself with a target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.compiled import Compiled
from hebbite.rules.objectives.objective import TOP

Long = NDArray[np.int64]


def outputs_of(model: Compiled, answers: Long) -> Long:
    """Return the outputs that the chip compares with its targets.

        o = clip(floor(v / 2^shift), -127, 127)

    v: ``answers`` of the read-out (samples, outputs); shift: that of the output population.
    """
    population = model.program.population(model.program.readout.population)
    shift = np.int64(dict(population.constants)["shift"])
    return np.clip(answers >> shift, -int(TOP), int(TOP)).astype(np.int64)
