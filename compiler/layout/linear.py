"""The linear order: parts are numbered as messages go through the network, senders first.

Neighbours in the network then are neighbours on the mesh, whose tiles are numbered column by
column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hebbite.compiler.placement import cores_of
from hebbite.compiler.program.types import Program


def topological(program: Program) -> list[str]:
    """Return the names of all populations, senders first; a cycle is cut in program order."""
    left = dict.fromkeys(population.name for population in program.populations)
    waits: dict[str, set[str]] = {name: set() for name in left}
    tells: dict[str, set[str]] = {name: set() for name in left}
    for group in program.synapses:
        if group.role == "forward" and group.pre in left and group.pre != group.post:
            waits[group.post].add(group.pre)
            tells[group.pre].add(group.post)
    order: list[str] = []
    while left:
        name = next((name for name in left if not waits[name]), next(iter(left)))
        del left[name]
        order.append(name)
        for post in tells[name]:
            waits[post].discard(name)
    return order


def parts_of(program: Program) -> tuple[int, ...]:
    """Return every core that holds neurons, in linear order: part n is the n-th of them."""
    populations = (program.population(name) for name in topological(program))
    return tuple(dict.fromkeys(core for p in populations for core in cores_of(p)))


def moved(program: Program, cores: Mapping[int, int]) -> Program:
    """Return the program with every core where ``cores`` says; each population keeps its parts."""
    populations = tuple(
        replace(p, cores=tuple(cores[core] for core in cores_of(p))) for p in program.populations
    )
    return replace(program, populations=populations)
