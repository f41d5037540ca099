"""How many messages a frame's spikes are where layers stand on several cores, in slices of x.

The notebook lists the cores of every layer: a convolution is cut into slices of neighbouring
columns, ``Conv(4, 15, 36)`` is 4 columns of 15 rows and 36 channels; a dense layer into equal
shares. A spike sends one message to every core on which it has a synapse.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from benchmarks.pilotnet.frame import Frame
from benchmarks.pilotnet.network import Layer, Network

from hebbite.compiler.program.connectivity import synapses_of

COLUMNS: Mapping[str, int] = {"conv1": 4, "conv2": 4, "conv3": 8, "conv4": 8, "conv5": 16}
SHARES: Mapping[str, int] = {"dense1": 12}
"""Columns of a core, and cores of a dense layer; what is not named stands on one core."""


def messages(
    frame: Frame,
    network: Network,
    *,
    columns: Mapping[str, int] = COLUMNS,
    shares: Mapping[str, int] = SHARES,
) -> int:
    """Return the messages of one frame between all layers."""
    found = 0
    for before, layer in zip(network.layers, network.layers[1:], strict=False):
        synapses = synapses_of(frame.program, frame.program.group(f"to_{layer.name}"))
        cores = _core_of(layer, columns.get(layer.name, 0), shares.get(layer.name, 1))
        count = int(cores.max()) + 1
        reached = np.unique(synapses.line * count + cores[synapses.post])
        each = np.bincount(reached // count, minlength=before.size)
        spikes = np.count_nonzero(frame.recording.values[f"{before.name}.s"], axis=0)
        found += int(spikes @ each)
    return found


def _core_of(layer: Layer, columns: int, shares: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return which of a layer's cores holds each neuron, int64 (neurons,)."""
    neurons = np.arange(layer.size, dtype=np.int64)
    if columns:
        return neurons % layer.shape[2] // columns
    return neurons * shares // layer.size
