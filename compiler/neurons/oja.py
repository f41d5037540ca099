"""Linear unit that shows its output, with its sign, to its synapses.

y = clip(floor(v / 2^shift + 1/2), -127, 127),  v = sum of inputs in the sample's last step
y2 = max(y, 0), y3 = max(-y, 0), s = y
"""

from __future__ import annotations

from hebbite.compiler.program.neuron import parse_neuron

OJA = parse_neuron("""
neuron oja(shift, half) {
  state v
  at 1
    v = reset
    y2 = mov 0
    y3 = mov 0
  at period
    v = max a, -8388607
    v = min v, 8388607
    y = add v, half
    y = shr y, shift
    y = max y, -127
    y = min y, 127
    s = mov y
    y2 = max y, 0
    y3 = neg y
    y3 = max y3, 0
}
""")
