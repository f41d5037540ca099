"""A neuron program as a loop over its neurons, printed for the instructions of one offset.

Registers are 32 bits wide: the program's verifier has proven that nothing leaves them. What lives
within a step alone never reaches memory; what is kept is loaded once and stored once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from llvmlite import ir

from hebbite.compiler.program.neuron import OUTPUTS, Instruction, NeuronProgram, Operand
from hebbite.runtime.engines.native.llvm import (
    I1,
    I32,
    I64,
    Array,
    Lane,
    Signature,
    Value,
    print_kernels,
)

REACHED, ACTIVE, UNHEARD, RESTING = "reached", "active", "unheard", "resting"
KERNELS = ("", ".everyone")
"""What a population's two kernels are called behind a name: the second is for steps in which a
message reached every neuron."""


@dataclass(frozen=True)
class Unit:
    """A bound neuron program with what printing must know of its population.

    ``tables``: name of a table -> how many entries it has; ``uniform``: the value of one whose
    entries are all the same; ``stored``: registers that outlive a step, or are looked at;
    ``followed``: outputs of which is listed who sends; ``asked``: whether it is asked how many of
    its neurons rest after a step: without a message they are not active in the next one.
    """

    neuron: NeuronProgram
    tables: Mapping[str, int]
    uniform: Mapping[str, int]
    stored: Collection[str]
    followed: Collection[str]
    asked: bool = False

    @property
    def signature(self) -> Signature:
        """The table of its kernels."""
        registers = [Array(name) for name in self.neuron.registers]
        tables = [Array(f"table {name}") for name in self.tables]
        random = [Array(f"random {index}") for index in self.random]
        flags = [Array(name, 8, signed=False) for name in (*map(flag_of, OUTPUTS), REACHED)]
        return Signature((*registers, *tables, *random, *flags), totals=(ACTIVE, UNHEARD, RESTING))

    @property
    def random(self) -> tuple[int, ...]:
        """Indices of the instructions that draw random numbers."""
        instructions = enumerate(self.neuron.instructions)
        return tuple(index for index, instruction in instructions if instruction.op == "random")

    @property
    def written(self) -> frozenset[str]:
        """Registers that any offset writes."""
        return frozenset(i.result for i in self.neuron.instructions if i.first != 0)


def flag_of(output: str) -> str:
    """Return the name of the array that says which neurons send on an output."""
    return f"flag {output}"


def active_at(neuron: NeuronProgram, offset: int) -> tuple[int, ...]:
    """Return the indices of the instructions that a bound program executes at an offset."""
    return tuple(
        index
        for index, instruction in enumerate(neuron.instructions)
        if int(instruction.first) <= offset <= int(instruction.last)
    )


def print_step(module: ir.Module, name: str, unit: Unit, active: tuple[int, ...]) -> None:
    """Print the two kernels of one step; their totals: neurons that were active, which the second
    leaves out, spikes e that nobody follows, and neurons that rest.
    """
    names = [f"{name}{kernel}" for kernel in KERNELS]
    print_kernels(module, names, unit.signature, lambda lane: _Step(lane, unit, active).print())


class _Step:
    """One neuron's step."""

    def __init__(self, lane: Lane, unit: Unit, active: tuple[int, ...]) -> None:
        self._lane = lane
        self._unit = unit
        self._active = active
        self._values: dict[str, Value] = {name: lane.constant(0) for name in OUTPUTS}

    def _busy(self) -> Value:
        """Return whether the neuron is active, false where nobody asks; printed before its step."""
        lane = self._lane
        busy = lane.builder.or_(self._driven(), lane.load(REACHED))
        asked = lane.compare("==", lane.which, lane.constant(0))
        return lane.builder.and_(asked, lane.compare("!=", busy, lane.constant(0)))

    def _rests(self) -> Value:
        """Return whether the neuron rests, false where nobody asks; printed after its step."""
        if not self._unit.asked:
            return ir.Constant(I1, 0)
        return self._lane.compare("==", self._driven(), self._lane.constant(0))

    def _driven(self) -> Value:
        """Return what is not 0 where the neuron is active without a message."""
        if "bias" not in self._unit.tables:
            return self._read("v")
        return self._lane.builder.or_(self._read("v"), self._own("bias"))

    def print(self) -> tuple[Value, Value, Value]:
        """Print loads, instructions and stores; return whether the neuron was active, whether it
        sent an e that nobody follows, and whether it rests.
        """
        lane, neuron = self._lane, self._unit.neuron
        busy = self._busy()
        changed = {*OUTPUTS} & self._unit.written
        for index in self._active:
            instruction = neuron.instructions[index]
            self._values[instruction.result] = self._result(index, instruction)
            changed.add(instruction.result)
        for name in neuron.registers:
            if name in changed and name in self._unit.stored:
                lane.store(name, self._values[name])
            if name in changed and name in OUTPUTS and name in self._unit.stored:
                lane.store(flag_of(name), lane.flag(self._sends(name)))
        unheard = ir.Constant(I1, 0) if "e" in self._unit.followed else self._sends("e")
        return busy, unheard, self._rests()

    def _sends(self, output: str) -> Value:
        """Return whether the neuron sends on an output."""
        return self._lane.compare("!=", self._values[output], self._lane.constant(0))

    def _own(self, table: str) -> Value:
        """Return the entry of a table that belongs to the neuron."""
        if table in self._unit.uniform:
            return self._lane.constant(self._unit.uniform[table])
        return self._lane.load(f"table {table}")

    def _read(self, operand: Operand) -> Value:
        if isinstance(operand, int):
            return self._lane.constant(operand)
        if operand not in self._values:
            self._values[operand] = self._lane.load(operand)
        return self._values[operand]

    def _result(self, index: int, instruction: Instruction) -> Value:
        op, arguments, lane = instruction.op, instruction.arguments, self._lane
        if op == "reset":
            return lane.constant(0)
        if op == "random":
            return lane.load(f"random {index}")
        if op == "each":
            return self._own(str(arguments[0]))
        if op == "table":
            name = str(arguments[0])
            entry = lane.clip(self._read(arguments[1]), 0, self._unit.tables[name] - 1)
            return lane.load(f"table {name}", entry)
        return _PRINTED[op](lane, *(self._read(operand) for operand in arguments))


