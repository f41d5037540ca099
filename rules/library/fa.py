"""Feedback alignment: errors go down layer by layer through fixed random weights.

    g_l = (B_l g_(l+1)) * f'(v_l),    dw_l = eta g_l x_(l-1)^T

g_(l+1) the error of the layer above (the output's error at the top), B_l a fixed random matrix, f'
the derivative of the activation, x_(l-1) the layer's input.

Source: T. P. Lillicrap, D. Cownden, D. B. Tweed, C. J. Akerman, "Random synaptic feedback weights
support error backpropagation for deep learning", Nature Communications 7, 13276 (2016), doi
10.1038/ncomms13276.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{lillicrap2016random,
  author = {Lillicrap, Timothy P. and Cownden, Daniel and Tweed, Douglas B. and Akerman, Colin J.},
  title = {Random synaptic feedback weights support error backpropagation for deep learning},
  journal = {Nature Communications},
  volume = {7},
  pages = {13276},
  year = {2016},
  doi = {10.1038/ncomms13276}
}"""


def fa(*, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0) -> LearningRule:
    """Return feedback alignment; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and
    error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
    """
    return LearningRule(
        name="fa",
        text=f"fa(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, gain={gain})",
        equation="g_l = (B_l g_(l+1)) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="upper-error", weights="random", delivery="layered", latency=1, gain=gain
        ),
        locality=Locality(
            weight_transport="none",
            feedback="separate synapses from the layer above, derivative-gated",
            feedback_latency_steps=1,
        ),
    )
