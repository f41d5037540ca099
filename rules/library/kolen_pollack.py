"""Kolen-Pollack: feedback weights learn to be the transposed forward weights, nothing is carried.

    g_l = (B_l g_(l+1)) * f'(v_l)
    dW_(l+1) = eta g_(l+1) x_l^T - lambda W_(l+1)
    dB_l     = eta x_l g_(l+1)^T - lambda B_l,         B_l random at the start

g_(l+1) the error of the layer above (the output's error at the top), x_l the activity of the layer,
f' the derivative of the activation, eta the learning rate, lambda the decay. A synapse and its twin
see the same pair of activity and error, so their updates are equal, and what is left of the start
decays:

    d(B - W^T) = -lambda (B - W^T)

On the chip lambda = 2^-decay at every 2^every-th learning epoch, for every synapse. Errors are kept
within -63..63, so that the trace x1 of a feedback synapse holds g + 64; its y1 is the x1 of the
forward synapse. Both updates are m 2^(rate - 3) x1 g in the mean, m the mantissa. With one random
number for all synapses (rounding ``lava-exact``) twins round alike; with independent numbers a
floor of noise remains between them. The bias line has no twin.

Source: J. F. Kolen, J. B. Pollack, "Backpropagation without weight transport", Proceedings of the
IEEE International Conference on Neural Networks 3, 1375-1380 (1994), doi 10.1109/ICNN.1994.374486;
with decay in deep networks: M. Akrout, C. Wilson, P. C. Humphreys, T. Lillicrap, D. Tweed, "Deep
learning without weight transport", NeurIPS 32 (2019), arXiv 1904.05391.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import decay_update, error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts

CITATION = """@inproceedings{kolen1994backpropagation,
  author = {Kolen, John F. and Pollack, Jordan B.},
  title = {Backpropagation without weight transport},
  booktitle = {Proceedings of the IEEE International Conference on Neural Networks},
  volume = {3},
  pages = {1375--1380},
  year = {1994},
  doi = {10.1109/ICNN.1994.374486}
}"""


def kolen_pollack(
    *, rate: int = -5, mantissa: int = 1, gain: int = 0, decay: int = 5, every: int = 8
) -> LearningRule:
    """Return Kolen-Pollack; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and error.

    Args:
        rate: exponent, -7..8.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        decay: weights lose 2^-decay of themselves at a time, 1..7.
        every: they do so at every 2^every-th learning epoch, 0..9.
    """
    forward = error_update(rate=rate, mantissa=mantissa, gated=False)
    shrink = decay_update(decay=decay, every=every)
    twin = Product(mantissa, rate, "x0", (Factor("x1", -64), Factor("y1")))
    return LearningRule(
        name="kolen-pollack",
        text=(
            f"kolen-pollack(rate={rate}, mantissa={mantissa}, gain={gain}, "
            f"decay={decay}, every={every})"
        ),
        equation=(
            "g_l = (B_l g_(l+1)) f'(v_l), dw_l = eta g_l x_(l-1)^T - lambda w_l, "
            "dB_l = eta x_l g_(l+1)^T - lambda B_l"
        ),
        citation=CITATION,
        dw=SumOfProducts("dw", (*forward.products, shrink)),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="upper-error", weights="learned", delivery="layered", latency=1, gain=gain
        ),
        locality=Locality(
            weight_transport="learned",
            feedback="separate synapses that learn the transposed update, derivative-gated",
            feedback_latency_steps=1,
        ),
        feedback_dw=SumOfProducts("dw", (twin, shrink)),
    )
