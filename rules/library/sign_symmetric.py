"""Sign-symmetric feedback: errors go down through the signs of the forward weights.

    g_l = (B_l g_(l+1)) * f'(v_l),    B_l = c sign(W_(l+1)^T),    dw_l = eta g_l x_(l-1)^T

g_(l+1) the error of the layer above (the output's error at the top), W_(l+1) its forward weights, c
one magnitude for all feedback weights (the setting ``feedback_rms``, made even), f' the derivative
of the activation, x_(l-1) the layer's input. What is carried from a forward weight to its feedback
weight is one bit, the sign bit of its word: sign(w) = 1 for w >= 0, -1 for w < 0, so a weight of 0
counts as positive. The host refreshes the signs at every learning-epoch boundary, one host word a
synapse. For Gaussian weights the angle between B and W^T is acos(sqrt(2 / pi)) = 37.1 degrees.

Source: Q. Liao, J. Z. Leibo, T. Poggio, "How important is weight symmetry in backpropagation?",
AAAI-16 (2016), arXiv 1510.05067, doi 10.48550/arXiv.1510.05067; at scale: W. Xiao,
H. Chen, Q. Liao, T. Poggio, "Biologically-plausible learning algorithms can scale to large
datasets", ICLR 2019, arXiv 1811.03567.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@inproceedings{liao2016important,
  author = {Liao, Qianli and Leibo, Joel Z. and Poggio, Tomaso},
  title = {How important is weight symmetry in backpropagation?},
  booktitle = {Proceedings of the Thirtieth AAAI Conference on Artificial Intelligence},
  year = {2016},
  doi = {10.48550/arXiv.1510.05067}
}"""


def sign_symmetric(
    *, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0, follow: bool = True
) -> LearningRule:
    """Return sign-symmetric feedback; eta = mantissa 2^(rate - 3) in weight steps per unit of x1
    and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
        follow: refresh the signs at every learning-epoch boundary; false keeps those of the start.
    """
    return LearningRule(
        name="sign-symmetric",
        text=(
            f"sign-symmetric(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, "
            f"gain={gain}, follow={str(follow).lower()})"
        ),
        equation="g_l = (c sign(W_(l+1)^T) g_(l+1)) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="upper-error", weights="sign", delivery="layered", latency=1, gain=gain
        ),
        locality=Locality(
            weight_transport="sign",
            feedback="separate synapses that the host keeps at the sign of W^T, derivative-gated",
            feedback_latency_steps=1,
        ),
        follows=follow,
    )
