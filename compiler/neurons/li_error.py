"""Leaky integrator without spikes that compares itself with a target and sends the error.

    v' = clip(trunc(v * dv_keep / 4096) + 64 a + bias, -(2^23 - 1), 2^23 - 1)

In the steps first..last:  o = clip(floor(v' / 2^shift), -127, 127)
                           d = clip(target - 1 - o, -127, 127)
                           d = 0 without a teacher, and where |d| < margin
                           e = d;  g = d / 2^error_shift toward zero;
                           y2 = max(g, 0), y3 = max(-g, 0), a learning event where g is not 0

The target code (target + 1; 0: nobody teaches) arrives at step 1 as ``third`` and is held for the
sample. Step 1 resets v; what arrives in it was sent in the sample before and is not heard.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

LI_ERROR = parse_neuron("""
neuron li_error(dv_keep, shift, margin, error_shift, first, last) {
  table bias
  state v, target
  at 1
    v = reset
    target = mov third
    y2 = mov 0
    y3 = mov 0
  at 2..last
    v = decay v, dv_keep
    current = shl a, 6
    v = add v, current
    drive = each bias
    v = add v, drive
    v = max v, -8388607
    v = min v, 8388607
  at first..last
    o = shr v, shift
    o = max o, -127
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
    e = mov d
    g = shrz d, error_shift
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    bap = ne g, 0
  at period
    y2 = mov 0
    y3 = mov 0
}
""")
