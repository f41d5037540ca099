"""Where populations stand, and what a message to them costs in hops.

A core has a chip, and a tile in that chip; the mesh comes from the program's target. A population
on several cores is split evenly, its first neurons on the first core.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import Fan, fan_of
from hebbite.compiler.program.types import Population, Program, Synapses
from hebbite.compiler.targets import Target, load_target


def tile(target: Target, core: int) -> tuple[int, int, int]:
    """Return (chip, x, y) of the tile that holds a core; tiles are numbered column by column."""
    chip, inside = divmod(core, int(target.cores_per_chip))
    x, y = divmod(inside // int(target.cores_per_tile), int(target.tile_rows))
    return chip, x, y


def cores_of(population: Population) -> tuple[int, ...]:
    """Return the cores of a population; before placement everything stands on core 0."""
    return population.cores or (0,)


def shares_of(population: Population) -> tuple[tuple[int, int, int], ...]:
    """Return (core, first neuron, neuron after the last) of every core of a population."""
    cores = cores_of(population)
    share = -(-population.size // len(cores))
    return tuple(
        (core, min(n * share, population.size), min((n + 1) * share, population.size))
        for n, core in enumerate(cores)
    )


def core_of_lines(lines: int, size: int, cores: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the core of every line; a bias line stands with the last neuron."""
    held = np.asarray(cores or (0,), np.int64)
    share = -(-size // held.size)
    neurons = np.minimum(np.arange(lines, dtype=np.int64), size - 1)
    return np.asarray(held[neurons // share], np.int64)


def reach(program: Program, group: Synapses, fan: Fan | None) -> NDArray[np.bool_]:
    """Return whether a line has synapses on each core of its receiver, (lines, cores).

    ``fan``: the synapses of a group that is no matrix; where it is one, every line goes to all.
    """
    post = program.population(group.post)
    cores, lines = len(cores_of(post)), program.line_count(group)
    if fan is None:
        return np.ones((lines, cores), np.bool_)
    found = np.zeros((lines, cores), np.bool_)
    share = -(-post.size // cores)
    found[fan.synapses.line, fan.synapses.post // share] = True
    return found


def hops(program: Program, group: Synapses) -> dict[str, NDArray[np.int64]]:
    """Return what one message of each line costs: spikes_in, axon_out, hops, interchip.

    It goes to every core where its line has synapses. The host's lines enter a core without an
    axon of their own.
    """
    target = load_target(program.target)
    reached = reach(program, group, fan_of(program, group)).astype(np.int64)
    goals = reached.sum(axis=1)
    if any(source.name == group.pre for source in program.sources):
        return {"spikes_in": goals}
    pre, post = program.population(group.pre), program.population(group.post)
    sums = np.zeros((len(reached), 3), np.int64)
    home = core_of_lines(len(reached), pre.size, pre.cores)
    for core in np.unique(home):
        ways = np.asarray([_way(target, int(core), goal) for goal in cores_of(post)], np.int64)
        sums[home == core] = reached[home == core] @ ways
    return {
        "spikes_in": goals,
        "axon_out": goals,
        "hops_ew": sums[:, 0],
        "hops_ns": sums[:, 1],
        "interchip": sums[:, 2],
    }


def longest_way(program: Program) -> tuple[int, int]:
    """Return (east-west, north-south) hops of the farthest message between two populations."""
    target = load_target(program.target)
    known = {population.name: population for population in program.populations}
    ways = [
        _way(target, home, goal)[:2]
        for group in program.synapses
        if group.pre in known
        for home in cores_of(known[group.pre])
        for goal in cores_of(known[group.post])
    ]
    return max(ways, key=sum, default=(0, 0))


def _way(target: Target, home: int, goal: int) -> tuple[int, int, int]:
    (chip, x, y), (chip_to, x_to, y_to) = tile(target, home), tile(target, goal)
    return abs(x - x_to), abs(y - y_to), int(chip != chip_to)
