"""Leaky integrate-and-fire units that run twice a sample: free, and with errors at work.

u and v as in `lif`. Steps 1..free are the first phase, again..period the second; the first step of
either resets u and v, and what arrives in it is not heard. ``unit``: a spike counts 2^unit.

`LIF_TWO_PHASE`  h, ^h spikes of the two phases. From the second step of the second phase on
                 v' = v + strength clip(third / 2^feedback_shift toward zero, -127, 127), and in the
                 last step g = clip(2^unit (^h - h), -127, 127)
`LIF_COUNTED`    an output. At the end of the first phase, with a target code from step 1,

                     d = clip(target - 1 - min(2^unit h, 127), -127, 127),
                     d = 0 without a teacher, and where |d| < margin;
                     score = 2^10 h + clip(v / 2^fine, -511, 511): what is answered

                 it sends e = d in all steps of the second phase but the last, and g is
                 d / 2^shift toward zero

In the last step y2 = max(g, 0), y3 = max(-g, 0), and a learning event where g is not 0.

Source: A. Shrestha et al., Design Automation Conference (2021), doi 10.1109/DAC18074.2021.9586323.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

TOP_COUNT = 127
LIF_TWO_PHASE = parse_neuron("""
neuron lif_two_phase(du_keep, dv_keep, threshold, feedback_shift, strength, again, second, unit) {
  table bias
  state u, v, h, count
  always
    u = decay u, du_keep
    current = shl a, 6
    u = add u, current
    u = wrap24 u
    v = decay v, dv_keep
    v = add v, u
    drive = each bias
    v = add v, drive
  at second..period
    push = shrz third, feedback_shift
    push = max push, -127
    push = min push, 127
    push = mul push, strength
    v = add v, push
  always
    v = max v, -8388607
    v = min v, 8388607
    s = gt v, threshold
    v = select s, 0, v
  at 1
    u = reset
    v = reset
    s = mov 0
    count = mov 0
    y2 = mov 0
    y3 = mov 0
  at again
    u = reset
    v = reset
    s = mov 0
    h = mov count
    count = mov 0
  always
    count = add count, s
    count = min count, 127
  at period
    g = sub count, h
    g = shl g, unit
    g = max g, -127
    g = min g, 127
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    bap = ne g, 0
}
""")
LIF_COUNTED = parse_neuron("""
neuron lif_counted(du_keep, dv_keep, threshold, free, again, before, unit, fine, margin, shift) {
  table bias
  state u, v, count, target, d, score
  always
    u = decay u, du_keep
    current = shl a, 6
    u = add u, current
    u = wrap24 u
    v = decay v, dv_keep
    v = add v, u
    drive = each bias
    v = add v, drive
    v = max v, -8388607
    v = min v, 8388607
    s = gt v, threshold
    v = select s, 0, v
  at 1
    u = reset
    v = reset
    s = mov 0
    count = mov 0
    target = mov third
    d = mov 0
    y2 = mov 0
    y3 = mov 0
  at again
    u = reset
    v = reset
    s = mov 0
  at 1..free
    count = add count, s
    count = min count, 127
  at free
    score = shl count, 10
    part = shr v, fine
    part = max part, -511
    part = min part, 511
    score = add score, part
    o = shl count, unit
    o = min o, 127
    d = sub target, 1
    d = sub d, o
    d = max d, -127
    d = min d, 127
    taught = ne target, 0
    d = mul d, taught
    size = abs d
    large = ge size, margin
    d = mul d, large
  at free..before
    e = mov d
  at period
    g = shrz d, shift
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    bap = ne g, 0
}
""")
