"""A program as the integer tables of the kernels.

In: a program. Out: a `Packed`: a `Plan`, a `State` at step 0, a `Layout` that says where things
stand, and the printed code, which must stay alive as long as the plan does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.arithmetic.randomness import Rounding
from hebbite.compiler.arithmetic.traces import POST, PRE
from hebbite.compiler.program.connectivity import Sparse
from hebbite.compiler.program.neuron import INPUTS, OUTPUTS
from hebbite.compiler.program.types import OffsetPayload, Population, Program
from hebbite.runtime.counters import components_of
from hebbite.runtime.engines.native.aligned import zeros
from hebbite.runtime.engines.native.connections import NEAR, Connections, joined
from hebbite.runtime.engines.native.counts import BEHIND
from hebbite.runtime.engines.native.fixed_counts import of_a_sample
from hebbite.runtime.engines.native.groups import Costs, asking, pack_groups, pack_stores
from hebbite.runtime.engines.native.layout import Layout, table
from hebbite.runtime.engines.native.llvm import Code
from hebbite.runtime.engines.native.neuron_code import ACTIVE, REACHED, flag_of
from hebbite.runtime.engines.native.neurons import (
    Placed,
    Room,
    compile_units,
    drawings,
    place,
    point_tables,
    unit_of,
    used_outputs,
)
from hebbite.runtime.engines.native.plan import (
    BYTES,
    COST,
    DRAWING,
    OUTPUT,
    PLASTIC,
    POPULATION,
    PRODUCT,
    SHAPE,
    SHORTS,
    SOURCE,
    WIRE,
    WORDS,
    Long,
    Plan,
    State,
)
from hebbite.runtime.engines.native.rule_tables import TABLES
from hebbite.runtime.engines.native.rule_views import Rule
from hebbite.runtime.engines.native.rules import (
    columns_are_alike,
    columns_are_silent,
    compile_rules,
    product_row,
    reads_at_event,
    rows_are_silent,
    trace_tables,
)
from hebbite.runtime.engines.native.weights import ANYBODY, form_of

SLACK = 4
"""Entries that a list is written beyond its end."""
Bias = tuple[OffsetPayload, ...]
STORE_BITS = {SHORTS: 16, WORDS: 32}


@dataclass(frozen=True)
class Packed:
    """A program in tables. ``code`` is held so that its machine code stays."""

    plan: Plan
    state: State
    layout: Layout
    placed: tuple[Placed, ...]
    code: tuple[Code, ...]
    of_sample: Long


def pack(
    program: Program, *, rounding: Rounding, seed: int, probed: Collection[str] = ()
) -> Packed:
    """Return the tables of a program at step 0.

    ``probed``: registers, ``population.register``, that are stored though they live within a step.
    """
    return _Packer(program, rounding, seed, probed).pack()


class _Packer:
    """Fills the tables of one program, part by part, in the order in which they refer back."""

    def __init__(
        self, program: Program, rounding: Rounding, seed: int, probed: Collection[str]
    ) -> None:
        self._program = program
        self._independent = rounding == "independent"
        self._seed = seed
        self._probed = probed
        self._layout = Layout()
        self._memory, self._flags, self._lists = Room(), Room(), Room()
        self._outputs: list[tuple[int, ...]] = []
        self._bias: list[Long] = []
        self._components = components_of(program)
        self._connections = Connections()
        self._asked = frozenset(asking(program).values())

    def pack(self) -> Packed:
        """Return everything."""
        program = self._program
        sources = self._sources()
        placed = [self._place(index) for index in range(len(program.populations))]
        code, steps = compile_units([p.unit for p in placed], program.schedule.period)
        populations, tables = self._populations(placed)
        stores, nonzero, misses = pack_stores(program, self._layout)
        lists, costs = self._connections, Costs()
        groups, due, slots = pack_groups(program, self._layout, lists, costs)
        plastic, products, rules, x, y, tags = self._plastic()
        kept, falls = trace_tables(program, independent=self._independent)
        drawn = [row for index, p in enumerate(placed) for row in drawings(index, p)]
        plan = Plan(
            head=self._head(),
            sources=sources,
            source_events=self._source_events(),
            outputs=table(self._outputs, OUTPUT),
            output_bias=np.array(self._bias, np.int64),
            populations=populations,
            code=steps,
            drawings=table(drawn, DRAWING),
            groups=groups,
            cost=table((row for each in costs.rows for row in each), COST),
            cost_of=joined(costs.of_lines, np.int32),
            wires=self._wires(),
            plastic=plastic,
            kept=_flat(kept),
            falls=_flat(falls),
            products=products,
            readout=self._readout(),
            starts=joined(lists.starts, np.int64),
            in_blocks=joined(lists.in_blocks, np.uint8),
            borders=joined(lists.borders, np.uint16),
            near_targets=joined(lists.near, np.uint16),
            far_targets=joined(lists.far, np.int32),
            ends=joined(lists.ends, np.int64),
            gaps=joined(lists.gaps, np.uint8),
            gap_starts=joined(lists.gap_starts, np.int64),
            shapes=table(lists.shapes, SHAPE),
        )
        state = State(
            clock=zeros(2, np.int64),
            memory=zeros(self._memory.size, np.int32),
            flags=zeros(max(self._flags.size, 8), np.uint8),
            lists=zeros(max(self._lists.size, 1), np.int32),
            sent=zeros(len(self._outputs), np.int64),
            full=zeros(slots, np.uint8),
            bytes=zeros(stores[BYTES], np.int8),
            shorts=zeros(stores[SHORTS] + BEHIND, np.int16),
            words=zeros(stores[WORDS] + BEHIND, np.int32),
            tags=zeros(tags, np.int16),
            nonzero=zeros(nonzero, np.int32),
            misses=zeros(misses, np.int64),
            below=zeros(len(program.plasticity), np.int64),
            due=zeros(due, np.int32),
            arrived=zeros(due, np.uint8),
            x=zeros(2 * x, np.int32),
            y=zeros(3 * y, np.int32),
            tx=zeros(x + 8, np.uint8),
            ty=zeros(y + 8, np.uint8),
            tables=zeros(tables, np.int64),
        )
        for one in placed:
            for row, values in one.contents:
                state.memory[row : row + values.size] = values
        state.misses[:] = ANYBODY
        point_tables(state, placed)
        of_sample = of_a_sample(program, [one.unit for one in placed])
        return Packed(plan, state, self._layout, tuple(placed), (code, rules), of_sample)

    def _component(self, name: str) -> int:
        return self._components.index(name)

    def _head(self) -> Long:
        program, schedule = self._program, self._program.schedule
        head = (
            schedule.period,
            schedule.inference_end,
            program.epoch,
            self._independent,
            self._seed & 0xFFFFFFFF,
            (self._seed >> 32) & 0xFFFFFFFF,
            schedule.inference_start,
            program.widths.weight,
        )
        return np.array([*head], np.int64)

    def _output(
        self, name: str, register: str, size: int, lines: int, flags: int, bias: Bias
    ) -> int:
        """Enter an output; its payloads stand in memory already. Return its number."""
        start = self._layout.memory[name, register]
        self._layout.outputs[name, register] = len(self._outputs)
        self._outputs.append((start, size, lines, flags, self._lists.take(lines + SLACK)))
        payloads = np.zeros(self._program.schedule.period + 1, np.int64)
        for offset, payload in bias:
            payloads[offset] = payload
        self._bias.append(payloads)
        return len(self._outputs) - 1

    def _sources(self) -> Long:
        rows = []
        for source in self._program.sources:
            self._layout.memory[source.name, "s"] = self._memory.take(source.lines)
            output = self._output(source.name, "s", source.size, source.lines, 0, source.bias)
            component, target = self._component(source.name), source.role == "target"
            rows.append((source.size, output, len(source.offsets), component, target))
        return table(rows, SOURCE)

    def _source_events(self) -> Long:
        sources, period = self._program.sources, self._program.schedule.period
        events = np.full((len(sources), period + 1), -1, np.int64)
        for index, source in enumerate(sources):
            for event, offset in reversed(list(enumerate(source.offsets))):
                events[index, offset] = event
        return events

    def _place(self, index: int) -> Placed:
        population = self._program.populations[index]
        probed = [
            name.rsplit(".", 1)[1]
            for name in self._probed
            if name.rsplit(".", 1)[0] == population.name
        ]
        unit = unit_of(
            self._program, population, asked=population.name in self._asked, probed=probed
        )
        placed = place(self._program, population, unit, self._memory, self._flags)
        for register in unit.neuron.registers:
            self._layout.memory[population.name, register] = placed.memory[register]
        return placed

    def _populations(self, placed: list[Placed]) -> tuple[Long, int]:
        rows, tables = [], TABLES
        for one, population in zip(placed, self._program.populations, strict=True):
            one.table = tables
            outputs = [self._sent(one, population, name) for name in OUTPUTS]
            rows.append(
                (
                    population.size,
                    one.memory["a"],
                    one.memory["third"],
                    one.flags[REACHED],
                    self._is_watched(population.name),
                    tables,
                    tables + one.unit.signature.slot(REACHED),
                    tables + one.unit.signature.slot(ACTIVE),
                    *outputs,
                    *(one.memory[trace] for trace in POST),
                    self._component(population.name),
                    one.unit.asked,
                )
            )
            tables += one.unit.signature.size
        return table(rows, POPULATION), tables

    def _is_watched(self, name: str) -> bool:
        """Whether somebody reads the inputs of a population where they are added up."""
        readout = self._program.readout
        read = readout.population == name and readout.register in INPUTS
        return read or any(f"{name}.{port}" in self._probed for port in INPUTS)

    def _sent(self, placed: Placed, population: Population, name: str) -> int:
        """Enter an output of a population, if anything follows who sends on it; else return -1."""
        if name not in used_outputs(self._program, population):
            return -1
        lines = population.lines if name == "s" else population.size
        bias = population.bias if name == "s" else ()
        flags = placed.flags[flag_of(name)]
        return self._output(population.name, name, population.size, lines, flags, bias)

    def _wires(self) -> Long:
        names = [population.name for population in self._program.populations]
        rows = (
            (self._layout.outputs[wire.source, "s"], names.index(wire.post))
            for wire in self._program.wires
        )
        return table(rows, WIRE)

    def _plastic(self) -> tuple[Long, Long, Code, int, int, int]:
        program, layout = self._program, self._layout
        groups = [group.name for group in program.synapses]
        rows: list[tuple[int, ...]] = []
        products: list[tuple[int, ...]] = []
        x, y, tags = Room(), Room(), 0
        code, found = compile_rules(tuple(map(self._rule, range(len(program.plasticity)))))
        for plasticity, kernels in zip(program.plasticity, found, strict=True):
            group = program.group(plasticity.synapses)
            size, lines = program.post_size(group), program.line_count(group)
            first, count = len(products), len(plasticity.dw.products)
            products += [product_row(p) for update in plasticity.sums for p in update.products]
            place = layout.plastic[group.name] = x.take(lines), y.take(size)
            tag = -1
            if plasticity.dt is not None:
                tag = layout.tags[group.name] = tags
                tags += program.tensors[group.weight].size
            times = plasticity.epoch > 1 and reads_at_event(plasticity, PRE)
            rows.append(
                (
                    groups.index(group.name),
                    plasticity.factors,
                    *place,
                    first,
                    first + count,
                    len(products),
                    rows_are_silent(plasticity),
                    tag,
                    *kernels,
                    columns_are_alike(plasticity),
                    columns_are_silent(plasticity),
                    times,
                    reads_at_event(plasticity, POST),
                )
            )
        return table(rows, PLASTIC), table(products, PRODUCT), code, x.size, y.size, tags

    def _rule(self, q: int) -> Rule:
        plasticity = self._program.plasticity[q]
        group = self._program.group(plasticity.synapses)
        bits = STORE_BITS[self._layout.weight[form_of(group)].store]
        bare = dataclasses.replace(plasticity, synapses="")
        target = 0
        if isinstance(group.connect, Sparse):
            target = 16 if self._program.post_size(group) <= NEAR else 32
        return Rule(bare, self._program.widths, bits, target)

    def _readout(self) -> Long:
        readout = self._program.readout
        register = "s" if readout.count else readout.register
        size = self._program.population(readout.population).size
        start = self._layout.memory[readout.population, register]
        output = self._layout.outputs[readout.population, "s"]
        row = (start, size, readout.offset, readout.count, output)
        return np.array(row, np.int64)


def _flat(rows: Long) -> Long:
    """Return (plastic, trace, ..) as (plastic * trace, ..)."""
    return np.ascontiguousarray(rows.reshape(-1, rows.shape[-1]))
