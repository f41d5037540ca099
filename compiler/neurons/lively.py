"""Neuron programs of layers that judge themselves by how lively they are.

`LIVELY`  a rectified unit of such a layer. At ``fire`` it sends h^2 on e through a group of ones
          to all units of its layer; at ``summed`` their sum arrives, with
          i = min(third / 2^step, 255)

              h = min(max(floor(v / 2^shift), 0), 254),   e = floor(h^2 / 2^square)
              s = min(floor(h length[i] / 2^7), 254)                     the payload it sends on
              g = floor(h q / 2^8),  q = doubt[i] if the label is right, 127 - doubt[i] if wrong
              y2 = g for a right label, y3 = g for a wrong one

          ``doubt`` holds 127 / (1 + exp((G - theta) / T)), ``length`` 2^7 R / sqrt(sum h^2), G the
          sum that index i stands for. In step 2 third tells the label: 1 right, -1 wrong, 0 nobody
          says, and then nothing is learnt.
`JUDGE`   one unit that adds up the goodness of all layers in v.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

LIVELY = parse_neuron("""
neuron lively(shift, square, step, fire, summed) {
  table doubt, length
  state v, h, label
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at 2
    label = mov third
  at 2..fire
    v = add v, a
    v = max v, -8388607
    v = min v, 8388607
  at fire
    h = shr v, shift
    h = max h, 0
    h = min h, 254
    e = mul h, h
    e = shr e, square
  at summed
    i = shr third, step
    i = max i, 0
    i = min i, 255
    q = table doubt, i
    rest = sub 127, q
    right = gt label, 0
    told = ne label, 0
    q = select right, q, rest
    q = mul q, told
    g = mul h, q
    g = shr g, 8
    g = min g, 127
    g = max g, 0
    y2 = select right, g, 0
    y3 = select right, 0, g
    n = table length, i
    n = mul h, n
    n = shr n, 7
    n = max n, 0
    s = min n, 254
  at period
    learn = add y2, y3
    bap = gt learn, 0
}
""")
JUDGE = parse_neuron("""
neuron judge() {
  state v
  at 1
    v = reset
  at 2..period
    v = add v, a
    v = max v, -8388607
    v = min v, 8388607
}
""")
