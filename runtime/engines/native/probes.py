"""Where the kernel reads each probe, and how its log becomes arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.program.types import Program
from hebbite.runtime.engines.native.layout import Layout, table
from hebbite.runtime.engines.native.neurons import used_outputs
from hebbite.runtime.engines.native.plan import (
    FROM_MEMORY,
    FROM_SHORTS,
    FROM_TAGS,
    FROM_WORDS,
    FROM_X,
    FROM_Y,
    PROBE,
    SHORTS,
    TRACES,
    Long,
)
from hebbite.runtime.engines.native.weights import form_of
from hebbite.runtime.recording import is_epoch_probe


def stored_for(program: Program, names: Sequence[str]) -> frozenset[str]:
    """Return the probes of registers that need not be stored: nobody else looks at them."""
    inner = set()
    for name in names:
        component, register = name.rsplit(".", 1)
        for population in program.populations:
            kept = (*used_outputs(program, population), *population.neuron.kept)
            if population.name == component and register not in kept:
                inner.add(name)
    return frozenset(inner)


@dataclass(frozen=True)
class Probe:
    """One probe: its row of the kernel's table, its shape, and whether it is one of an epoch."""

    name: str
    kind: int
    start: int
    shape: tuple[int, ...]
    epoch: bool

    @property
    def size(self) -> int:
        """Values a row."""
        return math.prod(self.shape)


def probes_of(program: Program, layout: Layout, names: Sequence[str]) -> list[Probe]:
    """Return where every named probe is read."""
    return [_probe(program, layout, name) for name in names]


def _probe(program: Program, layout: Layout, name: str) -> Probe:
    component, register = name.rsplit(".", 1)
    if is_epoch_probe(program, name):
        return _epoch_probe(program, layout, name, component, register)
    start = layout.memory[component, register]
    lines = register in ("s", "e")
    size = program.lines(component, register) if lines else program.population(component).size
    return Probe(name, FROM_MEMORY, start, (size,), False)


def _epoch_probe(
    program: Program, layout: Layout, name: str, component: str, register: str
) -> Probe:
    tensor = program.group(component).weight
    group = program.group(component)
    size, lines = program.post_size(group), program.line_count(group)
    shape = program.tensors[tensor].shape[::-1]
    if register == "weight":
        held = layout.weight[form_of(group)]
        kind = FROM_SHORTS if held.store == SHORTS else FROM_WORDS
        return Probe(name, kind, held.start, shape, True)
    if register == "t":
        return Probe(name, FROM_TAGS, layout.tags[component], shape, True)
    x, y = layout.plastic[component]
    index = TRACES.index(register)
    if index < 2:
        return Probe(name, FROM_X, 2 * x + index * lines, (lines,), True)
    return Probe(name, FROM_Y, 3 * y + (index - 2) * size, (size,), True)


def probe_table(probes: Sequence[Probe]) -> tuple[Long, tuple[int, int]]:
    """Return the kernel's table and the widths of its logs: a step's, an epoch's."""
    widths = [0, 0]
    rows = []
    for probe in probes:
        rows.append((probe.kind, probe.start, probe.size, widths[probe.epoch]))
        widths[probe.epoch] += probe.size
    return table(rows, PROBE), (widths[0], widths[1])


def values_of(probes: Sequence[Probe], steps: Long, epochs: Long) -> dict[str, Long]:
    """Return probe -> array, first axis steps or epochs; weights and tags post-major.

    What one probe alone has written is not copied.
    """
    found: dict[str, Long] = {}
    taken = [0, 0]
    for probe in probes:
        log = epochs if probe.epoch else steps
        first = taken[probe.epoch]
        values = log[:, first : first + probe.size].reshape(len(log), *probe.shape)
        turned = values.transpose(0, 2, 1) if values.ndim == 3 else values
        found[probe.name] = np.ascontiguousarray(turned)
        taken[probe.epoch] += probe.size
    return found