def _negative(lane: Lane, x: Value) -> Value:
    return lane.builder.sub(lane.constant(0), x)


def _size(lane: Lane, x: Value) -> Value:
    return lane.larger(x, _negative(lane, x))


def _signed(lane: Lane, x: Value, size: Value) -> Value:
    """Return ``size`` with the sign of x."""
    below = lane.compare("<", x, lane.constant(0))
    return lane.builder.select(below, _negative(lane, size), size)


def _wrap24(lane: Lane, x: Value) -> Value:
    high, turn = lane.constant(2**23), lane.constant(2**24)
    down = lane.builder.select(lane.compare(">", x, high), lane.builder.sub(x, turn), x)
    low = lane.compare("<=", x, lane.constant(-(2**23)))
    return lane.builder.select(low, lane.builder.add(x, turn), down)


def _distance(lane: Lane, y: Value) -> Value:
    """Return a shift that a 32-bit word has; what a longer one leaves is the same."""
    if isinstance(y, ir.Constant):
        return lane.constant(min(int(y.constant), 31))
    return lane.smaller(y, lane.constant(31))


def _toward_zero(lane: Lane, x: Value, y: Value) -> Value:
    """Print x / 2^y toward zero; of |x| = 2^31, the one of 32 bits, a shift by 31 leaves 1."""
    size = lane.builder.lshr(_size(lane, x), _distance(lane, y))
    if isinstance(y, ir.Constant):
        return _signed(lane, x, size) if int(y.constant) < 32 else lane.constant(0)
    beyond = lane.flag(lane.compare(">", y, lane.constant(31)))
    return _signed(lane, x, lane.builder.lshr(size, beyond))


def _decay(lane: Lane, x: Value, y: Value) -> Value:
    """Print x y / 2^12 toward zero: |x| in two pieces where y lies in 0..2^12, else in 64 bits.

    |x| = 2^12 h + l gives floor(|x| y / 2^12) = h y + floor(l y / 2^12).
    """
    builder = lane.builder
    if isinstance(y, ir.Constant) and 0 <= int(y.constant) <= 4096:
        size, twelve = _size(lane, x), lane.constant(12)
        high = builder.mul(builder.lshr(size, twelve), y)
        low = builder.mul(builder.and_(size, lane.constant(4095)), y)
        return _signed(lane, x, builder.add(high, builder.lshr(low, twelve)))
    product = builder.mul(builder.sext(x, I64), builder.sext(y, I64))
    below = builder.icmp_signed("<", product, ir.Constant(I64, 0))
    up = builder.select(below, ir.Constant(I64, 4095), ir.Constant(I64, 0))
    return builder.trunc(builder.ashr(builder.add(product, up), ir.Constant(I64, 12)), I32)


def _comparison(relation: str) -> Callable[..., Value]:
    return lambda lane, x, y: lane.flag(lane.compare(relation, x, y))


_PRINTED: dict[str, Callable[..., Value]] = {
    "mov": lambda lane, x: x,
    "neg": _negative,
    "abs": _size,
    "wrap24": _wrap24,
    "add": lambda lane, x, y: lane.builder.add(x, y),
    "sub": lambda lane, x, y: lane.builder.sub(x, y),
    "mul": lambda lane, x, y: lane.builder.mul(x, y),
    "min": Lane.smaller,
    "max": Lane.larger,
    "shl": lambda lane, x, y: lane.builder.shl(x, _distance(lane, y)),
    "shr": lambda lane, x, y: lane.builder.ashr(x, _distance(lane, y)),
    "shrz": _toward_zero,
    "decay": _decay,
    "eq": _comparison("=="),
    "ne": _comparison("!="),
    "lt": _comparison("<"),
    "ge": _comparison(">="),
    "gt": _comparison(">"),
    "and": lambda lane, x, y: lane.builder.and_(x, y),
    "select": lambda lane, x, y, z: lane.builder.select(
        lane.compare("!=", x, lane.constant(0)), y, z
    ),
}
