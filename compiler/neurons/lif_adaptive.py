"""Leaky integrate-and-fire unit whose threshold rises with every spike and falls back slowly.

u and v as in `lif_error`; with s the spike of the step before, and m that which its threshold has
risen by,

    m' = min(trunc(m keep / 4096) + s threshold 2^-rise, 2^23 - 1)
    spike where v' > threshold + m';  v' = 0 after a spike
    psi = 1 where |v' - threshold - m'| <= band, before the reset, else 0

    y1 = 32 psi in every step from 2 on: 2^5, the bits that a chip drops of t y1
    in the steps first..period: g = clip(third / 2^feedback_shift toward zero, -127, 127) psi,
    y2 = max(g, 0), y3 = max(-g, 0), and a learning event where g is not 0

Step 1 resets all. In steps 1 and 2 of a sample y2 = y3 = 64, the sign to forget the tag, as in
`lif_eligible`.

Source: G. Bellec et al., Nature Communications 11, 3625 (2020), doi 10.1038/s41467-020-17236-y.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

LIF_ADAPTIVE = parse_neuron("""
neuron lif_adaptive(du_keep, dv_keep, threshold, band, feedback_shift, first, keep, rise) {
  table bias
  state u, v, m, fired
  at 1
    u = reset
    v = reset
    m = reset
    fired = reset
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
    m = decay m, keep
    jump = shr threshold, rise
    jump = mul jump, fired
    m = add m, jump
    m = min m, 8388607
    level = add threshold, m
    s = gt v, level
    fired = mov s
    gap = sub v, level
    v = select s, 0, v
    gap = abs gap
    psi = ge band, gap
    y1 = shl psi, 5
  at first..period
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
