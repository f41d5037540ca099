"""Neuron programs for learning by reward: who earns it, who sums it up, who is told of it.

In: a neuron that spikes on s. Out: the same neuron and a few instructions.

`told_of_reward`  y1 holds a trace of its own spikes, as a synapse with two factors keeps one:

                      h = h keep / 2^12 + 2^8 impulse s,    y1 = h / 2^8,    at most 127

                  and in the last step of a sample y2 - y3 is the reward r that arrives on
                  ``third``, within -127..127; in all other steps it is 0.
`earning_reward`  a spike sends +1 on e if the teacher says, in the sample's first step, that this
                  neuron stands for the right class, else -1; nothing if nobody teaches.
`CRITIC`          one neuron that sums what it receives in the steps 2..reward to R and sends

                      r = clip(2^raise R / 2^lower) - b,    b' = b + r / 2^smooth

                  b, the running mean, has 8 more bits. Nothing is sent, and b stays, in a sample
                  without a teacher, who is heard on ``third``.
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.compiler.program.neuron import NeuronProgram, parse_neuron

TRACE_SHIFT = 8

_TOLD = parse_neuron("""
neuron told(keep, impulse) {
  state s, memory
  always
    memory = decay memory, keep
    rise = mul s, impulse
    memory = add memory, rise
    memory = min memory, 32767
    y1 = shr memory, 8
  at 1
    y2 = mov 0
    y3 = mov 0
  at period
    y2 = max third, 0
    y2 = min y2, 127
    y3 = neg third
    y3 = max y3, 0
    y3 = min y3, 127
}
""")
_EARNS = parse_neuron("""
neuron earns() {
  state s, code
  at 1
    code = mov third
  always
    right = gt code, 1
    cost = neg s
    e = select right, s, cost
    taught = gt code, 0
    e = mul e, taught
}
""")
CRITIC = parse_neuron("""
neuron critic(reward, raise, lower, smooth) {
  state v, mean, taught
  at 1
    v = mov 0
    taught = mov 0
  at 2..reward
    v = add v, a
    v = max v, -32767
    v = min v, 32767
    heard = gt third, 0
    taught = max taught, heard
  at reward
    total = shl v, raise
    total = shr total, lower
    total = max total, -127
    total = min total, 127
    gap = shl total, 8
    gap = sub gap, mean
    move = shr gap, smooth
    move = mul move, taught
    mean = add mean, move
    mean = max mean, -32512
    mean = min mean, 32512
    s = shr gap, 8
    s = max s, -127
    s = min s, 127
    s = mul s, taught
}
""")


def told_of_reward(neuron: NeuronProgram) -> NeuronProgram:
    """Return the program that writes its own trace, and the reward when it comes."""
    return _with(neuron, _TOLD)


def earning_reward(neuron: NeuronProgram) -> NeuronProgram:
    """Return the program whose spikes earn or cost, as the teacher says."""
    return _with(neuron, _EARNS)


def _with(neuron: NeuronProgram, part: NeuronProgram) -> NeuronProgram:
    states = dict.fromkeys((*neuron.states, *(name for name in part.states if name != "s")))
    return replace(
        neuron,
        name=f"{neuron.name}_{part.name}",
        parameters=(*neuron.parameters, *part.parameters),
        states=tuple(states),
        instructions=(*neuron.instructions, *part.instructions),
    )
