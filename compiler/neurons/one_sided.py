"""The output unit of a one-sided objective: an output beyond its target has no error.

In: a program that forms ``d``, the target less the output. Out: the same program, where d is kept
at 0 or above for a target above 0, and at 0 or below for any other.

                     d = max(d, 0) where third - 1 > 0, else min(d, 0)
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.compiler.neurons.parts import code_of
from hebbite.compiler.program.neuron import NeuronProgram

SIDE = """
    right = gt third, 1
    above = max d, 0
    under = min d, 0
    d = select right, above, under
"""


def one_sided(neuron: NeuronProgram) -> NeuronProgram:
    """Return the output program whose errors are those of a squared hinge."""
    code = neuron.instructions
    cut = next(n for n, i in enumerate(code) if i.result == "d" and i.arguments == ("d", "o"))
    side = code_of(SIDE, guard="fire", reads=("d",))
    whole = (*code[: cut + 1], *side, *code[cut + 1 :])
    return replace(neuron, name=f"{neuron.name}_one_sided", instructions=whole)
