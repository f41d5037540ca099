"""Direct feedback alignment: the output's error reaches every layer through fixed random weights.

    g_l = (B_l e) * f'(v_l),    dw_l = eta g_l x_(l-1)^T

e output error, B_l a fixed random matrix from the outputs to layer l, f' the derivative of the
activation, x_(l-1) the layer's input. All layers hear the error at the same time.

Source: A. Nøkland, "Direct feedback alignment provides learning in deep neural networks", NeurIPS
29 (2016), arXiv 1609.01596, doi 10.48550/arXiv.1609.01596.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@inproceedings{nokland2016direct,
  author = {N{\\o}kland, Arild},
  title = {Direct feedback alignment provides learning in deep neural networks},
  booktitle = {Advances in Neural Information Processing Systems 29},
  year = {2016},
  doi = {10.48550/arXiv.1609.01596}
}"""


def dfa(*, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0) -> LearningRule:
    """Return direct feedback alignment; eta = mantissa 2^(rate - 3) in weight steps per unit of x1
    and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
    """
    return LearningRule(
        name="dfa",
        text=f"dfa(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, gain={gain})",
        equation="g_l = (B_l e) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="output-error", weights="random", delivery="direct", latency=1, gain=gain
        ),
        locality=Locality(
            weight_transport="none",
            feedback="separate synapses from the output, derivative-gated",
            feedback_latency_steps=1,
        ),
    )
