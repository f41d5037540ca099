"""Counts that need no kernel: what every sample has, and what follows from the number of messages.

In: the table of counts as a call leaves it, (2 component + phase, counter). Out: the same, whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import COUNTERS, INDEX, components_of
from hebbite.runtime.engines.native.groups import COSTS
from hebbite.runtime.engines.native.neuron_code import Unit, active_at
from hebbite.runtime.engines.native.plan import G_COMPONENT, G_COST, G_COST_OF, Long, Plan

FIRST = INDEX[COSTS[0]]
"""The first cost of a message among the counters: they stand behind each other."""


@dataclass(frozen=True)
class Tally:
    """What every sample counts, (2 component + phase, counter); rows of groups whose lines all cost
    the same, of which the kernels counted the messages alone, as the first of their ``costs``.
    """

    of_sample: Long
    rows: Long
    costs: Long

    def complete(self, counts: Long, samples: int) -> None:
        """Complete the counts of ``samples`` samples."""
        messages = counts[self.rows, FIRST, None]
        counts[self.rows, FIRST : FIRST + len(COSTS)] = messages * self.costs
        counts += samples * self.of_sample


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


def tally_of(program: Program, units: Sequence[Unit], plan: Plan) -> Tally:
    """Return what completes the counts of a program."""
    alike = plan.groups[plan.groups[:, G_COST_OF] < 0]
    rows = 2 * alike[:, G_COMPONENT, None] + np.arange(2)
    costs = np.repeat(plan.cost[alike[:, G_COST]], 2, axis=0)
    return Tally(of_a_sample(program, units), rows.reshape(-1), costs)
