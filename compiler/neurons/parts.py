"""Pieces of neuron programs: instructions that are put into the program of a unit."""

from __future__ import annotations

from hebbite.compiler.program.neuron import Instruction, parse_neuron


def code_of(
    text: str,
    *,
    guard: str,
    reads: tuple[str, ...],
    parameters: tuple[str, ...] = (),
) -> tuple[Instruction, ...]:
    """Return the instructions of ``text`` under the guard ``at guard``.

    ``reads`` are registers, and ``parameters`` constants, of the program that they are put into.
    """
    known = dict.fromkeys((*parameters, guard))
    head = f"neuron part({', '.join(known)}) {{\n  state {', '.join(reads)}\n"
    return parse_neuron(f"{head}  at {guard}\n{text.strip()}\n}}").instructions
