"""Leaky integrate-and-fire unit that learns from errors sent back to it while it integrates.

    u' = wrap24(trunc(u * du_keep / 4096) + 64 a)
    v' = clip(trunc(v * dv_keep / 4096) + u' + bias, -(2^23 - 1), 2^23 - 1)
    spike where v' > threshold;  v' = 0 after a spike
    psi = 1 where |v' - threshold| <= band, before the reset, else 0

In the steps first..period: g = clip(third / 2^feedback_shift toward zero, -127, 127) * psi,
y2 = max(g, 0), y3 = max(-g, 0), and a learning event where g is not 0. ``third`` is what arrives of
the errors of the step before. Step 1 of a sample resets u and v, and what arrives in it, which
was sent in the sample before, is not heard.

Source of psi: G. Bellec et al., Nature Communications 11, 3625 (2020),
doi 10.1038/s41467-020-17236-y; a boxcar here, for a product with it is a selection.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

LIF_ERROR = parse_neuron("""
neuron lif_error(du_keep, dv_keep, threshold, band, feedback_shift, first) {
  table bias
  state u, v
  at 1
    u = reset
    v = reset
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
  at first..period
    gap = abs gap
    psi = ge band, gap
    g = shrz third, feedback_shift
    g = max g, -127
    g = min g, 127
    g = mul g, psi
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    bap = ne g, 0
}
""")
