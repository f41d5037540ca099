"""Leaky integrate-and-fire unit whose synapses keep an eligibility, a tag, while it integrates.

u, v, spikes and psi as in `lif_error`; what it tells its synapses is split in two:

    y1 = 8 psi in every step from 2 on: 8 makes up for the 3 bits that a chip drops of x1 y1
    in the steps first..period: g = clip(third / 2^feedback_shift toward zero, -127, 127),
    y2 = max(g, 0), y3 = max(-g, 0), and a learning event where g is not 0

In steps 1 and 2 of a sample y2 = y3 = 64, the sign to forget the tag; from 3 on they are 0 until
the errors come, so ``first`` is 3 or more. Two steps, for a tag also fades while it is forgotten:
what the first leaves, the share that fades, the second takes away.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

FIRST_ERRORS = 3
"""The first step in which errors may be heard."""
LIF_ELIGIBLE = parse_neuron("""
neuron lif_eligible(du_keep, dv_keep, threshold, band, feedback_shift, first) {
  table bias
  state u, v
  at 1
    u = reset
    v = reset
    y1 = mov 0
  at 1..2
    y2 = mov 64
    y3 = mov 64
  at 3
    y2 = mov 0
    y3 = mov 0
  at 2..period
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
    gap = sub v, threshold
    v = select s, 0, v
    gap = abs gap
    psi = ge band, gap
    y1 = shl psi, 3
  at first..period
    g = shrz third, feedback_shift
    g = max g, -127
    g = min g, 127
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    bap = ne g, 0
}
""")
