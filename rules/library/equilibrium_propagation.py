"""Equilibrium propagation: a network settles freely, then nudged, and learns the difference.

    x_l = f(W_l x_(l-1) + gamma W_(l+1)^T x_(l+1)),   x_L = f(W_L x_(L-1) + beta (-dF/dx_L))
    dw_l = eta (x_l^beta - x_l^0) x_(l-1)^0T / (beta gamma^(L-l))

x^0 payloads after the free phase (beta = 0), x^beta after the nudged one, F the objective, gamma
the strength of the way down. The states are those of least energy

    E = sum_l gamma^l [ sum_i int_0^(x_l,i) f^-1 - x_l^T W_l x_(l-1) ] + beta gamma^L F

so the couplings are symmetric up to gamma and the theorem of the paper holds. What is approached as
beta -> 0, with an error linear in beta, is the gradient of F *at the free equilibrium of this
network*, which has a way down, with respect to the weights of the way up alone; it is not that of
the feed-forward network on the same weights, and the credit report counts the difference as bias.
That falls linearly with gamma too: as gamma -> 0 the free equilibrium is the feed-forward activity,
and the update backpropagation (Xie and Seung). The paper's update, x_l x_(l-1)^T nudged less free,
has the change of x_(l-1) in it too: it is the gradient where a weight and its copy on the way down
move as one.

On the chip units send in every step, the host copies W^T to the way down at every learning epoch,
and a phase has ``steps`` steps, a sample two phases and one step. The output holds, over the
nudged phase, the error that it had after the free one, which is the same to first order in beta.

Measured: digits, 64-32-10 from random weights, 12 epochs, rate chosen on validation data, 3 seeds:
test accuracy 0.965 +- 0.026 (95 % interval of the mean), `backprop` 0.965 +- 0.034, `frozen` 0.804
+- 0.129. There the free phase settles within 5 steps, so the default of 10 leaves a margin for
weights that grow; a sample has 21 steps against the 4 of `backprop`.

Source: B. Scellier, Y. Bengio, "Equilibrium propagation: bridging the gap between energy-based
models and backpropagation", Frontiers in Computational Neuroscience 11, 24 (2017), doi
10.3389/fncom.2017.00024; weak ways down: X. Xie, H. S. Seung, "Equivalence of backpropagation and
contrastive Hebbian learning in a layered network", Neural Computation 15, 441-454 (2003), doi
10.1162/089976603762552988.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.relaxation import Relaxation
from hebbite.rules.rule import LearningRule

CITATION = """@article{scellier2017equilibrium,
  author = {Scellier, Benjamin and Bengio, Yoshua},
  title = {Equilibrium propagation: bridging the gap between energy-based models and
    backpropagation},
  journal = {Frontiers in Computational Neuroscience},
  volume = {11},
  pages = {24},
  year = {2017},
  doi = {10.3389/fncom.2017.00024}
}"""


def equilibrium_propagation(
    *,
    rate: int = -5,
    mantissa: int = 1,
    gated: bool = False,
    gain: int = 0,
    nudge: int = 0,
    coupling: int = 2,
    steps: int = 10,
) -> LearningRule:
    """Return equilibrium propagation; eta = mantissa 2^(rate - 3) in weight steps per unit of x1
    and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors of hidden units count 2^gain times the default, which is 4 times what the
            equation says: as much as errors that other rules send back; -6..6.
        nudge: beta = 2^-nudge, 0..8.
        coupling: gamma = 2^-coupling, 0..8.
        steps: steps of a phase, 1..31.
    """
    return LearningRule(
        name="equilibrium-propagation",
        text=(
            f"equilibrium-propagation(rate={rate}, mantissa={mantissa}, "
            f"gated={str(gated).lower()}, gain={gain}, nudge={nudge}, coupling={coupling}, "
            f"steps={steps})"
        ),
        equation="dw_l = eta (x_l^beta - x_l^0) x_(l-1)^0T / (beta gamma^(L-l))",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="relaxation",
        feedback=Feedback(
            source="nudge",
            weights="transpose",
            delivery="layered",
            latency=1,
            gain=gain,
            relaxation=Relaxation(nudge=nudge, coupling=coupling, steps=steps),
        ),
        locality=Locality(
            weight_transport="full",
            phases=2,
            feedback="couplings down that the host keeps equal to W^T, in both phases",
            feedback_latency_steps=1,
        ),
        follows=True,
    )
