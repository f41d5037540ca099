"""From a compiled spiking model to its twin in time, and what its network did on samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.lowering.spiking_stage import KEEP_BITS
from hebbite.compiler.lowering.thresholds import INPUT_SHIFT
from hebbite.compiler.program.types import Population, Program
from hebbite.rules.objectives.objective import TOP
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import forward_groups, refuse_uncounted
from hebbite.runtime.credit.spiking.surrogate import Surrogate
from hebbite.runtime.credit.spiking.twin import (
    LifLayer,
    SpikeReadout,
    SpikingActivity,
    SpikingTwin,
)
from hebbite.runtime.session import Session

CHUNK = 128
"""Samples recorded at once: probes hold every step."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Samples that were shown, each ``rounds`` times in a row: the second axis of the activity."""

    activity: SpikingActivity
    rounds: int


def spiking_twin_of(compiled: Compiled, surrogate: Surrogate) -> SpikingTwin:
    """Return the twin of a model of LIF units.

    Its output is the rate of each output unit on the objective's scale: o = 127 count / steps.

    Raises:
        UnsupportedError: HB0471 if the answers are no spike counts.
    """
    refuse_uncounted(compiled)
    program = compiled.program
    layers = tuple(_layer(program, group.post, group.weight) for group in forward_groups(program))
    outputs = len(layers[-1].weight)
    scale = TOP / program.schedule.period
    readout = SpikeReadout(scale * np.eye(outputs), keep=1.0, every=False)
    return SpikingTwin(layers, readout, compiled.objective, surrogate)


def show(
    compiled: Compiled, twin: SpikingTwin, x: Samples, y: NDArray[np.generic], *, rounds: int
) -> Shown:
    """Run the samples without learning, each ``rounds`` times in a row, every time with new spikes.

    Time goes on from sample to sample as it does in training; within a sample the twin's gradient
    goes back to its first step.
    """
    program = compiled.program
    groups = forward_groups(program)
    probes = [f"{groups[0].pre}.s"]
    probes += [f"{group.post}.{register}" for group in groups for register in ("s", "u", "v")]
    parts = []
    order = np.repeat(np.arange(len(x)), rounds)
    with Session(compiled) as session:
        for first in range(0, len(order), CHUNK):
            part = order[first : first + CHUNK]
            parts.append(session.run(x[part], y[part], probes=probes).values)
    values = {name: np.concatenate([part[name] for part in parts]) for name in probes}
    period = program.schedule.period
    spikes = [_by_sample(values[name], period) for name in probes if name.endswith(".s")]
    sums = [_by_sample(_before_reset(values, layer), period) for layer in twin.layers]
    return Shown(SpikingActivity(tuple(spikes), tuple(sums), twin.read(spikes[-1])), rounds)


def _layer(program: Program, name: str, weight: str) -> LifLayer:
    population: Population = program.population(name)
    constants = dict(population.constants)
    return LifLayer(
        name=name,
        weight=program.tensors[weight].astype(np.float64),
        bias=program.tensors[dict(population.tables)["bias"]].astype(np.float64),
        keep_u=constants["du_keep"] / 2**KEEP_BITS,
        keep_v=constants["dv_keep"] / 2**KEEP_BITS,
        threshold=float(constants["threshold"]),
        gain=float(2**INPUT_SHIFT),
    )


def _before_reset(values: dict[str, NDArray[np.int64]], layer: LifLayer) -> Real:
    """Return v of every step before its reset, from u and v as they were stored, (steps, neurons).

    Less than one unit off, of tens of thousands: the chip drops the fraction of the decayed v.
    """
    u, v = (values[f"{layer.name}.{register}"].astype(np.float64) for register in ("u", "v"))
    before = np.vstack([np.zeros_like(v[:1]), v[:-1]])
    return layer.keep_v * before + u + layer.bias


def _by_sample(rows: NDArray[np.generic], period: int) -> Real:
    """Return (steps, samples, size) for rows of a run (samples x steps, size)."""
    return rows.astype(np.float64).reshape(-1, period, rows.shape[1]).transpose(1, 0, 2)
