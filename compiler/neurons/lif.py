"""Leaky integrate-and-fire unit with a synaptic current, as Loihi and Lava have it (CUBA LIF).

    u' = wrap24(trunc(u * du_keep / 4096) + 64 a)
    v' = clip(trunc(v * dv_keep / 4096) + u' + bias, -(2^23 - 1), 2^23 - 1)
    spike where v' > threshold;  v' = 0 after a spike

du_keep = 4096 - (du + 1) and dv_keep = 4096 - dv in Lava's constants; threshold = 64 vth; trunc is
toward zero; ``bias`` is a table with one entry a neuron. A spike is also the learning
event ``bap`` of the synapses that end here.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

LIF = parse_neuron("""
neuron lif(du_keep, dv_keep, threshold) {
  table bias
  state u, v
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
    bap = mov s
}
""")
