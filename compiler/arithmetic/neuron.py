"""Execution of a neuron program in NumPy: registers in, registers out. The definition.

Every value is int32; intermediate products are exact in int64. A result that does not fit int32 is
an error of the compiler's range proof, never wrapped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.program.neuron import OUTPUTS, NeuronProgram, Operand

Long = NDArray[np.int64]
Registers = dict[str, Long]
Random = Callable[[int, int], Long]
"""(index of the instruction, bits) -> one random integer a neuron."""


def _toward_zero(x: Long, y: Long) -> Long:
    return np.asarray(np.sign(x) * (np.abs(x) >> y), np.int64)


def _wrap24(x: Long) -> Long:
    high, turn = np.int64(2**23), np.int64(2**24)
    return np.where(x > high, x - turn, np.where(x <= -high, x + turn, x))


_ONE: dict[str, Callable[[Long], Long]] = {
    "mov": lambda x: x,
    "neg": lambda x: -x,
    "abs": np.abs,
    "wrap24": _wrap24,
}
_TWO: dict[str, Callable[[Long, Long], Long]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "shl": np.left_shift,
    "shr": np.right_shift,
    "shrz": _toward_zero,
    "decay": lambda x, y: _toward_zero(x * y, np.asarray(12, np.int64)),
    "eq": lambda x, y: (x == y).astype(np.int64),
    "ne": lambda x, y: (x != y).astype(np.int64),
    "lt": lambda x, y: (x < y).astype(np.int64),
    "ge": lambda x, y: (x >= y).astype(np.int64),
    "gt": lambda x, y: (x > y).astype(np.int64),
    "and": np.bitwise_and,
}


def new_registers(program: NeuronProgram, size: int) -> Registers:
    """Return zeroed registers of ``size`` neurons."""
    return {name: np.zeros(size, np.int64) for name in program.registers}


def execute(
    program: NeuronProgram,
    registers: Registers,
    *,
    offset: int,
    tables: Mapping[str, NDArray[np.integer]],
    random: Random,
) -> None:
    """Execute one step of a bound program at clock ``offset``; ``registers`` change in place.

    ``a`` and ``third`` hold the input of this step. Shapes: (neurons,) each, int64 within int32.
    """
    for name in OUTPUTS:
        registers[name] = np.zeros_like(registers[name])
    for index, instruction in enumerate(program.instructions):
        assert isinstance(instruction.first, int), "the program is bound"
        assert isinstance(instruction.last, int), "the program is bound"
        if not instruction.first <= offset <= instruction.last:
            continue
        value = _result(instruction.op, instruction.arguments, index, registers, tables, random)
        assert np.all((value >= -(2**31)) & (value < 2**31)), (
            f"{program.name}: {instruction} leaves int32"
        )
        registers[instruction.result] = value


def _result(
    op: str,
    arguments: tuple[Operand, ...],
    index: int,
    registers: Registers,
    tables: Mapping[str, NDArray[np.integer]],
    random: Random,
) -> Long:
    size = registers["a"].size

    def read(operand: Operand) -> Long:
        if isinstance(operand, int):
            return np.full(size, operand, np.int64)
        return registers[operand]

    if op == "reset":
        return np.zeros(size, np.int64)
    if op == "table":
        table = tables[str(arguments[0])].astype(np.int64)
        return np.asarray(table[np.clip(read(arguments[1]), 0, table.size - 1)], np.int64)
    if op == "each":
        return tables[str(arguments[0])].astype(np.int64)
    if op == "random":
        return random(index, int(arguments[0]))
    if op == "select":
        return np.where(read(arguments[0]) != 0, read(arguments[1]), read(arguments[2]))
    if op in _ONE:
        return _ONE[op](read(arguments[0]))
    return _TWO[op](read(arguments[0]), read(arguments[1]))
