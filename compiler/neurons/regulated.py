"""Hidden units whose own payload pulls at them: the hidden terms of an objective.

In: the program of a hidden unit whose payload ``s`` is never negative and whose error ``g`` is read
at ``feedback``. Out: the same program, where a pull is added to g before the derivative:

    homeostasis   m += (256 p - m) / 2^6 in every sample,  pull = (256 r - m) / 2^(8 - w)
    sparsity      pull = -2^w where p > 0

p the payload, m its running mean over about 64 samples in 1/256 of a payload, r the wanted one, 2^w
the weight of the term; quotients are rounded down (m) and toward zero (pull). Where 2^w < 1 a unit
pulls by 1 in a part 2^w of the samples, drawn at random, so that the mean is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hebbite.compiler.neurons.parts import code_of
from hebbite.compiler.program.neuron import Instruction, NeuronProgram
from hebbite.rules.objectives.hidden import HiddenTerm

NOTE = """
    scaled = shl s, 8
    rest = sub scaled, mean
    rest = shr rest, 6
    mean = add mean, rest
    mean = max mean, 0
    mean = min mean, 65024
    sent = gt s, 0
"""
HOLD = """
    lack = sub {wanted}, mean
    pull = shrz lack, {down}
    pull = shl pull, {up}
    g = add g, pull
"""
SPARE = """
    pull = shl sent, {up}
    g = sub g, pull
"""
SELDOM = """
    die = random {bits}
    pull = eq die, 0
    pull = mul pull, sent
    g = sub g, pull
"""
CLIP = """
    g = max g, -127
    g = min g, 127
"""


def regulated(neuron: NeuronProgram, terms: Sequence[HiddenTerm]) -> NeuronProgram:
    """Return the program with the pulls of ``terms`` added to its error."""
    code = neuron.instructions
    fired = max(n for n, i in enumerate(code) if i.result == "s" and i.last == "fire")
    heard = max(n for n, i in enumerate(code) if i.result == "g" and i.op == "min")
    note = code_of(NOTE, guard="fire", reads=("s", "mean"))
    pulls = [_pull(term) for term in terms]
    clip = code_of(CLIP, guard="feedback", reads=("g",))
    whole = (
        *code[: fired + 1],
        *note,
        *code[fired + 1 : heard + 1],
        *(instruction for pull in pulls for instruction in pull),
        *clip,
        *code[heard + 1 :],
    )
    states = (*neuron.states, "mean", "sent")
    return replace(neuron, name=f"{neuron.name}_regulated", states=states, instructions=whole)


def _pull(term: HiddenTerm) -> tuple[Instruction, ...]:
    w = term.exponent
    if term.kind == "homeostasis":
        text = HOLD.format(wanted=256 * term.rate, down=max(8 - w, 0), up=max(w - 8, 0))
    elif w >= 0:
        text = SPARE.format(up=w)
    else:
        text = SELDOM.format(bits=-w)
    return code_of(text, guard="feedback", reads=("g", "mean", "sent"))
