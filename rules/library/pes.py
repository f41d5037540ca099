"""Prescribed error sensitivity: decoders of a population follow an error that they are sent.

    dd_i = kappa E a_i

d_i the decoder of neuron i, a_i its activity, E the error of what is decoded (target less output),
kappa the learning rate. Decoders are the readout's weights here, so the rule is the delta rule
under another name: the same program of the chip.

Source: D. MacNeil, C. Eliasmith, "Fine-tuning and the stability of recurrent neural networks", PLoS
ONE 6, e22885 (2011), doi 10.1371/journal.pone.0022885.
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.rules.library.delta import delta
from hebbite.rules.rule import LearningRule

CITATION = """@article{macneil2011fine,
  author = {MacNeil, David and Eliasmith, Chris},
  title = {Fine-tuning and the stability of recurrent neural networks},
  journal = {PLoS ONE},
  volume = {6},
  pages = {e22885},
  year = {2011},
  doi = {10.1371/journal.pone.0022885}
}"""


def pes(*, rate: int = -5, mantissa: int = 1, gated: bool = False) -> LearningRule:
    """Return prescribed error sensitivity; options as those of the delta rule."""
    readout = delta(rate=rate, mantissa=mantissa, gated=gated)
    return replace(
        readout,
        name="pes",
        text=readout.text.replace("delta", "pes", 1),
        equation="dd_i = kappa E a_i for the decoders, the readout's weights",
        citation=CITATION,
    )
