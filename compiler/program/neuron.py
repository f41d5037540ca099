"""Neuron programs: straight-line integer instructions on registers, guarded by a sample clock.

A neuron program is what a Loihi-2-class chip calls microcode. Text in, text out:

    neuron relu(shift, fire) {
      state v
      at 1
        v = reset
      at 2..fire
        v = add v, a
      at fire
        s = shr v, shift
    }

Registers are int32, one value a neuron. ``a`` and ``third`` are what arrived in this step and can
only be read. ``s`` and ``e`` (payloads sent) and ``bap`` (a learning event for the synapses that
end here) are 0 at the start of every step. ``y1 y2 y3`` are sent to those synapses in every step
and keep their value, as do the registers declared by ``state``; any other name lives within one
step, and is read only where an earlier line wrote it in that step.

The clock runs 1..period, in step with the samples. A guard is ``at k``, ``at j..k`` or ``always``;
a bound of 0 means never. Parameters stand for constants, ``tables`` for constant arrays; ``period``
is always known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hebbite.rules.errors import Problem, UsageError, VerifyError, near

INPUTS = ("a", "third")
OUTPUTS = ("s", "e", "bap")
TRACES = ("y1", "y2", "y3")
OPS: dict[str, tuple[int, str]] = {
    "reset": (0, "0; counted as a reset"),
    "mov": (1, "x"),
    "neg": (1, "-x"),
    "abs": (1, "|x|"),
    "wrap24": (1, "x brought back once by 2^24 if x > 2^23 or x <= -2^23"),
    "add": (2, "x + y"),
    "sub": (2, "x - y"),
    "mul": (2, "x * y"),
    "min": (2, "smaller of x, y"),
    "max": (2, "larger of x, y"),
    "shl": (2, "x * 2^y"),
    "shr": (2, "floor(x / 2^y)"),
    "shrz": (2, "x / 2^y, rounded toward zero"),
    "decay": (2, "x * y / 2^12, rounded toward zero; the product is exact"),
    "eq": (2, "1 if x = y else 0"),
    "ne": (2, "1 if x != y else 0"),
    "lt": (2, "1 if x < y else 0"),
    "ge": (2, "1 if x >= y else 0"),
    "gt": (2, "1 if x > y else 0"),
    "and": (2, "bitwise and"),
    "select": (3, "y if x != 0 else z"),
    "table": (2, "entry y of table x; y is brought into the table's range"),
    "each": (1, "entry of table x that belongs to this neuron"),
    "random": (1, "x random bits, the same for a seed, population, step and neuron"),
}

Operand = str | int


@dataclass(frozen=True)
class Instruction:
    """``result = op arguments``, executed while first <= clock <= last."""

    first: Operand
    last: Operand
    op: str
    result: str
    arguments: tuple[Operand, ...]

    def __str__(self) -> str:
        """Return the assignment as text, without its guard."""
        return f"{self.result} = {self.op} {', '.join(map(str, self.arguments))}".rstrip()

    @property
    def registers_read(self) -> tuple[str, ...]:
        """Names that it reads, tables apart."""
        read = self.arguments[1:] if self.op in ("table", "each") else self.arguments
        return tuple(name for name in read if isinstance(name, str))

    @property
    def guard(self) -> str:
        """The guard as text."""
        if (self.first, self.last) == (1, "period"):
            return "always"
        return f"at {self.first}" if self.first == self.last else f"at {self.first}..{self.last}"


@dataclass(frozen=True)
class NeuronProgram:
    """A named list of instructions with parameters, tables and states."""

    name: str
    parameters: tuple[str, ...]
    tables: tuple[str, ...]
    states: tuple[str, ...]
    instructions: tuple[Instruction, ...]

    def __str__(self) -> str:
        """Return the text; `parse_neuron` reads it back."""
        lines = [f"neuron {self.name}({', '.join(self.parameters)}) {{"]
        if self.tables:
            lines.append(f"  table {', '.join(self.tables)}")
        if self.states:
            lines.append(f"  state {', '.join(self.states)}")
        guard = ""
        for instruction in self.instructions:
            if instruction.guard != guard:
                guard = instruction.guard
                lines.append(f"  {guard}")
            lines.append(f"    {instruction}")
        return "\n".join([*lines, "}"])

    def chosen(self, constants: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
        """Return those of ``constants`` that the program asks for, in its order."""
        return tuple((name, constants[name]) for name in self.parameters)

    def bind(self, constants: Mapping[str, int], *, period: int) -> NeuronProgram:
        """Return the same program with every parameter replaced by its value."""
        known = {**constants, "period": period}

        def value(operand: Operand) -> Operand:
            return known.get(operand, operand) if isinstance(operand, str) else operand

        def guard(instruction: Instruction) -> tuple[Operand, Operand]:
            first, last = value(instruction.first), value(instruction.last)
            return (0, 0) if 0 in (first, last) else (first, last)

        bound = tuple(
            Instruction(*guard(i), i.op, i.result, tuple(value(x) for x in i.arguments))
            for i in self.instructions
        )
        return NeuronProgram(self.name, (), self.tables, self.states, bound)

    @property
    def kept(self) -> tuple[str, ...]:
        """Registers that outlive a step."""
        return (*TRACES, *self.states)

    @property
    def registers(self) -> tuple[str, ...]:
        """Every register, in the order in which engines lay them out."""
        fixed = (*INPUTS, *OUTPUTS, *TRACES, *self.states)
        results = dict.fromkeys(i.result for i in self.instructions)
        return (*fixed, *(name for name in results if name not in fixed))


_HEAD = re.compile(r"neuron\s+(\w+)\s*\(([^)]*)\)\s*\{$")
_GUARD = re.compile(r"at\s+(\w+)(?:\s*\.\.\s*(\w+))?$")
_LINE = re.compile(r"(\w+)\s*=\s*(\w+)\s*(.*)$")


def parse_neuron(text: str) -> NeuronProgram:
    """Parse the text of one neuron program.

    Raises:
        UsageError: HB0420, with the line that cannot be read.
        VerifyError: HB0421, if a line reads what cannot be read or writes what cannot be written.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    head = _HEAD.match(lines[0]) if lines else None
    if head is None or lines[-1] != "}":
        raise _unreadable(lines[0] if lines else "", "neuron NAME(PARAMETERS) { ... }")
    tables: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    instructions: list[Instruction] = []
    first: Operand = 1
    last: Operand = "period"
    for line in lines[1:-1]:
        if line.startswith("table "):
            tables = _names(line[6:])
        elif line.startswith("state "):
            states = _names(line[6:])
        elif line == "always":
            first, last = 1, "period"
        elif guard := _GUARD.match(line):
            first = _operand(guard[1])
            last = _operand(guard[2]) if guard[2] else first
        elif found := _LINE.match(line):
            arguments = tuple(_operand(x) for x in _names(found[3]))
            instructions.append(Instruction(first, last, found[2], found[1], arguments))
        else:
            raise _unreadable(line, "RESULT = OP ARGUMENTS, or a guard 'at j..k'")
    program = NeuronProgram(head[1], _names(head[2]), tables, states, tuple(instructions))
    problems = check_neuron(program)
    if problems:
        raise VerifyError(*problems)
    return program


