"""Direct random target projection: the target itself, not the error, is sent to every layer.

    g_l = (B_l t) * f'(v_l),    dw_l = eta g_l x_(l-1)^T

t the target (for a classifier one-hot, at the objective's target rate), B_l a fixed random matrix
from the targets to layer l, f' the derivative of the activation, x_(l-1) the layer's input. For
independent targets the sign of an output's error is known from the target alone, so a hidden layer
need not wait for the output: it learns in the step in which it fires. The readout learns from its
own error.

The signal never becomes 0, however small the error is: hidden weights go on moving, and saturate in
a long training.

Source: C. Frenkel, M. Lefebvre, D. Bol, "Learning without feedback: fixed random learning signals
allow for feedforward training of deep neural networks", Frontiers in Neuroscience 15, 629892
(2021), doi 10.3389/fnins.2021.629892.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{frenkel2021learning,
  author = {Frenkel, Charlotte and Lefebvre, Martin and Bol, David},
  title = {Learning without feedback: fixed random learning signals allow for feedforward training
    of deep neural networks},
  journal = {Frontiers in Neuroscience},
  volume = {15},
  pages = {629892},
  year = {2021},
  doi = {10.3389/fnins.2021.629892}
}"""


def drtp(*, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0) -> LearningRule:
    """Return direct random target projection; eta = mantissa 2^(rate - 3) in weight steps per unit
    of x1 and signal.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose signal is not 0.
        gain: targets arrive 2^gain times the default, -6..6.
    """
    return LearningRule(
        name="drtp",
        text=f"drtp(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, gain={gain})",
        equation="g_l = (B_l t) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="target", weights="random", delivery="direct", latency=0, gain=gain
        ),
        locality=Locality(
            weight_transport="none",
            feedback="separate synapses from the target, derivative-gated",
            feedback_latency_steps=0,
        ),
    )
