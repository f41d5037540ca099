"""A program as the integer tables of the kernels.

In: a program. Out: a `Plan`, a `State` at step 0, and a `Layout` that says where things stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.arithmetic.randomness import Rounding, stream_of
from hebbite.compiler.placement import hops
from hebbite.compiler.program.neuron import TRACES as WRITTEN
from hebbite.compiler.program.neuron import Instruction, NeuronProgram, Operand
from hebbite.compiler.program.types import Plasticity, Population, Program
from hebbite.rules.sums import Product
from hebbite.rules.traces import decay_table
from hebbite.runtime.counters import components_of
from hebbite.runtime.engines.native.outer import outer_products
from hebbite.runtime.engines.native.plan import (
    FACTOR,
    GATE_U,
    GATE_X0,
    GATE_Y0,
    GROUP,
    INSTRUCTION,
    KINDS,
    OPS,
    PLASTIC,
    POPULATION,
    PRODUCT,
    SOURCE,
    TRACE,
    TRACES,
    WIRE,
    Long,
    Plan,
    State,
)

COSTS = ("spikes_in", "axon_out", "hops_ew", "hops_ns", "interchip")
CODES = 128
"""Values of a 7-bit trace."""


@dataclass(frozen=True)
class Layout:
    """Where things stand: outputs in ``lines``, registers in ``memory``, tensors in ``weights``,
    groups in ``due``; of a plastic group the first line in ``tx`` and the first neuron in ``ty``,
    and its tags in ``tags`` if it keeps any.
    """

    line: dict[tuple[str, str], int]
    register: dict[tuple[str, str], int]
    weight: dict[str, int]
    due: dict[str, int]
    plastic: dict[str, tuple[int, int]]
    tags: dict[str, int]


class Memory:
    """Hands out rows of the kernels' memory: registers, and constants that are shared."""

    def __init__(self, widest: int) -> None:
        self._widest = widest
        self._size = 0
        self._constants: dict[bytes, tuple[int, Long]] = {}

    def reserve(self, size: int) -> int:
        """Return where a new row of ``size`` zeros starts."""
        self._size += size
        return self._size - size

    def constant(self, value: int) -> int:
        """Return where a row full of ``value`` starts."""
        return self.row(np.full(self._widest, value, np.int64))

    def row(self, values: Long) -> int:
        """Return where a row of constants starts."""
        key = values.tobytes()
        if key not in self._constants:
            self._constants[key] = (self.reserve(values.size), values)
        return self._constants[key][0]

    def array(self) -> Long:
        """Return the memory at step 0."""
        memory = np.zeros(max(self._size, 1), np.int64)
        for start, values in self._constants.values():
            memory[start : start + values.size] = values
        return memory


def table(rows: Iterable[Iterable[int]], columns: int) -> Long:
    """Return rows as an int64 table, C-contiguous also if there are none."""
    return np.array([list(row) for row in rows], np.int64).reshape(-1, columns)


def pack(program: Program, *, rounding: Rounding, seed: int) -> tuple[Plan, State, Layout]:
    """Return the tables of a program, its state at step 0, and where things stand."""
    layout = Layout(_lines(program), {}, {}, {}, {}, {})
    memory = Memory(max(population.size for population in program.populations))
    populations, instructions, tables = _populations(program, layout, memory)
    groups, cost, weights, due = _groups(program, layout)
    tags = _tags(program, layout)
    plastic, products, factors, x, y = _plastic(program, layout)
    kept, floor, threshold = _traces(program)
    head = (
        program.schedule.period,
        program.schedule.inference_end,
        program.epoch,
        program.widths.weight,
        rounding == "independent",
        seed & 0xFFFFFFFF,
        (seed >> 32) & 0xFFFFFFFF,
        program.schedule.inference_start,
    )
    plan = Plan(
        head=np.array(head, np.int64),
        sources=_sources(program, layout),
        source_events=_source_events(program),
        source_bias=_bias(program, [source.bias for source in program.sources]),
        populations=populations,
        population_bias=_bias(program, [p.bias for p in program.populations]),
        instructions=instructions,
        tables=tables,
        groups=groups,
        cost=cost,
        wires=_wires(program, layout),
        plastic=plastic,
        kept=kept,
        floor=floor,
        threshold=threshold,
        products=products,
        factors=factors,
        readout=_readout(program, layout),
    )
    state = State(
        clock=np.zeros(2, np.int64),
        memory=memory.array(),
        lines=np.zeros(sum(_line_sizes(program).values()), np.int64),
        weights=np.zeros(weights, np.int32),
        tags=np.zeros(tags, np.int32),
        below=np.zeros(len(program.plasticity), np.int64),
        due=np.zeros(due, np.int64),
        arrived=np.zeros(due, np.int64),
        x=np.zeros(2 * x, np.int64),
        y=np.zeros(3 * y, np.int64),
        tx=np.zeros(x, np.int64),
        ty=np.zeros(y, np.int64),
    )
    return plan, state, layout


