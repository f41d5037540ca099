"""Counts that need no kernel: what every sample has, whatever happens in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import COUNTERS, INDEX, components_of
from hebbite.runtime.engines.native.neuron_code import Unit, active_at
from hebbite.runtime.engines.native.plan import Long


def of_a_sample(program: Program, units: Sequence[Unit]) -> Long:
    """Return what every sample counts: steps, steps of neurons, resets and draws of neurons, and
    words of the answer, (2 component + phase, counter).
    """
    components, schedule, readout = components_of(program), program.schedule, program.readout
    counts = np.zeros((2 * len(components), len(COUNTERS)), np.int64)
    for offset in range(1, schedule.period + 1):
        late = int(schedule.learns_at(offset))
        counts[late, INDEX["steps"]] += 1
        for unit, population in zip(units, program.populations, strict=True):
            row = counts[2 * components.index(population.name) + late]
            ops = [unit.neuron.instructions[index].op for index in active_at(unit.neuron, offset)]
            row[INDEX["neuron_steps"]] += population.size
            row[INDEX["resets"]] += population.size * ops.count("reset")
            row[INDEX["rng_draws"]] += population.size * ops.count("random")
    words = program.population(readout.population).size
    counts[2 * components.index(readout.population), INDEX["host_words"]] += words
    return counts
