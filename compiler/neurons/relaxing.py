"""Neuron programs that settle twice, freely and nudged, and learn from the difference.

From step 2 to the end of a sample every unit sends in every step, up on s and down on e:

    hidden   v = drive + third,  p = min(max(floor(v / 2^shift), 0), 254)
    output   v = a,              o = clip(floor(v / 2^shift) + push, -127, 127)

``drive`` is what comes from below: summed over the sample for the first hidden units, whose input
sends once (``relaxing_first``), and this step's for those above them (``relaxing``). At ``free``
both keep what they send, and the output the push for the rest of the sample:

    push = clip(third - 1 - o, -127, 127) / 2^nudge, 0 without a teacher and within the margin

At the end    g = clip((p - kept) 2^lift / 2^drop, -127, 127), toward zero;  y2 - y3 = g

and hidden units send the payload of the free phase once more, for the traces of their lines; a unit
that was lively in the nudged phase only sends 1, whose half is 0 in the trace. What that adds to
the inputs of the next sample's first step is not read there.
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import NeuronProgram, parse_neuron

LEARN = """
    g = shl g, lift
    g = shrz g, drop
    g = max g, -127
    g = min g, 127
    y2 = max g, 0
    y3 = neg g
    y3 = max y3, 0
    learn = add y2, y3
    bap = gt learn, 0
"""


def _hidden(name: str, drive: str, down: str) -> NeuronProgram:
    return parse_neuron(f"""
neuron {name}(shift, lift, drop, free) {{
  state drive, v, p, kept, tried
  at 1
    drive = reset
    tried = mov 0
    y2 = mov 0
    y3 = mov 0
  at 2..period
    drive = {drive}
    drive = max drive, -8388607
    drive = min drive, 8388607
    v = add drive, third
    v = max v, -8388607
    v = min v, 8388607
    p = shr v, shift
    p = max p, 0
    p = min p, 254
    s = mov p
    {down}
    tried = max tried, p
  at free
    kept = mov p
  at period
    g = sub p, kept
    {LEARN}
    lively = gt tried, 0
    s = max kept, lively
}}
""")


RELAXING = _hidden("relaxing", "mov a", "e = mov p")
RELAXING_FIRST = _hidden("relaxing_first", "add drive, a", "")
NUDGED = parse_neuron(f"""
neuron nudged(shift, margin, error_shift, nudge, lift, drop, free) {{
  state v, o, kept, push
  at 1
    v = reset
    push = mov 0
    y2 = mov 0
    y3 = mov 0
  at 2..period
    v = max a, -8388607
    v = min v, 8388607
    o = shr v, shift
    o = add o, push
    o = max o, -127
    o = min o, 127
    e = mov o
  at free
    kept = mov o
    d = sub third, 1
    d = sub d, o
    d = max d, -127
    d = min d, 127
    taught = ne third, 0
    d = mul d, taught
    size = abs d
    large = ge size, margin
    d = mul d, large
    push = shrz d, nudge
  at period
    g = sub o, kept
    {LEARN}
}}
""")
