"""A network of leaky units as a chip program, written by hand: every layer looks at its own window.

A message takes a step, so layer n (from 0) works on a frame one step later than layer n - 1: its
window starts at offset n + 1 of the period, where it clears its current and its membrane, and ends
with its next start. Once the pipeline is full every period holds one window of every layer, as long
as the frame: the counts of one period are the counts of one frame. Lava-dl's networks on Loihi 2 do
the same (``reset_interval``, and a ``reset_offset`` that grows by one a layer).
"""

from __future__ import annotations

from math import prod

import numpy as np
from benchmarks.pilotnet.network import Layer, Network

from hebbite.compiler.neurons.lif import LIF
from hebbite.compiler.program.connectivity import Connectivity, Conv2d, Dense
from hebbite.compiler.program.neuron import Instruction, NeuronProgram
from hebbite.compiler.program.types import (
    IntArray,
    Population,
    Program,
    Readout,
    Schedule,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program

BIAS_BITS = 6
"""A mantissa of a bias and one of a threshold count 2^6, as a weight does."""
WINDOWED = NeuronProgram(
    "lif_windowed",
    (*LIF.parameters, "start"),
    LIF.tables,
    LIF.states,
    (
        *(Instruction("start", "start", "reset", state, ()) for state in LIF.states),
        *LIF.instructions,
    ),
)
"""Lava's LIF, cleared at the offset at which its window starts."""


def program_of(network: Network, *, name: str = "frames", target: str = "loihi2") -> Program:
    """Return the verified program of a network whose first layer is silent.

    Nothing feeds the first layer and its bias is left out, so that it never fires: what runs is
    what the biases of the other layers drive, the same in every frame.
    """
    layers, steps = network.layers, network.steps
    tensors: dict[str, IntArray] = {}
    populations, groups = [], []
    for index, layer in enumerate(layers):
        tensors[f"bias_{layer.name}"] = _bias(layer)
        populations.append(_population(layer, start=index % steps + 1))
        if layer.weight is not None:
            before = layers[index - 1]
            tensors[f"weight_{layer.name}"] = _matrix(layer)
            groups.append(_group(before, layer))
    program = Program(
        name=name,
        target=target,
        schedule=Schedule(steps, steps),
        sources=(),
        populations=tuple(populations),
        synapses=tuple(groups),
        readout=Readout(layers[-1].name, "v", len(layers) % steps or steps),
        tensors=tensors,
    )
    verify_program(program, running="benchmark")
    return program


def _population(layer: Layer, *, start: int) -> Population:
    constants = {
        "du_keep": 4096 - layer.unit.current_decay,
        "dv_keep": 4096 - layer.unit.voltage_decay,
        "threshold": layer.unit.threshold << BIAS_BITS,
        "start": start,
    }
    tables = (("bias", f"bias_{layer.name}"),)
    return Population(layer.name, layer.size, WINDOWED, WINDOWED.chosen(constants), tables)


def _bias(layer: Layer) -> IntArray:
    """Return what drives every neuron in every step, int32 (neurons,)."""
    if layer.weight is None:
        return np.zeros(layer.size, np.int32)
    places = prod(layer.shape[1:])
    return np.repeat(layer.bias.astype(np.int32) << np.int32(BIAS_BITS), places)


def _matrix(layer: Layer) -> IntArray:
    assert layer.weight is not None, "the first layer has no weights"
    return layer.weight.reshape(len(layer.weight), -1).astype(np.int16)


def _group(before: Layer, layer: Layer) -> Synapses:
    return Synapses(
        f"to_{layer.name}",
        before.name,
        layer.name,
        f"weight_{layer.name}",
        graded=False,
        connect=_connect(before, layer),
    )


def _connect(before: Layer, layer: Layer) -> Connectivity:
    if layer.weight is None or layer.kind == "dense":
        return Dense()
    down, across = layer.padding
    return Conv2d(
        before.shape,
        layer.weight.shape[2:],
        stride=layer.stride,
        padding=(down, across, down, across),
        dilation=layer.dilation,
        groups=layer.groups,
    )
