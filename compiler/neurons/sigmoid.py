"""Graded logistic unit, by table.

Forward:  i = floor(v / 2^shift) + 128 in 0..255;  p = activation[i], a payload 0..254
Backward: g = clip(third / 2^feedback_shift, -127, 127) * slope[i] / 128, toward zero

``activation`` and ``slope`` are integer tables of 256 entries that the compiler makes from the
logistic function s(x) = 1 / (1 + exp(-x)) and its derivative, scaled to 254 and to 127.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

SIGMOID = parse_neuron("""
neuron sigmoid(shift, feedback_shift, fire, feedback) {
  table activation, slope
  state v, i
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
    s = table activation, i
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
    learn = add y2, y3
    bap = gt learn, 0
}
""")
