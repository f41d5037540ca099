"""Node perturbation: every hidden unit tries a change of its own and hears whether it helped.

    F' = F(v + sigma xi),    g_i = -(F' - F) xi_i / sigma,    dw_ij = eta g_i x_j

F the objective, v the potentials of all hidden units, xi their perturbations, each +1 or -1 with
chance 1/2, sigma the amplitude, x the input of a layer in the unperturbed pass. The mean of g is
-dF/dv for small sigma, without feedback weights and without a derivative; its variance grows with
the number N of perturbed units: the variance of a single g, summed over units, is N - 1 times the
squared gradient. The readout learns from its own error.

On the chip a sample has two passes, with noise and without, in one learning epoch; the output sends
2 F of each of its units in both, and every hidden unit hears the sum. A unit that sent the same
payload in both passes learns nothing from that sample.

Source: R. J. Williams, "Simple statistical gradient-following algorithms for connectionist
reinforcement learning", Machine Learning 8, 229-256 (1992), doi 10.1007/BF00992696; with two
passes: I. R. Fiete and H. S. Seung, "Gradient learning in spiking neural networks by dynamic
perturbation of conductances", Physical Review Letters 97, 048104 (2006), doi
10.1103/PhysRevLett.97.048104; its variance: J. Werfel, X. Xie, H. S. Seung, "Learning curves for
stochastic gradient descent in linear feedforward networks", Neural Computation 17, 2699-2718
(2005), doi 10.1162/089976605774320539.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{williams1992simple,
  author = {Williams, Ronald J.},
  title = {Simple statistical gradient-following algorithms for connectionist reinforcement
    learning},
  journal = {Machine Learning},
  volume = {8},
  pages = {229--256},
  year = {1992},
  doi = {10.1007/BF00992696}
}"""


def node_perturbation(
    *, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0, amplitude: int = 2
) -> LearningRule:
    """Return node perturbation; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and
    error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: changes of the objective count 2^gain times the default, -6..6.
        amplitude: a potential is changed by 2^amplitude steps of the payload, 0..6.
    """
    return LearningRule(
        name="node-perturbation",
        text=(
            f"node-perturbation(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, "
            f"gain={gain}, amplitude={amplitude})"
        ),
        equation="g_i = -(F(v + sigma xi) - F(v)) xi_i / sigma, dw_ij = eta g_i x_j",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="perturbation",
            weights="none",
            delivery="broadcast",
            latency=1,
            gain=gain,
            amplitude=amplitude,
        ),
        locality=Locality(
            phases=2,
            global_signals=("change of the objective",),
            feedback="one sum from the output to every hidden neuron, no derivative",
            feedback_latency_steps=1,
        ),
    )
