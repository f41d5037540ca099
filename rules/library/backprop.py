"""Backpropagation with symmetric feedback: errors go down through copies of the forward weights.

    g_l = (B_l g_(l+1)) * f'(v_l),    B_l = W_(l+1)^T,    dw_l = eta g_l x_(l-1)^T

g_(l+1) the error of the layer above (the output's error at the top), W_(l+1) its forward weights,
f' the derivative of the activation, x_(l-1) the layer's input. The chip form of the exact gradient:
the host copies W^T into the feedback synapses at every learning-epoch boundary, and every copied
weight counts as a host word.

Source: D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 533-536 (1986), doi 10.1038/323533a0.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{rumelhart1986learning,
  author = {Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.},
  title = {Learning representations by back-propagating errors},
  journal = {Nature},
  volume = {323},
  pages = {533--536},
  year = {1986},
  doi = {10.1038/323533a0}
}"""


def backprop(
    *, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0, follow: bool = True
) -> LearningRule:
    """Return symmetric backpropagation; eta = mantissa 2^(rate - 3) in weight steps per unit of x1
    and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
        follow: copy W^T at every learning-epoch boundary; false keeps the feedback at its start.
    """
    return LearningRule(
        name="backprop",
        text=(
            f"backprop(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, "
            f"gain={gain}, follow={str(follow).lower()})"
        ),
        equation="g_l = (W_(l+1)^T g_(l+1)) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="upper-error", weights="transpose", delivery="layered", latency=1, gain=gain
        ),
        locality=Locality(
            weight_transport="full",
            feedback="separate synapses that the host keeps equal to W^T, derivative-gated",
            feedback_latency_steps=1,
        ),
        follows=follow,
    )
