"""Graded hyperbolic tangent unit, by table; its payload has a sign.

Forward:  i = floor(v / 2^shift) + 128 in 0..255;  p = activation[i], a payload -63..63
Learning payload, in the last step of a sample: 2 (p + 64), so that the 7-bit trace x1 holds p + 64
          and a rule reads the activity as (x1-64); what it adds to the inputs is ignored.
Backward: g = clip(third / 2^feedback_shift, -127, 127) * slope[i] / 128, toward zero

``activation`` and ``slope`` are integer tables of 256 entries that the compiler makes from tanh(x)
and its derivative, scaled to 63 and to 127.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

TANH = parse_neuron("""
neuron tanh(shift, feedback_shift, fire, feedback) {
  table activation, slope
  state v, i, p
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at 2..fire
    v = add v, a
    v = max v, -8388607
    v = min v, 8388607
  at fire
    i = shr v, shift
    i = add i, 128
    p = table activation, i
    s = mov p
  at feedback
    g = shrz third, feedback_shift
    g = max g, -127
    g = min g, 127
    k = table slope, i
    g = mul g, k
    g = shrz g, 7
    e = mov g
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
  at period
    q = add p, 64
    s = shl q, 1
    learn = add y2, y3
    bap = gt learn, 0
}
""")
