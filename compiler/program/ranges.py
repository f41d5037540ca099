"""Proof that no register leaves its word: intervals through every neuron program of a program.

Every value is an interval. One sample's steps are executed on intervals again and again until
nothing grows; what still grows after ROUNDS samples is taken to have no bound. Messages carry the
intervals of the outputs that send them; an input is at most the sum over its groups of (largest sum
of |w| in a row) times (largest |payload|), with weights that learn taken at the end of their word
and copied signs at their magnitude.

Proven: every instruction stays within int32; y1..y3, where a neuron writes them for a rule, stay
within a trace, 0..127; the last payload of a sample on a line whose trace is overwritten lies in
0..254, so that its half does too (every payload, where a sample has several learning epochs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hebbite.compiler.arithmetic.blocks import parts, row_blocks
from hebbite.compiler.program.connectivity import Conv2d, Sparse
from hebbite.compiler.program.groups import changing
from hebbite.compiler.program.neuron import (
    INPUTS,
    OUTPUTS,
    TRACES,
    Instruction,
    NeuronProgram,
    Operand,
)
from hebbite.compiler.program.types import IntArray, Population, Program, Synapses
from hebbite.rules.errors import Problem

Interval = tuple[int, int]
ROUNDS = 4
WORD = 2**31 - 1
LANDMARKS = (127, 255, 2**15 - 1, 2**23 - 1, 2**24, WORD)
HOST_PAYLOAD: Interval = (-255, 255)
"""What the host may send on a source's line; `engines.base` holds it to that."""
TRACE_TOP = 127
PAYLOAD_TOP = 254


def hull(one: Interval, two: Interval) -> Interval:
    """Return the smallest interval around both."""
    return min(one[0], two[0]), max(one[1], two[1])


def _leap(before: Interval, now: Interval) -> Interval:
    """Return ``now``, each end that moved brought out to the next landmark."""
    low, high = now
    if low < before[0]:
        low = next((-mark for mark in LANDMARKS if -mark <= low), low)
    if high > before[1]:
        high = next((mark for mark in LANDMARKS if mark >= high), high)
    return low, high


def _corners(function: Callable[[int, int], int], x: Interval, y: Interval) -> Interval:
    values = [function(a, b) for a in x for b in y]
    return min(values), max(values)


def _toward_zero(x: int, y: int) -> int:
    return x >> y if x >= 0 else -((-x) >> y)


def _wrap24(x: Interval) -> Interval:
    high, turn = 2**23, 2**24
    if -high < x[0] and x[1] <= high:
        return x
    return min(1 - high, x[0] + turn), max(high, x[1] - turn)


def _and(x: Interval, y: Interval) -> Interval:
    return (0, min(x[1], y[1])) if min(x[0], y[0]) >= 0 else (-WORD - 1, WORD)


_ONE: dict[str, Callable[[Interval], Interval]] = {
    "mov": lambda x: x,
    "neg": lambda x: (-x[1], -x[0]),
    "abs": lambda x: (max(0, x[0], -x[1]), max(-x[0], x[1])),
    "wrap24": _wrap24,
}
_TWO: dict[str, Callable[[Interval, Interval], Interval]] = {
    "add": lambda x, y: (x[0] + y[0], x[1] + y[1]),
    "sub": lambda x, y: (x[0] - y[1], x[1] - y[0]),
    "mul": lambda x, y: _corners(lambda a, b: a * b, x, y),
    "min": lambda x, y: (min(x[0], y[0]), min(x[1], y[1])),
    "max": lambda x, y: (max(x[0], y[0]), max(x[1], y[1])),
    "shl": lambda x, y: _corners(lambda a, b: a << b, x, _shift(y)),
    "shr": lambda x, y: _corners(lambda a, b: a >> b, x, _shift(y)),
    "shrz": lambda x, y: _corners(_toward_zero, x, _shift(y)),
    "decay": lambda x, y: _corners(lambda a, b: _toward_zero(a * b, 12), x, y),
    "and": _and,
}
_COMPARISONS = ("eq", "ne", "lt", "ge", "gt")


def _shift(y: Interval) -> Interval:
    """Return a shift within 0..63; one that can leave it is reported where it stands."""
    return min(max(y[0], 0), 63), min(max(y[1], 0), 63)


