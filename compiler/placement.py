"""Where populations stand, and what a message to them costs in hops.

A core has a chip, and a tile in that chip; the geometry comes from the target. A population on
several cores is split evenly, its first neurons on the first core.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.types import Program, Synapses

CORES_A_CHIP = 128
CORES_A_TILE = 4
TILES_A_COLUMN = 4


def tile(core: int) -> tuple[int, int, int]:
    """Return (chip, x, y) of the tile that holds a core."""
    chip, inside = divmod(core, CORES_A_CHIP)
    x, y = divmod(inside // CORES_A_TILE, TILES_A_COLUMN)
    return chip, x, y


def core_of_lines(lines: int, size: int, cores: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the core of every line; a bias line stands with the last neuron."""
    held = np.asarray(cores or (0,), np.int64)
    share = -(-size // held.size)
    return held[np.minimum(np.arange(lines, dtype=np.int64), size - 1) // share]


def hops(program: Program, group: Synapses) -> dict[str, NDArray[np.int64]]:
    """Return what one message of each line costs: spikes_in, axon_out, hops, interchip.

    The host's lines enter a core without an axon of their own.
    """
    targets = program.population(group.post).cores or (0,)
    lines = program.lines(group.pre, group.output)
    ones = np.ones(lines, np.int64)
    if any(source.name == group.pre for source in program.sources):
        return {"spikes_in": ones * len(targets)}
    pre = program.population(group.pre)
    homes = core_of_lines(lines, pre.size, pre.cores)
    ways = [[_way(int(home), target) for target in targets] for home in homes]
    sums = np.asarray(ways, np.int64).sum(axis=1)
    return {
        "spikes_in": ones * len(targets),
        "axon_out": ones * len(targets),
        "hops_ew": sums[:, 0],
        "hops_ns": sums[:, 1],
        "interchip": sums[:, 2],
    }


def _way(home: int, target: int) -> tuple[int, int, int]:
    (chip, x, y), (chip_to, x_to, y_to) = tile(home), tile(target)
    return abs(x - x_to), abs(y - y_to), int(chip != chip_to)
