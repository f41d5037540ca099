"""Groups of synapses as tables: stores of weights, rings of messages, what a message costs."""

from __future__ import annotations

import numpy as np

from hebbite.compiler.placement import hops
from hebbite.compiler.program.types import Program
from hebbite.runtime.counters import components_of
from hebbite.runtime.engines.native.aligned import padded
from hebbite.runtime.engines.native.connections import Connections
from hebbite.runtime.engines.native.layout import Layout, table
from hebbite.runtime.engines.native.plan import GROUP, Long
from hebbite.runtime.engines.native.rule_code import visits_columns
from hebbite.runtime.engines.native.weights import Held, changing, form_of, store_of

COSTS = ("spikes_in", "axon_out", "hops_ew", "hops_ns", "interchip")


def pack_stores(program: Program, layout: Layout) -> tuple[list[int], int]:
    """Choose the store of every tensor of weights; return the sizes of the stores, and how many
    lines there are.
    """
    sizes, lines = [0, 0, 0], 0
    changes = changing(program)
    for group in program.synapses:
        if form_of(group) in layout.weight:
            continue
        weight = program.tensors[group.weight]
        bits, varies = program.widths.weight, group.weight in changes
        store, shift = store_of(weight, changes=varies, bits=bits)
        held = Held(store, sizes[store], shift, lines, group)
        layout.weight[form_of(group)] = held
        sizes[store] += padded(weight.size)
        lines += program.line_count(group)
    return sizes, lines


def pack_groups(
    program: Program, layout: Layout, connections: Connections
) -> tuple[Long, Long, int, int]:
    """Return the rows of all groups, the cost of a message of each line, the size of the rings, and
    how many slots inputs and rings have; `pack_stores` comes before.
    """
    components = components_of(program)
    names = [population.name for population in program.populations]
    by_neuron = {p.synapses for p in program.plasticity if visits_columns(p)}
    groups = [group.name for group in program.synapses]
    rows: list[tuple[int, ...]] = []
    costs: list[Long] = [np.zeros((0, len(COSTS)), np.int64)]
    due, cost_rows, slots = 0, 0, 2 * len(names)
    for group in program.synapses:
        size, lines = program.post_size(group), program.line_count(group)
        held = layout.weight[form_of(group)]
        kind, *entered = connections.enter(program, group, columns=group.name in by_neuron)
        layout.due[group.name], layout.slots[group.name] = due, slots
        cost = hops(program, group)
        zero = np.zeros(lines, np.int64)
        each = np.column_stack([cost.get(name, zero) for name in COSTS])
        uniform = bool((each == each[:1]).all())
        costs.append(each[:1] if uniform else each)
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
                cost_rows,
                uniform,
                held.lines,
                *entered,
            )
        )
        due += padded(group.delay * size)
        slots += group.delay
        cost_rows += len(costs[-1])
    cost_table = np.ascontiguousarray(np.concatenate(costs), np.int64)
    return table(rows, GROUP), cost_table, due, slots
