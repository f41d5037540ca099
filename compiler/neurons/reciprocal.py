"""Neuron programs for feedback synapses that learn: what both of their ends must say.

A feedback synapse leads from the unit above, whose learning signal is g, to a unit with activity h,
and learns dB = eta g h, the transposed update of the forward synapse between the two. In: a program
that fires once and has a learning signal ``g``. Out: the same program and a few instructions.

`resending_signal`   the pre side. g is kept within -63..63 for every use. A unit whose message e
                     was not 0 sends the learning payload 2 (g + 64) on e in the last step of the
                     sample, so that the 7-bit trace x1 holds g + 64 and a rule reads (x1-64); a
                     unit without a message stays silent. What the payload adds to the inputs of the
                     next sample's first step is not read there.
`showing_activity`   the post side. y1 holds what the trace x1 of the forward synapse holds for this
                     unit: half its payload, half to even, 0..127; for payloads with a sign, which
                     are traced as p + 64, just that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hebbite.compiler.neurons.parts import code_of
from hebbite.compiler.program.neuron import Instruction, NeuronProgram

Find = Callable[[Instruction], bool]

CLIP = """
  always
    g = max g, -63
    g = min g, 63
"""
NOTE = """
  always
    told = ne e, 0
"""
RESEND = """
  at period
    signal = add g, 64
    signal = shl signal, 1
    e = mul signal, told
"""
CLEAR = """
  at 1
    y1 = mov 0
"""
HALF = """
  always
    half = shr s, 1
    odd = and s, half
    odd = and odd, 1
    y1 = add half, odd
    y1 = min y1, 127
"""
OFFSET = """
  always
    y1 = add s, 64
"""


def resending_signal(neuron: NeuronProgram) -> NeuronProgram:
    """Return the program that sends its learning signal again, offset by 64, to be traced."""
    clipped = _after(neuron, lambda i: i.result == "g", CLIP)
    noted = _after(clipped, lambda i: i.result == "e", NOTE)
    states = dict.fromkeys((*neuron.states, "g", "told"))
    code = (*noted.instructions, *_code(RESEND))
    return replace(neuron, name=f"{neuron.name}_signal", states=tuple(states), instructions=code)


def showing_activity(neuron: NeuronProgram, *, signed: bool) -> NeuronProgram:
    """Return the program that writes its activity into y1; ``signed``: its payload has a sign."""
    cleared = _after(neuron, lambda i: i.result == "y3" and i.last == 1, CLEAR)
    shown = _after(
        cleared, lambda i: i.result == "s" and i.last == "fire", OFFSET if signed else HALF
    )
    return replace(shown, name=f"{neuron.name}_activity")


def _after(neuron: NeuronProgram, found: Find, text: str) -> NeuronProgram:
    """Insert instructions behind the last one that is ``found``, under its guard."""
    index = max(n for n, i in enumerate(neuron.instructions) if found(i))
    before, behind = neuron.instructions[: index + 1], neuron.instructions[index + 1 :]
    guard = before[-1]
    new = (replace(i, first=guard.first, last=guard.last) for i in _code(text))
    return replace(neuron, instructions=(*before, *new, *behind))


def _code(text: str) -> tuple[Instruction, ...]:
    """Return instructions that read registers of another program."""
    return code_of(text, reads=("g", "s", "e", "told"))
