"""What a population's neurons do in a step, whoever counts it: by component, or by core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.types import Population, Program

Long = NDArray[np.int64]
COUNTED = {"reset": "resets", "random": "rng_draws"}
"""Instructions that are counted, and by which counter."""


class Mark(NamedTuple):
    """An instruction that counts every neuron at the offsets first..last."""

    first: int
    last: int
    counter: str


def marks_of(program: Program, population: Population) -> tuple[Mark, ...]:
    """Return the instructions of a population that are counted."""
    constants = dict(population.constants)
    bound = population.neuron.bind(constants, period=program.schedule.period)
    return tuple(
        Mark(int(line.first), int(line.last), COUNTED[line.op])
        for line in bound.instructions
        if line.op in COUNTED
    )


def active_neurons(
    program: Program,
    population: Population,
    v: Long,
    arrived: Iterable[NDArray[np.bool_]],
    sent: Mapping[str, Long],
) -> NDArray[np.bool_]:
    """Return which neurons are active in a step, bool (neurons,): v != 0 at its start, a message
    through a non-zero weight or wire, or a bias.

    ``arrived``: whom the messages of each group reach; ``sent``: the lines of every source.
    """
    active: NDArray[np.bool_] = v != 0
    bias = dict(population.tables).get("bias")
    if bias is not None:
        active = active | (program.tensors[bias] != 0)
    for reached in arrived:
        active = active | reached
    for wire in program.wires:
        if wire.post == population.name:
            active = active | (sent[f"{wire.source}.s"] != 0)
    return active
