"""Output unit that compares itself with a target and sends the error.

At its firing offset:  o = clip(floor(v / 2^shift), -127, 127)
                       d = clip(third - 1 - o, -127, 127)
                       d = 0 without a teacher, and where |d| < margin
                       e = d;  g = d / 2^error_shift toward zero;  y2 = max(g, 0), y3 = max(-g, 0)

``third`` carries the target code: target + 1, and 0 means that nobody teaches. The margin is a dead
zone: errors below it are neither sent nor learnt from, and the objective knows it.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

ERROR = parse_neuron("""
neuron error(shift, margin, error_shift, fire) {
  state v, o
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at 2..fire
    v = add v, a
    v = max v, -8388607
    v = min v, 8388607
  at fire
    o = shr v, shift
    o = max o, -127
    o = min o, 127
    d = sub third, 1
    d = sub d, o
    d = max d, -127
    d = min d, 127
    taught = ne third, 0
    d = mul d, taught
    size = abs d
    large = ge size, margin
    d = mul d, large
    e = mov d
    g = shrz d, error_shift
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
  at period
    learn = add y2, y3
    bap = gt learn, 0
}
""")