@dataclass(frozen=True)
class Ranges:
    """Intervals of a program: register of a population, and its outputs s, e at each offset."""

    register: dict[tuple[str, str], Interval]
    sent: dict[tuple[str, str, int], Interval]
    left: dict[tuple[str, int], Interval]
    """(population, index of an instruction) that leaves int32 -> its interval."""


class _Analysis:
    """Intervals that only grow, sample by sample."""

    def __init__(self, program: Program) -> None:
        self._program = program
        period = program.schedule.period
        self._bound = {
            p.name: p.neuron.bind(dict(p.constants), period=period) for p in program.populations
        }
        self.ranges = Ranges(
            {
                (p.name, r): (0, 0)
                for p in program.populations
                for r in self._bound[p.name].registers
            },
            {},
            {},
        )
        self._limits = {group.name: _reach(program, group) for group in program.synapses}

    def run(self) -> Ranges:
        """Execute samples until nothing grows, from ROUNDS on in leaps to the next landmark."""
        sample = 0
        while True:
            sample += 1
            before = dict(self.ranges.register)
            self.ranges.left.clear()
            self._sample()
            if before == self.ranges.register:
                return self.ranges
            if sample >= ROUNDS:
                for key, interval in self.ranges.register.items():
                    if interval != before[key]:
                        self.ranges.register[key] = _leap(before[key], interval)

    def _sample(self) -> None:
        for offset in range(1, self._program.schedule.period + 1):
            inputs = {p.name: self._inputs(p) for p in self._program.populations}
            for population in self._program.populations:
                self._step(population, offset, inputs[population.name])

    def _inputs(self, population: Population) -> dict[str, Interval]:
        found: dict[str, Interval] = dict.fromkeys(INPUTS, (0, 0))
        for group in self._program.synapses:
            if group.post == population.name:
                top = self._limits[group.name] * self._payload(group)
                top = top << group.exponent if group.exponent > 0 else top
                found[group.port] = _TWO["add"](found[group.port], (-top, top))
        for wire in self._program.wires:
            if wire.post == population.name:
                found["third"] = _TWO["add"](found["third"], HOST_PAYLOAD)
        return found

    def _payload(self, group: Synapses) -> int:
        if not group.graded:
            return 1
        known = self.ranges.register.get((group.pre, group.output))
        population = next((p for p in self._program.populations if p.name == group.pre), None)
        bias = max((abs(v) for _, v in population.bias), default=0) if population else 0
        low, high = known if known is not None else HOST_PAYLOAD
        return max(abs(low), abs(high), bias)

    def _step(self, population: Population, offset: int, inputs: dict[str, Interval]) -> None:
        """Execute one step; every register's interval grows by what it now can be."""
        name = population.name
        now = {r: self.ranges.register[name, r] for r in self._bound[name].registers}
        now |= {**inputs, **dict.fromkeys(OUTPUTS, (0, 0))}
        tables = {key: self._program.tensors[tensor] for key, tensor in population.tables}
        for index, instruction in enumerate(self._bound[name].instructions):
            if int(instruction.first) <= offset <= int(instruction.last):
                value = _result(instruction, now, tables)
                if value[0] < -WORD - 1 or value[1] > WORD:
                    self.ranges.left[name, index] = value
                    value = max(value[0], -WORD - 1), min(value[1], WORD)
                now[instruction.result] = value
        for output in ("s", "e"):
            before = self.ranges.sent.get((name, output, offset), (0, 0))
            self.ranges.sent[name, output, offset] = hull(before, now[output])
        for register, interval in now.items():
            key = (name, register)
            self.ranges.register[key] = hull(self.ranges.register[key], interval)


def _result(
    instruction: Instruction, now: dict[str, Interval], tables: dict[str, IntArray]
) -> Interval:
    op, arguments = instruction.op, instruction.arguments

    def read(operand: Operand) -> Interval:
        return (operand, operand) if isinstance(operand, int) else now[operand]

    if op == "reset":
        return 0, 0
    if op in ("table", "each"):
        table = tables[str(arguments[0])]
        return int(table.min()), int(table.max())
    if op == "random":
        return 0, 2 ** int(arguments[0]) - 1
    if op in _COMPARISONS:
        return 0, 1
    if op == "select":
        return hull(read(arguments[1]), read(arguments[2]))
    if op in _ONE:
        return _ONE[op](read(arguments[0]))
    return _TWO[op](read(arguments[0]), read(arguments[1]))


