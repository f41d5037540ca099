"""What the chip's network did on a batch: activity, answers, and what every synapse was told.

In: a compiled model with the weights as they stand, samples, classes or targets. Out: one `Record`.
The program is run as it is, teacher and feedback included, but the weights stand still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.synapse import half_payload
from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.neuron import TRACES
from hebbite.compiler.program.types import Program, Synapses
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import fire_offset, forward_groups
from hebbite.runtime.credit.twin import Activity
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
CHUNK = 256
"""Samples recorded at once: probes hold every step."""


@dataclass(frozen=True, eq=False)
class Told:
    """What the synapses of a plastic group know at the end of a sample, by sample.

    x1 (samples, lines): the trace; x0 (samples, lines): the line sent. y: trace -> (samples,
    neurons); y0 (samples, neurons): the neuron had a learning event.
    """

    x1: Long
    x0: NDArray[np.bool_]
    y: Mapping[str, Long]
    y0: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Record:
    """``activity`` in payloads, as recorded; ``told``: group -> `Told`."""

    activity: Activity
    told: Mapping[str, Told]


def record(compiled: Compiled, x: Samples, y: NDArray[np.generic], *, draws: int = 1) -> Record:
    """Return what happened on samples x (samples, features...) taught y.

    With ``draws`` above 1 every sample is run that often, in rounds, for programs whose neurons
    draw random numbers; the first axis of all arrays is then draws x samples.
    """
    program = compiled.program
    parts = []
    with Session(compiled) as session:
        for _ in range(draws):
            for first in range(0, len(x), CHUNK):
                part = slice(first, first + CHUNK)
                found = session.run(x[part], y[part], probes=_probes(program))
                rows = len(x[part])
                parts.append({k: v.reshape(rows, -1, v.shape[1]) for k, v in found.values.items()})
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    told = {p.synapses: _told(program.group(p.synapses), values) for p in program.plasticity}
    return Record(_activity(program, values), told)


def payload_targets(compiled: Compiled, y: NDArray[np.generic]) -> Real:
    """Return the targets of the output units, in payloads (samples, outputs)."""
    return (compiled.coding.codes(y) - 1).astype(np.float64)


def payload_inputs(compiled: Compiled, x: Samples) -> Real:
    """Return the payloads of the inputs, (samples, inputs)."""
    return compiled.coding.events(x)[:, 0].astype(np.float64)


def draws_random(program: Program) -> bool:
    """Whether some neuron of the program draws random numbers."""
    programs = (population.neuron for population in program.populations)
    return any(i.op == "random" for neuron in programs for i in neuron.instructions)


def _probes(program: Program) -> tuple[str, ...]:
    sent = [f"{group.pre}.s" for group in forward_groups(program)]
    sums = [f"{group.post}.v" for group in forward_groups(program)]
    told = [
        name
        for plasticity in program.plasticity
        for group in (program.group(plasticity.synapses),)
        for name in (
            f"{group.pre}.{group.output}",
            *(f"{group.post}.{trace}" for trace in (*TRACES, "bap")),
        )
    ]
    output = f"{program.readout.population}.o"
    return tuple(dict.fromkeys((*sent, *sums, *told, output)))


def _activity(program: Program, values: Mapping[str, Long]) -> Activity:
    groups = forward_groups(program)
    inputs = [values[f"{g.pre}.s"][:, fire_offset(program, g.pre) - 1] for g in groups]
    sums = [values[f"{g.post}.v"][:, fire_offset(program, g.post) - 1] for g in groups]
    last = program.readout.population
    output = values[f"{last}.o"][:, fire_offset(program, last) - 1]
    return Activity(
        tuple(lines.astype(np.float64) for lines in inputs),
        tuple(v.astype(np.float64) for v in sums),
        output.astype(np.float64),
    )


def _told(group: Synapses, values: Mapping[str, Long]) -> Told:
    """Return the registers of a group after the last step: x1 keeps the last message, y the last
    value that the neuron sent."""
    messages = values[f"{group.pre}.{group.output}"]
    sent = messages != 0
    last = messages.shape[1] - 1 - np.argmax(sent[:, ::-1], axis=1)
    held = np.take_along_axis(messages, last[:, None], axis=1)[:, 0]
    return Told(
        x1=half_payload(held),
        x0=sent.any(axis=1),
        y={trace: values[f"{group.post}.{trace}"][:, -1] for trace in TRACES},
        y0=np.any(values[f"{group.post}.bap"] != 0, axis=1),
    )
