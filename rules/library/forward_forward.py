"""Forward-forward: every layer learns to be lively for right samples and quiet for wrong ones.

    G_l = sum_j h_l,j^2,   n_l = h_l / |h_l|,   h_(l+1) = max(W_(l+1) n_l, 0)
    dw_ij = eta s (1 - p) h_i n_j,   1 - p = 1 / (1 + exp(s (G - theta) / T))

h_l the activity of a layer, G_l its goodness, theta a threshold, T a temperature, s = +1 for a
sample that carries its own label and -1 for one with a wrong label; p is what the layer gives for
being right, so the update follows the gradient of log p, layer by layer: nothing comes down from
above. The label is one-hot on the first lines of the input, whose own values it replaces. A sample
is classified by showing it with every label in turn; the goodness of all layers is added up.

On the chip each unit sends h^2 through a group of ones and hears G a step later; 1 - p and 1 / |h|
are read from tables of G. The host writes labels into samples, the right or a wrong one with
chance 1/2, drawn by seed. The last stage of a network, its linear readout, has no part in it.

Measured: digits, 64-32-10 from random weights, 12 epochs, rate and threshold chosen on validation
data, 3 seeds: test accuracy 0.926 +- 0.028 (95 % interval of the mean), `backprop` 0.965 +- 0.034,
`frozen` 0.804 +- 0.129, chance 0.1. A sample has 3 steps to learn, and 3 a label to be classified.

Source: G. Hinton, "The forward-forward algorithm: some preliminary investigations" (2022), arXiv
2212.13345, doi 10.48550/arXiv.2212.13345.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{hinton2022forward,
  author = {Hinton, Geoffrey},
  title = {The forward-forward algorithm: some preliminary investigations},
  journal = {arXiv preprint arXiv:2212.13345},
  year = {2022},
  doi = {10.48550/arXiv.2212.13345}
}"""


def forward_forward(
    *, rate: int = -7, mantissa: int = 1, gated: bool = False, gain: int = 0
) -> LearningRule:
    """Return forward-forward; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and of
    s (1 - p) h.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons that have something to learn.
        gain: the threshold theta is 2^gain times the goodness before learning, -6..6.
    """
    return LearningRule(
        name="forward-forward",
        text=(
            f"forward-forward(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, "
            f"gain={gain})"
        ),
        equation="dw_ij = eta s (1 - p) h_i n_j, p = sigma(s (sum h^2 - theta))",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="goodness",
        feedback=Feedback(source="goodness", delivery="broadcast", latency=1, gain=gain),
        locality=Locality(
            phases=2,
            global_signals=("goodness of the own layer", "whether the label is right"),
            feedback="one sum within each layer",
            feedback_latency_steps=1,
        ),
    )