def _line_sizes(program: Program) -> dict[tuple[str, str], int]:
    sizes = {(source.name, "s"): source.lines for source in program.sources}
    for population in program.populations:
        sizes |= {(population.name, "s"): population.lines, (population.name, "e"): population.size}
    return sizes


def _lines(program: Program) -> dict[tuple[str, str], int]:
    sizes = _line_sizes(program)
    starts = np.cumsum([0, *sizes.values()])
    return {key: int(start) for key, start in zip(sizes, starts, strict=False)}


def _component(program: Program, name: str) -> int:
    return components_of(program).index(name)


def _sources(program: Program, layout: Layout) -> Long:
    rows = (
        (
            source.size,
            source.lines,
            layout.line[source.name, "s"],
            len(source.offsets),
            _component(program, source.name),
            source.role == "target",
        )
        for source in program.sources
    )
    return table(rows, SOURCE)


def _source_events(program: Program) -> Long:
    events = np.full((len(program.sources), program.schedule.period + 1), -1, np.int64)
    for index, source in enumerate(program.sources):
        for event, offset in reversed(list(enumerate(source.offsets))):
            events[index, offset] = event
    return events


def _bias(program: Program, biases: list[tuple[tuple[int, int], ...]]) -> Long:
    payloads = np.zeros((len(biases), program.schedule.period + 1), np.int64)
    for index, pairs in enumerate(biases):
        for offset, payload in pairs:
            payloads[index, offset] = payload
    return payloads


def _populations(program: Program, layout: Layout, memory: Memory) -> tuple[Long, Long, Long]:
    rows: list[tuple[int, ...]] = []
    instructions: list[tuple[int, ...]] = []
    tables: list[Long] = [np.zeros(1, np.int64)]
    for index, population in enumerate(program.populations):
        name = population.name
        bound = population.neuron.bind(dict(population.constants), period=program.schedule.period)
        for register in bound.registers:
            layout.register[name, register] = memory.reserve(population.size)
        values = {key: program.tensors[t].astype(np.int64) for key, t in population.tables}
        first = len(instructions)
        instructions += _instructions(index, population, bound, values, layout, memory, tables)
        drive = memory.row(values["bias"]) if "bias" in values else -1
        rows.append(
            (
                population.size,
                layout.register[name, "a"],
                first,
                len(instructions),
                layout.line[name, "s"],
                layout.line[name, "e"],
                population.lines,
                layout.register[name, "v"],
                drive,
                _component(program, name),
            )
        )
    return table(rows, POPULATION), table(instructions, INSTRUCTION), np.concatenate(tables)


def _instructions(
    index: int,
    population: Population,
    bound: NeuronProgram,
    values: dict[str, Long],
    layout: Layout,
    memory: Memory,
    tables: list[Long],
) -> list[tuple[int, ...]]:
    def read(operand: Operand) -> int:
        if isinstance(operand, int):
            return memory.constant(operand)
        return layout.register[population.name, operand]

    rows = []
    for number, instruction in enumerate(bound.instructions):
        operands = _operands(index, number, instruction, values, read, memory, tables)
        op = "mov" if instruction.op == "each" else instruction.op
        guard = (int(instruction.first), int(instruction.last))
        result = layout.register[population.name, instruction.result]
        rows.append((OPS.index(op), *guard, result, *operands, *(0,) * (3 - len(operands))))
    return rows


def _operands(
    index: int,
    number: int,
    instruction: Instruction,
    values: dict[str, Long],
    read: Callable[[Operand], int],
    memory: Memory,
    tables: list[Long],
) -> tuple[int, ...]:
    arguments = instruction.arguments
    if instruction.op == "each":
        return (memory.row(values[str(arguments[0])]),)
    if instruction.op == "table":
        entries = values[str(arguments[0])]
        start = sum(part.size for part in tables)
        tables.append(entries)
        return start, read(arguments[1]), entries.size
    if instruction.op == "random":
        return stream_of("neuron", index << 8 | number), int(arguments[0])
    return tuple(read(operand) for operand in arguments)


