"""Readout of the class of the unit that won.

    v = what the winner's synapse brings, at ``fire``; y2 = 64 where somebody teaches (code not 0)
    y1 = 127 for the class that is taught (code above 1)

`LABEL` says no more; `VERDICT` also sends, from the unit of the class that is taught, e = 1 if the
winner has this class (v > 0), else 2.
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.compiler.program.neuron import parse_neuron

LABEL = parse_neuron("""
neuron label(fire) {
  state v
  at 1
    v = reset
    y1 = mov 0
    y2 = mov 0
  at fire
    v = mov a
    taught = ne third, 0
    on = gt third, 1
    y1 = mul on, 127
    y2 = shl taught, 6
}
""")
_JUDGE = parse_neuron("""
neuron judge(fire) {
  state v, on
  at fire
    mine = gt v, 0
    verdict = sub 2, mine
    e = mul verdict, on
}
""")
VERDICT = replace(LABEL, name="verdict", instructions=(*LABEL.instructions, *_JUDGE.instructions))
