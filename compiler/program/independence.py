"""Proof that samples are independent: the state after a sample depends on that sample alone.

In: a program. Out: what carries over from before a sample into the state after it; nothing if every
sample overwrites all that it finds. Then samples may run apart from each other, each once the
sample before it has run, and end with the bits of a run in order. Learning carries over always and
is left aside here: a run that does not learn is meant.

One sample is followed offset by offset. A value is stale if it may depend on what was there before
the sample:

* at the start every register that is kept is stale, and so are the messages under way: those sent
  at an offset o > period - delay reach their neurons at o + delay - period;
* a result is stale if one of its operands is; constants, parameters, tables of one entry a neuron,
  random numbers (they depend on the step alone) and what the host sends are not;
* a register that no instruction of a sample writes holds the same in every sample, so it is not;
* an output that no instruction of an offset writes, or the last one to 0, sends nothing there, so
  nothing stale.

Values are not looked at: a stale register times 0 is stale. So a program may be independent and yet
not be proven so, never the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator

from hebbite.compiler.program.neuron import INPUTS, OUTPUTS, Instruction, NeuronProgram
from hebbite.compiler.program.types import Population, Program, Synapses

Sent = dict[tuple[str, str, int], bool]
"""(part, output, offset) of whatever may be sent -> whether it is stale."""


def carried(program: Program) -> tuple[str, ...]:
    """Return the registers and groups whose state after a sample may depend on earlier ones.

    ``population.register``, or the name of a group whose messages are under way; () is the proof
    that samples are independent of each other.
    """
    return _Sample(program).run()


class _Sample:
    """One sample of a program, on stale and fresh values."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._period = program.schedule.period
        self._bound = {
            p.name: p.neuron.bind(dict(p.constants), period=self._period)
            for p in program.populations
        }
        self._stale = {name: self._written(neuron) for name, neuron in self._bound.items()}
        self._sent: Sent = dict.fromkeys(self._of_host(), False)
        self._before = {*self._sent, *self._of_neurons()}

    def _written(self, neuron: NeuronProgram) -> set[str]:
        """Return the registers that any step of a sample writes."""
        steps = range(1, self._period + 1)
        return {i.result for offset in steps for i in _active(neuron, offset)}

    def _of_host(self) -> Iterator[tuple[str, str, int]]:
        for source in self._program.sources:
            for offset in (*source.offsets, *dict(source.bias)):
                yield source.name, "s", offset

    def _of_neurons(self) -> Iterator[tuple[str, str, int]]:
        """Yield whatever neurons and their bias lines may have sent in the sample before."""
        for population in self._program.populations:
            for offset in range(1, self._period + 1):
                last = {i.result: i for i in _active(self._bound[population.name], offset)}
                written = {name for name, i in last.items() if not _is_zero(i)}
                written |= {"s"} if offset in dict(population.bias) else set()
                for output in written & {*OUTPUTS}:
                    yield population.name, output, offset

    def run(self) -> tuple[str, ...]:
        """Follow the sample from its first step to its last; return what is stale then."""
        for offset in range(1, self._period + 1):
            inputs = {p.name: self._inputs(p, offset) for p in self._program.populations}
            for population in self._program.populations:
                self._step(population, offset, inputs[population.name])
        kept = (
            f"{name}.{register}"
            for name, neuron in self._bound.items()
            for register in neuron.kept
            if register in self._stale[name]
        )
        return (*kept, *(g.name for g in self._program.synapses if self._leaves_stale(g)))

    def _inputs(self, population: Population, offset: int) -> set[str]:
        """Return which inputs of a population are stale in a step."""
        groups = [group for group in self._program.synapses if group.post == population.name]
        return {group.port for group in groups if self._delivers_stale(group, offset)}

    def _delivers_stale(self, group: Synapses, offset: int) -> bool:
        sent = offset - group.delay
        if sent >= 1:
            return self._sent.get((group.pre, group.output, sent), False)
        while sent < 1:
            sent += self._period
        return (group.pre, group.output, sent) in self._before

    def _leaves_stale(self, group: Synapses) -> bool:
        """Whether anything stale is under way when the sample ends."""
        key = group.pre, group.output
        if group.delay > self._period:
            return any((*key, offset) in self._before for offset in range(1, self._period + 1))
        late = range(self._period - group.delay + 1, self._period + 1)
        return any(self._sent.get((*key, offset), False) for offset in late)

    def _step(self, population: Population, offset: int, inputs: set[str]) -> None:
        name, neuron = population.name, self._bound[population.name]
        stale = self._stale[name]
        stale -= {*INPUTS, *OUTPUTS}
        stale |= inputs | {*neuron.registers} - {*INPUTS, *OUTPUTS, *neuron.kept}
        sends = set(OUTPUTS[:1]) if offset in dict(population.bias) else set()
        for instruction in _active(neuron, offset):
            if stale & _operands(instruction):
                stale.add(instruction.result)
            else:
                stale.discard(instruction.result)
            sends |= {instruction.result} & {*OUTPUTS}
        for output in sends:
            self._sent[name, output, offset] = output in stale


def _active(neuron: NeuronProgram, offset: int) -> Iterator[Instruction]:
    """Yield the instructions that a bound program executes at an offset."""
    for instruction in neuron.instructions:
        if int(instruction.first) <= offset <= int(instruction.last):
            yield instruction


def _is_zero(instruction: Instruction) -> bool:
    return instruction.op == "reset" or (instruction.op, instruction.arguments) == ("mov", (0,))


def _operands(instruction: Instruction) -> set[str]:
    """Return the registers that an instruction reads."""
    names = instruction.arguments[instruction.op in ("table", "each") :]
    return {name for name in names if isinstance(name, str)}
