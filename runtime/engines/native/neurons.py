"""Populations as tables: where registers stand, and the printed code of every offset.

In: the populations of a program. Out: where every register stands in the kernels' memory, the table
of each population's kernels, and the addresses of their code. Offsets at which a population
executes the same instructions share a kernel, as do populations with the same code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from llvmlite import ir

from hebbite.compiler.arithmetic.randomness import stream_of
from hebbite.compiler.program.neuron import OUTPUTS
from hebbite.compiler.program.types import Population, Program
from hebbite.runtime.engines.native.aligned import padded
from hebbite.runtime.engines.native.llvm import Code, compile_text
from hebbite.runtime.engines.native.neuron_code import (
    KERNELS,
    REACHED,
    Unit,
    active_at,
    flag_of,
    print_step,
)
from hebbite.runtime.engines.native.plan import Long, State


class Room:
    """Hands out rows of one array, aligned."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, size: int) -> int:
        """Return where a new row of ``size`` elements starts."""
        start = self.size
        self.size += padded(size)
        return start


@dataclass
class Placed:
    """Where one population stands: registers, tables and random rows in memory, flags, its table.

    ``contents``: (row in memory, values) of its tables.
    """

    unit: Unit
    memory: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    contents: list[tuple[int, Long]] = field(default_factory=list)
    table: int = 0


def unit_of(
    program: Program, population: Population, *, asked: bool, probed: Collection[str] = ()
) -> Unit:
    """Return what is printed for a population; ``probed`` registers are stored as well.

    ``asked``: see `Unit`.
    """
    neuron = population.neuron.bind(dict(population.constants), period=program.schedule.period)
    tables = {name: program.tensors[tensor].size for name, tensor in population.tables}
    uniform = {
        name: int(values.flat[0])
        for name, values in ((name, program.tensors[tensor]) for name, tensor in population.tables)
        if values.size and (values == values.flat[0]).all()
    }
    followed = used_outputs(program, population)
    return Unit(neuron, tables, uniform, {*followed, *neuron.kept, *probed}, followed, asked)


def used_outputs(program: Program, population: Population) -> tuple[str, ...]:
    """Return the outputs of a population that anything follows: s always, for an answer."""
    read = {group.output for group in program.synapses if group.pre == population.name}
    learns = any(program.group(p.synapses).post == population.name for p in program.plasticity)
    return tuple(x for x in OUTPUTS if x == "s" or x in read or (x == "bap" and learns))


def place(
    program: Program, population: Population, unit: Unit, memory: Room, flags: Room
) -> Placed:
    """Give a population its rows."""
    placed = Placed(unit)
    for register in unit.neuron.registers:
        lines = population.lines if register == "s" else population.size
        placed.memory[register] = memory.take(lines)
    for name, tensor in population.tables:
        values = program.tensors[tensor].astype(np.int64)
        placed.memory[f"table {name}"] = row = memory.take(values.size)
        placed.contents.append((row, values))
    for index in unit.random:
        placed.memory[f"random {index}"] = memory.take(-(-population.size // 4) * 4)
    for name in (*map(flag_of, OUTPUTS), REACHED):
        placed.flags[name] = flags.take(population.size)
    return placed


def point_tables(state: State, placed: Iterable[Placed]) -> None:
    """Fill the tables of the populations' kernels with where a state's arrays stand."""
    memory, flags = state.memory.ctypes.data, state.flags.ctypes.data
    for one in placed:
        for slot, array in enumerate(one.unit.signature.arrays):
            flag = array.name in one.flags
            row = flags + one.flags[array.name] if flag else memory + 4 * one.memory[array.name]
            state.tables[one.table + slot] = row


def drawings(index: int, placed: Placed) -> list[tuple[int, ...]]:
    """Return (population, first offset, last, stream, bits, row) of every ``random``."""
    rows: list[tuple[int, ...]] = []
    for number in placed.unit.random:
        instruction = placed.unit.neuron.instructions[number]
        stream = stream_of("neuron", index << 8 | number)
        guard = (int(instruction.first), int(instruction.last))
        row = placed.memory[f"random {number}"]
        rows.append((index, *guard, stream, int(instruction.arguments[0]), row))
    return rows


def compile_units(units: list[Unit], period: int) -> tuple[Code, Long]:
    """Return the code of all populations, and the address of each one's kernel at each offset; the
    second half of the rows is for steps in which every neuron is known to be active.
    """
    module = ir.Module("neurons")
    names: dict[tuple[object, ...], str] = {}
    chosen: list[list[str]] = []
    for unit in units:
        row = []
        for offset in range(1, period + 1):
            active = active_at(unit.neuron, offset)
            tables = (*unit.tables.items(), *unit.uniform.items())
            seen = (frozenset(unit.stored), unit.followed, unit.asked)
            key = (str(unit.neuron), tables, *seen, active)
            if key not in names:
                names[key] = f"step{len(names)}"
                print_step(module, names[key], unit, active)
            row.append(names[key])
        chosen.append(row)
    code = compile_text(str(module))
    steps = np.zeros((len(KERNELS) * len(units), period + 1), np.int64)
    rows = [[f"{name}{kernel}" for name in row] for kernel in KERNELS for row in chosen]
    for p, row in enumerate(rows):
        steps[p, 1:] = [code.address(name) for name in row]
    return code, steps
