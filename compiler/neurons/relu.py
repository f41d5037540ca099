"""Graded rectified linear unit that learns from an error sent back to it.

Forward, at its firing offset:    p = min(max(floor(v / 2^shift), 0), 254),  v = sum of inputs
Backward, at its feedback offset: g = clip(third / 2^feedback_shift, -127, 127) where 0 < p < 254,
                                  else 0;  y2 = max(g, 0), y3 = max(-g, 0), e = g

v is 24 bits wide and saturates. p is a payload of 8 bits: 254 is the largest whose half still fits
the 7-bit trace x1. g is the error of this unit, the derivative of the clipped rectifier included.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

RELU = parse_neuron("""
neuron relu(shift, feedback_shift, fire, feedback) {
  state v, p
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at 2..fire
    v = add v, a
    v = max v, -8388607
    v = min v, 8388607
  at fire
    p = shr v, shift
    p = max p, 0
    p = min p, 254
    s = mov p
  at feedback
    g = shrz third, feedback_shift
    g = max g, -127
    g = min g, 127
    on = gt p, 0
    below = lt p, 254
    g = mul g, on
    g = mul g, below
    e = mov g
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
  at period
    learn = add y2, y3
    bap = gt learn, 0
}
""")