def check_neuron(program: NeuronProgram) -> tuple[Problem, ...]:
    """Return everything that is wrong with a neuron program (code HB0421)."""
    found: list[Problem] = []
    readable = {*program.registers, *program.parameters, "period"}
    for i in program.instructions:
        where = f"neuron {program.name}: {i}"
        if i.op not in OPS:
            found.append(Problem("HB0421", f"unknown op '{i.op}'", where, hint=near(i.op, OPS)))
            continue
        if len(i.arguments) != OPS[i.op][0]:
            text = f"'{i.op}' takes {OPS[i.op][0]} arguments, not {len(i.arguments)}"
            found.append(Problem("HB0421", text, where))
        if i.result in INPUTS or i.result in program.parameters or i.result == "period":
            found.append(Problem("HB0421", f"'{i.result}' can only be read", where))
        names = [x for x in (*i.arguments, i.first, i.last) if isinstance(x, str)]
        if i.op in ("table", "each"):
            names = [x for x in names if x not in program.tables]
        found += [
            Problem("HB0421", f"'{x}' is never written", where, hint=near(x, readable))
            for x in names
            if x not in readable
        ]
    return tuple(found)


def check_steps(program: NeuronProgram, *, period: int) -> tuple[Problem, ...]:
    """Return the reads of a bound program's temporaries before they are written in the same step.

    One problem (HB0468) a register, at the first offset of a period in which it happens.
    """
    code = [i for i in program.instructions if {type(i.first), type(i.last)} == {int}]
    spans = [(int(i.first), int(i.last)) for i in code]
    changes = {1, *(first for first, _ in spans), *(last + 1 for _, last in spans)}
    kept = {*INPUTS, *OUTPUTS, *program.kept}
    temporary = {i.result for i in program.instructions} - kept
    found: dict[str, Problem] = {}
    for offset in sorted(change for change in changes if 1 <= change <= period):
        written: set[str] = set()
        for i, (first, last) in zip(code, spans, strict=True):
            if not first <= offset <= last:
                continue
            for name in i.registers_read:
                if name in temporary - written and name not in found:
                    what = f"'{name}' is read in step {offset}, before anything writes it there"
                    where = f"neuron {program.name}: {i}"
                    found[name] = Problem("HB0468", what, where, hint=f"declare it: state {name}")
            written.add(i.result)
    return tuple(found.values())


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _operand(text: str) -> Operand:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _unreadable(line: str, wanted: str) -> UsageError:
    return UsageError(Problem("HB0420", f"cannot read '{line}'", hint=f"expected {wanted}"))