def _reach(program: Program, group: Synapses) -> int:
    """Return the largest sum of |w| that one neuron can receive from a group."""
    weight = program.tensors[group.weight]
    if isinstance(group.connect, Sparse):
        target = program.tensors[group.connect.targets]
        start, fan_in = _largest_sum(target, weight), int(np.bincount(target).max(initial=0))
    else:
        start, fan_in = _largest_row(weight), program.line_count(group)
    if isinstance(group.connect, Conv2d):  # where the kernel lies within the image
        return start
    if group.magnitude:
        return max(start, fan_in * group.magnitude)
    return fan_in << program.widths.weight if group.weight in changing(program) else start


def _largest_row(weight: IntArray) -> int:
    """Return the largest sum of |w| in a row."""
    sums = (np.abs(rows.astype(np.int64)).sum(axis=1) for rows in row_blocks(weight))
    return max((int(each.max(initial=0)) for each in sums), default=0)


def _largest_sum(target: IntArray, weight: IntArray) -> int:
    """Return the largest sum of the |w| that share a target."""
    sums = np.zeros(int(target.max(initial=0)) + 1, np.int64)
    for part in parts(target.size):
        np.add.at(sums, target[part], np.abs(weight[part].astype(np.int64)))
    return int(sums.max())


def ranges_of(program: Program) -> Ranges:
    """Return the intervals of a program whose names and shapes are sound."""
    return _Analysis(program).run()


def range_problems(program: Program) -> Iterator[Problem]:
    """Yield what cannot be proven (HB0460)."""
    ranges = ranges_of(program)
    by_name = {p.name: p for p in program.populations}
    for (name, index), (low, high) in ranges.left.items():
        population = by_name[name]
        line = population.neuron.instructions[index]
        what = f"%{name}: '{line}' can reach {low}..{high}, beyond int32"
        hint = "keep it in bounds with min and max, or use fewer lines"
        yield Problem("HB0460", what, _at(population), population.origin, hint)
    for population in program.populations:
        for port in INPUTS:
            low, high = ranges.register[population.name, port]
            if low < -WORD - 1 or high > WORD:
                what = f"input {port} of %{population.name} can reach {low}..{high}, beyond int32"
                hint = "use fewer lines or a smaller exponent"
                yield Problem("HB0460", what, _at(population), population.origin, hint)
    for plasticity in program.plasticity:
        group = program.group(plasticity.synapses)
        post = by_name[group.post]
        for trace, _ in plasticity.traces:
            if plasticity.factors == 3 and trace in TRACES:
                low, high = ranges.register[group.post, trace]
                if low < 0 or high > TRACE_TOP:
                    what = f"%{post.name} can write {low}..{high} into {trace}, which holds 0..127"
                    yield Problem("HB0460", what, _at(post), post.origin)
        overwritten = any(trace.mode == "overwrite" for _, trace in plasticity.traces)
        if overwritten and group.pre in by_name:
            several = plasticity.epoch != program.schedule.period
            yield from _payloads(by_name[group.pre], group.output, ranges, every=several)


def _payloads(pre: Population, output: str, ranges: Ranges, *, every: bool) -> Iterator[Problem]:
    """Check the last payload of a sample, or every one where a sample has several epochs."""
    sent = [found for key, found in sorted(ranges.sent.items()) if key[:2] == (pre.name, output)]
    sending = [found for found in sent if found != (0, 0)]
    if not sending:
        return
    low, high = sending[-1]
    if every:
        low, high = min(found[0] for found in sending), max(found[1] for found in sending)
    if low < 0 or high > PAYLOAD_TOP:
        which = "a payload" if every else "the last payload"
        what = f"{which} of %{pre.name} in a sample can be {low}..{high}, not 0..254"
        hint = "send a learning payload in the last step, as tanh does"
        yield Problem("HB0460", what, _at(pre), pre.origin, hint)


def _at(population: Population) -> str:
    neuron: NeuronProgram = population.neuron
    return f"%{population.name} = neurons[{population.size}] {neuron.name}"
