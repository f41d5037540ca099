"""Where populations stand, and what a message to them costs in hops.

A core has a chip, and a tile in that chip; the mesh comes from the program's target. A population
on several cores is split evenly, its first neurons on the first core.

Inside a chip a message takes as many hops as its tiles are apart, column by column (ew) and row by
row (ns). To another chip it takes the hops inside of both: along its row to the edge of its own,
from the edge of the other one on, with a row's change on the way, and one crossing (interchip).
Chips stand in a row, chip 0 in the west, so it leaves by the edge that faces the other chip. How
chips are joined on a board is in no target: hops through chips in between are not counted, and a
crossing is one however far it goes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbite.compiler.arithmetic.synapse import Fan, fan_of
from hebbite.compiler.program.types import Population, Program, Synapses
from hebbite.compiler.targets import Target, load_target


def tile(target: Target, core: int) -> tuple[int, int, int]:
    """Return (chip, x, y) of the tile that holds a core; tiles are numbered column by column."""
    chip, x, y = _tiles(target, np.asarray(core, np.int64))
    return int(chip), int(x), int(y)


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


def place_of_lines(population: Population, lines: int) -> NDArray[np.int64]:
    """Return which of its population's cores holds each of ``lines`` lines, counted from 0; a bias
    line stands with the last neuron.
    """
    share = -(-population.size // len(cores_of(population)))
    neurons = np.minimum(np.arange(lines, dtype=np.int64), population.size - 1)
    return neurons // share


def core_of_lines(population: Population, lines: int) -> NDArray[np.int64]:
    """Return the core of every line."""
    return np.asarray(cores_of(population), np.int64)[place_of_lines(population, lines)]


def reach(program: Program, group: Synapses, fan: Fan | None) -> NDArray[np.bool_]:
    """Return whether a line has synapses on each core of its receiver, (lines, cores).

    ``fan``: the synapses of a group that is no matrix; where it is one, every line goes to all.
    """
    post = program.population(group.post)
    cores, lines = len(cores_of(post)), program.line_count(group)
    if fan is None:
        return np.ones((lines, cores), np.bool_)
    found = np.zeros((lines, cores), np.bool_)
    found[fan.synapses.line, place_of_lines(post, post.size)[fan.synapses.post]] = True
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
    home = core_of_lines(pre, len(reached))
    for core in sorted(set(home.tolist())):
        sums[home == core] = reached[home == core] @ ways(target, core, cores_of(post))
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
    found = [
        (int(east_west), int(north_south))
        for group in program.synapses
        if group.pre in known
        for home in cores_of(known[group.pre])
        for east_west, north_south, _ in ways(target, home, cores_of(known[group.post]))
    ]
    return max(found, key=sum, default=(0, 0))


def ways(target: Target, homes: ArrayLike, goals: ArrayLike) -> NDArray[np.int64]:
    """Return (ew hops, ns hops, chips changed) of a message from core to core, int64.

    Shape (homes..., goals, 3); ``homes`` is one core or several, ``goals`` several.
    """
    chip, x, y = _tiles(target, np.asarray(homes, np.int64)[..., None])
    chip_to, x_to, y_to = _tiles(target, np.asarray(goals, np.int64))
    across = int(target.tile_columns) - 1 + np.sign(chip_to - chip) * (x_to - x)
    east_west = np.where(chip == chip_to, np.abs(x - x_to), across)
    north_south = np.broadcast_to(np.abs(y - y_to), east_west.shape)
    return np.stack([east_west, north_south, (chip != chip_to).astype(np.int64)], axis=-1)


def _tiles(target: Target, cores: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return chip, column and row of every core."""
    chip, inside = np.divmod(cores, int(target.cores_per_chip))
    x, y = np.divmod(inside // int(target.cores_per_tile), int(target.tile_rows))
    return chip, x, y
