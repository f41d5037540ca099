"""The baseline of every table: hidden layers stay as they were drawn, the readout learns by delta.

    dw_ji = eta (t_j - o_j) x_i   for the output,   dw_ji = 0   elsewhere

What a rule gains over this is what its credit assignment is worth: fixed random features alone can
reach a high accuracy on easy data.

Source: G.-B. Huang, Q.-Y. Zhu, C.-K. Siew, "Extreme learning machine: theory and applications",
Neurocomputing 70, 489-501 (2006), doi 10.1016/j.neucom.2005.12.126.
"""

from __future__ import annotations

from dataclasses import replace

from hebbite.rules.library.delta import delta
from hebbite.rules.rule import LearningRule

CITATION = """@article{huang2006extreme,
  author = {Huang, Guang-Bin and Zhu, Qin-Yu and Siew, Chee-Kheong},
  title = {Extreme learning machine: theory and applications},
  journal = {Neurocomputing},
  volume = {70},
  pages = {489--501},
  year = {2006},
  doi = {10.1016/j.neucom.2005.12.126}
}"""


def frozen(*, rate: int = -5, mantissa: int = 1, gated: bool = False) -> LearningRule:
    """Return the baseline; options as those of the delta rule."""
    readout = delta(rate=rate, mantissa=mantissa, gated=gated)
    return replace(
        readout,
        name="frozen",
        text=readout.text.replace("delta", "frozen", 1),
        equation="dw_ji = eta (t_j - o_j) x_i for the output, 0 elsewhere",
        citation=CITATION,
    )
