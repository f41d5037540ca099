"""Pieces of neuron programs: instructions that are put into the program of a unit."""

from __future__ import annotations

from hebbite.compiler.program.neuron import Instruction, parse_neuron


def code_of(
    text: str,
    *,
    reads: tuple[str, ...],
    guard: str = "",
    parameters: tuple[str, ...] = (),
) -> tuple[Instruction, ...]:
    """Return the instructions of ``text``, under the guard ``at guard`` if it has none of its own.

    ``reads`` are registers, and ``parameters`` constants, of the program that they are put into.
    """
    known = dict.fromkeys((*parameters, guard) if guard else parameters)
    head = f"neuron part({', '.join(known)}) {{\n  state {', '.join(reads)}\n"
    at = f"  at {guard}\n" if guard else ""
    return parse_neuron(f"{head}{at}{text.strip()}\n}}").instructions
