"""Neuron programs that learn from what a perturbation of their own changed in the objective.

A sample is passed through twice, first with noise, then without. In: the program of a hidden unit,
or of the output. Out: the same program with a noisy pass before its own.

`perturbed`  a hidden unit. At ``noisy`` it draws xi = +1 or -1, each with chance 1/2, and fires
             with v + xi 2^amplitude; then it forgets v. At ``heard`` the objective of that pass
             arrives, at ``feedback`` the one of the clean pass; with change = F_noisy - F_clean

                 g = clip(-(change xi / 2^feedback_shift), -127, 127),  rounded toward zero

             and g = 0 for a unit that sent the same in both passes: it had no part in the change,
             as where a rectifier stays at 0. y2 = max(g, 0), y3 = max(-g, 0). The traces of its
             line, overwritten by the last payload, belong to the clean pass: a unit that sent in
             the noisy pass only sends 1 in the last step, whose half is 0 in the trace; what that
             adds to the inputs of the next sample's first step is not read there.

`firing_twice`  a hidden unit that does not learn. It fires in both passes, the same as ever where
             nothing below it is perturbed.

`scoring`    the output. In both passes it sends, for each of its units, twice the loss

                 2 F_j = m (2 |d| - m) - margin^2 where |d| >= margin, else 0,  m = min(|d|, 127)

             d = target - output, 0 without a teacher. That is the objective's own F, exactly; its
             own error is that of the clean pass.
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.compiler.neurons.parts import code_of
from hebbite.compiler.program.neuron import Instruction, NeuronProgram

PUSH = """
    xi = random 1
    xi = shl xi, 1
    xi = sub xi, 1
    push = shl xi, amplitude
    v = add v, push
"""
NOTE = """
    tried = mov s
    v = reset
"""
COMPARE = """
    moved = ne s, tried
    stale = eq s, 0
    stale = mul stale, moved
"""
ERASE = "s = mov stale"
CREDIT = """
    change = sub before, third
    g = mul change, xi
    g = shrz g, feedback_shift
    g = neg g
    g = mul g, moved
    g = max g, -127
    g = min g, 127
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
"""
SCORE = """
    far = sub third, 1
    far = sub far, o
    far = abs far
    far = mul far, taught
    near = min far, 127
    loss = add far, far
    loss = sub loss, near
    loss = mul loss, near
    dead = mul margin, margin
    loss = sub loss, dead
    loss = mul loss, large
    e = mov loss
"""
KEPT = ("xi", "tried", "before", "moved", "stale")

Code = tuple[Instruction, ...]


def perturbed(neuron: NeuronProgram) -> NeuronProgram:
    """Return a hidden unit's program that tries a perturbation before it fires."""
    code = neuron.instructions
    fire = _guarded(code, "fire")
    early = (*_code("noisy", PUSH), *_at("noisy", fire), *_code("noisy", NOTE))
    late = (*_code("heard", "before = mov third"), *fire, *_code("fire", COMPARE))
    body = (*_before(code, "fire"), *early, *late, *_code("feedback", CREDIT))
    end = _guarded(code, "period")
    sends = any(i.result == "s" for i in end)
    whole = (*body, *end, *(() if sends else _code("period", ERASE)))
    tables = {str(i.arguments[0]) for i in whole if i.op == "table"}
    return NeuronProgram(
        f"{neuron.name}_perturbed",
        ("shift", "amplitude", "feedback_shift", "noisy", "heard", "fire", "feedback"),
        tuple(name for name in neuron.tables if name in tables),
        (*neuron.states, *KEPT),
        whole,
    )


def firing_twice(neuron: NeuronProgram) -> NeuronProgram:
    """Return the program of a unit that does not learn, which fires in the noisy pass too."""
    code = neuron.instructions
    fire = _guarded(code, "fire")
    early = (*_at("noisy", fire), *_code("noisy", "v = reset"))
    rest = code[len(_before(code, "fire")) :]
    return replace(
        neuron,
        name=f"{neuron.name}_twice",
        parameters=(*neuron.parameters, "noisy"),
        instructions=(*_before(code, "fire"), *early, *rest),
    )


def scoring(neuron: NeuronProgram) -> NeuronProgram:
    """Return the output's program that sends its losses, of a noisy pass too."""
    code = neuron.instructions
    fire = _guarded(code, "fire")
    cut = next(n for n, i in enumerate(fire) if i.result == "e")
    judged, learning = fire[:cut], fire[cut + 1 :]
    early = (*_at("noisy", judged), *_code("noisy", SCORE), *_code("noisy", "v = reset"))
    late = (*judged, *_code("fire", SCORE), *learning)
    return replace(
        neuron,
        name=f"{neuron.name}_scoring",
        parameters=(*neuron.parameters, "noisy"),
        instructions=(*_before(code, "fire"), *early, *late, *_guarded(code, "period")),
    )


def _guarded(code: Code, name: str) -> Code:
    """Return the instructions that are executed in one named step alone."""
    return tuple(i for i in code if i.first == i.last == name)


def _before(code: Code, name: str) -> Code:
    """Return the instructions up to those of a named step."""
    return code[: next(n for n, i in enumerate(code) if i.first == i.last == name)]


def _at(name: str, code: Code) -> Code:
    """Return instructions under the guard of another step."""
    return tuple(replace(i, first=name, last=name) for i in code)


def _code(name: str, text: str) -> Code:
    """Return instructions of one step, which read registers of another program."""
    return code_of(
        text,
        guard=name,
        reads=("s", "o", "taught", "large", *KEPT),
        parameters=("amplitude", "feedback_shift", "margin"),
    )