def _groups(program: Program, layout: Layout) -> tuple[Long, Long, int, int]:
    names = [population.name for population in program.populations]
    groups = [group.name for group in program.synapses]
    rows: list[tuple[int, ...]] = []
    costs: list[Long] = [np.zeros((0, len(COSTS)), np.int64)]
    weights, due, cost_rows = 0, 0, 0
    for group in program.synapses:
        size, lines = program.tensors[group.weight].shape
        if group.weight not in layout.weight:
            layout.weight[group.weight] = weights
            weights += size * lines
        layout.due[group.name] = due
        cost = hops(program, group)
        zero = np.zeros(lines, np.int64)
        costs.append(np.column_stack([cost.get(name, zero) for name in COSTS]))
        rows.append(
            (
                layout.line[group.pre, group.output],
                lines,
                names.index(group.post),
                size,
                layout.weight[group.weight],
                group.port == "third",
                group.exponent,
                group.delay,
                group.graded,
                group.role == "feedback",
                due,
                _component(program, group.name),
                groups.index(group.mirror) if group.mirror else -1,
                group.magnitude,
                cost_rows,
            )
        )
        due += group.delay * size
        cost_rows += lines
    cost_table = np.ascontiguousarray(np.concatenate(costs), np.int64)
    return table(rows, GROUP), cost_table, weights, due


def _wires(program: Program, layout: Layout) -> Long:
    names = [population.name for population in program.populations]
    rows = ((layout.line[wire.source, "s"], names.index(wire.post)) for wire in program.wires)
    return table(rows, WIRE)


def _tags(program: Program, layout: Layout) -> int:
    """Note where the tags of every group that keeps any start; return how many there are."""
    count = 0
    for plasticity in program.plasticity:
        if plasticity.dt is not None:
            layout.tags[plasticity.synapses] = count
            count += program.tensors[program.group(plasticity.synapses).weight].size
    return count


def _plastic(program: Program, layout: Layout) -> tuple[Long, Long, Long, int, int]:
    groups = [group.name for group in program.synapses]
    rows: list[tuple[int, ...]] = []
    products: list[tuple[int, ...]] = []
    factors: list[tuple[int, ...]] = []
    x, y = 0, 0
    for plasticity in program.plasticity:
        group = program.group(plasticity.synapses)
        size, lines = program.tensors[group.weight].shape
        first = len(products)
        evaluated = [product for update in plasticity.sums for product in update.products]
        for product in evaluated:
            products.append(_product(product, len(factors)))
            factors += [
                (KINDS.index(f.variable), f.constant, f.sign, f.width) for f in product.factors
            ]
        index, tag = groups.index(group.name), layout.tags.get(group.name, -1)
        span = (first, first + len(plasticity.dw.products), len(products))
        sparse = all(map(_leaves_silent_neurons, evaluated))
        outer = outer_products(plasticity.dw.products) if tag < 0 else 0
        rows.append((index, plasticity.factors, x, y, *span, sparse, tag, outer))
        layout.plastic[group.name] = (x, y)
        x, y = x + lines, y + size
    return table(rows, PLASTIC), table(products, PRODUCT), table(factors, FACTOR), x, y


def _product(product: Product, first: int) -> tuple[int, ...]:
    events = {product.dependency, *(f.variable for f in product.factors if f.is_event)}
    gate = {"x0": GATE_X0, "y0": GATE_Y0}.get(product.dependency)
    if gate is None:
        gate = GATE_U + int(product.dependency[1:])
    last = first + len(product.factors)
    scale = (product.mantissa, product.exponent, product.shift)
    return (*scale, gate, first, last, "x0" in events, "y0" in events)


def _leaves_silent_neurons(product: Product) -> bool:
    """Whether a product is 0 where the traces y1..y3 at the line's last event are 0, or where it is
    not, has every synapse visited while it holds.
    """
    if product.dependency[0] == "u":
        return not any(factor.is_event for factor in product.factors)
    return product.dependency == "x0" and any(
        factor.variable in WRITTEN and not factor.constant for factor in product.factors
    )


def _traces(program: Program) -> tuple[Long, Long, Long]:
    count = len(program.plasticity)
    kept = np.zeros((count, len(TRACES), TRACE), np.int64)
    floor, threshold = (np.zeros((count, len(TRACES), CODES), np.int64) for _ in range(2))
    for q, plasticity in enumerate(program.plasticity):
        for t, name in enumerate(TRACES):
            _fill_trace(plasticity, name, kept[q, t], floor[q, t], threshold[q, t])
    return kept, floor, threshold


def _fill_trace(
    plasticity: Plasticity, name: str, kept: Long, floor: Long, threshold: Long
) -> None:
    """Fill the row of one trace. It ``holds`` if it stays where it is unless a draw is high."""
    trace = plasticity.trace(name)
    if trace is None:
        return
    floor[:], threshold[:] = decay_table(trace.tau)
    one_less = bool((floor[1:] == np.arange(CODES - 1)).all())
    holds = one_less and bool((threshold[1:] >= threshold[-1]).all())
    kept[:] = (1, trace.mode == "overwrite", trace.impulse, holds)


def _readout(program: Program, layout: Layout) -> Long:
    readout = program.readout
    register = "s" if readout.count else readout.register
    size = program.population(readout.population).size
    start = layout.register[readout.population, register]
    component = _component(program, readout.population)
    return np.array([start, size, readout.offset, readout.count, component], np.int64)
