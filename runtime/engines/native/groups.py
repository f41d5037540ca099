"""Groups of synapses as tables: stores of weights, rings of messages, what a message costs."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.placement import hops
from hebbite.compiler.program.connectivity import Dense, Sparse
from hebbite.compiler.program.types import Program, Synapses
from hebbite.runtime.counters import components_of
from hebbite.runtime.engines.native.aligned import padded
from hebbite.runtime.engines.native.connections import Connections, put
from hebbite.runtime.engines.native.layout import Layout, table
from hebbite.runtime.engines.native.plan import (
    CONSTANT,
    FORGOTTEN,
    GROUP,
    RECOUNTED,
    Long,
    Word,
)
from hebbite.runtime.engines.native.recounted import BITS
from hebbite.runtime.engines.native.rule_code import visits_columns
from hebbite.runtime.engines.native.weights import Held, changing, form_of, store_of

COSTS = ("spikes_in", "axon_out", "hops_ew", "hops_ns", "interchip")
"""Counters of a message, in the order of a row of `Plan.cost`."""


class Costs:
    """What messages cost: every cost of a group once, and which of them a message of each line has,
    where they differ.
    """

    def __init__(self) -> None:
        self.rows: list[Long] = []
        self.of_lines: list[Word] = []

    def enter(self, program: Program, group: Synapses, component: int) -> tuple[int, int]:
        """Enter a group, number ``component``; return where its costs start, and those of its
        lines, -1 if all have the first.
        """
        cost, zero = hops(program, group), np.zeros(program.line_count(group), np.int64)
        each = np.column_stack([*(cost.get(name, zero) for name in COSTS), zero + component])
        if (each == each[:1]).all():
            return put(self.rows, each[:1]), -1
        kinds, of_lines = np.unique(each, axis=0, return_inverse=True)
        return put(self.rows, kinds), put(self.of_lines, of_lines.reshape(-1).astype(np.int32))


def pack_stores(program: Program, layout: Layout) -> tuple[list[int], int, int]:
    """Choose the store of every tensor of weights; return the sizes of the stores, how many lines
    there are, and how many of `misses`.
    """
    sizes, lines, misses = [0, 0, 0], 0, 0
    changes, counted = changing(program), varying(program)
    for group in program.synapses:
        if form_of(group) in layout.weight:
            continue
        weight = program.tensors[group.weight]
        bits, varies = program.widths.weight, group.weight in changes
        store, shift = store_of(weight, changes=varies, bits=bits)
        asked = isinstance(group.connect, Dense) and counted.get(group.weight) != RECOUNTED
        held = Held(store, sizes[store], shift, varies, lines, misses if asked else -1, group)
        layout.weight[form_of(group)] = held
        misses += asked * program.line_count(group)
        sizes[store] += padded(weight.size)
        lines += program.line_count(group)
    return sizes, lines, misses


def asking(program: Program) -> dict[str, str]:
    """Return group -> population of those that mark whom they reach only where a neuron is not
    active anyway: by lists that do not change, a mark a synapse is much of the work; who is active
    is known one step ahead.
    """
    changes = changing(program)
    return {
        group.name: group.post
        for group in program.synapses
        if isinstance(group.connect, Sparse) and group.delay == 1 and group.weight not in changes
    }


def varying(program: Program) -> dict[str, int]:
    """Return tensor -> how weights that change are counted."""
    others = {
        group.weight
        for group in program.synapses
        if group.graded or not isinstance(group.connect, Dense)
    }
    narrow = program.widths.weight <= BITS
    return {
        tensor: RECOUNTED if narrow and tensor not in others else FORGOTTEN
        for tensor in changing(program)
    }


def pack_groups(
    program: Program, layout: Layout, connections: Connections, costs: Costs
) -> tuple[Long, int, int]:
    """Return the rows of all groups, the size of the rings, and how many slots inputs and rings
    have; `pack_stores` comes before.
    """
    components = components_of(program)
    names = [population.name for population in program.populations]
    by_neuron = {p.synapses for p in program.plasticity if visits_columns(p)}
    groups = [group.name for group in program.synapses]
    rows: list[tuple[int, ...]] = []
    varies, asks = varying(program), asking(program)
    due, slots = 0, 2 * len(names)
    for group in program.synapses:
        size, lines = program.post_size(group), program.line_count(group)
        held = layout.weight[form_of(group)]
        kind, *entered = connections.enter(program, group, columns=group.name in by_neuron)
        layout.due[group.name], layout.slots[group.name] = due, slots
        rows.append(
            (
                layout.outputs[group.pre, group.output],
                lines,
                names.index(group.post),
                size,
                kind,
                held.start,
                held.store,
                held.shift,
                group.port == "third",
                group.exponent,
                group.delay,
                group.graded,
                group.role == "feedback",
                due,
                slots,
                components.index(group.name),
                groups.index(group.mirror) if group.mirror else -1,
                group.magnitude,
                *costs.enter(program, group, components.index(group.name)),
                held.lines,
                held.misses,
                varies.get(group.weight, CONSTANT),
                group.name in asks,
                *entered,
            )
        )
        due += padded(group.delay * size)
        slots += group.delay
    return table(rows, GROUP), due, slots
