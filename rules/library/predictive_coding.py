"""Predictive coding: every layer predicts the next, and errors of prediction settle, then teach.

    e_l = v_l - W_l x_(l-1),   x_l = f(v_l)              error of what the layer below predicts
    dv_l/dt = -e_l + f'(v_l) W_(l+1)^T e_(l+1)           until it settles
    dw_l = eta e_l x_(l-1)^T

e_L of the output is -dF/dv_L. Predictions W_l x_(l-1) and slopes are fixed, as they were before the
output was taught, and only errors settle:

    e_l <- (1 - a) e_l + a f'(v_l) W_(l+1)^T e_(l+1)

whose end is the gradient itself, d_l = -dF/dv_l, for every 0 < a <= 1; with a = 1 it is reached
after one step a hidden layer, exactly.

On the chip a = 1: errors come down one layer a step through copies of W^T, and integer for integer
this is the program of `backprop`. What predictive coding adds on paper, a settling that waits for
no schedule, has nothing left to do there; what it needs as much, feedback weights equal to W^T, the
host copies. Where values move while errors settle, the update is another one, and tends to the
gradient as the error of the output goes to 0: see `hebbite.runtime.credit.predicted`, which has it
in real numbers; it is not lowered.

Measured: digits, 64-32-10 from random weights, 12 epochs, rate chosen on validation data, 3 seeds:
test accuracy 0.965 +- 0.034 (95 % interval of the mean), that of `backprop` to the last bit;
`frozen` 0.804 +- 0.129.

Source: J. C. R. Whittington, R. Bogacz, "An approximation of the error backpropagation algorithm in
a predictive coding network with local Hebbian synaptic plasticity", Neural Computation 29,
1229-1262 (2017), doi 10.1162/NECO_a_00949; the idea: R. P. N. Rao, D. H. Ballard, "Predictive
coding in the visual cortex", Nature Neuroscience 2, 79-87 (1999), doi 10.1038/4580; fixed
predictions: B. Millidge, A. Tschantz, C. L. Buckley, "Predictive coding approximates backprop along
arbitrary computation graphs", Neural Computation 34, 1329-1368 (2022), doi 10.1162/neco_a_01497;
unit steps: Y. Song, T. Lukasiewicz, Z. Xu, R. Bogacz, "Can the brain do backpropagation? Exact
implementation of backpropagation in predictive coding networks", NeurIPS 33 (2020).
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{whittington2017approximation,
  author = {Whittington, James C. R. and Bogacz, Rafal},
  title = {An approximation of the error backpropagation algorithm in a predictive coding network
    with local {H}ebbian synaptic plasticity},
  journal = {Neural Computation},
  volume = {29},
  pages = {1229--1262},
  year = {2017},
  doi = {10.1162/NECO_a_00949}
}"""


def predictive_coding(
    *,
    rate: int = -5,
    mantissa: int = 1,
    gated: bool = False,
    gain: int = 0,
    follow: bool = True,
) -> LearningRule:
    """Return predictive coding; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and
    error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
        follow: copy W^T at every learning-epoch boundary; false keeps the feedback at its start.
    """
    return LearningRule(
        name="predictive-coding",
        text=(
            f"predictive-coding(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, "
            f"gain={gain}, follow={str(follow).lower()})"
        ),
        equation="e_l <- f'(v_l) W_(l+1)^T e_(l+1), dw_l = eta e_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="prediction-error",
            weights="transpose",
            delivery="layered",
            latency=1,
            gain=gain,
        ),
        locality=Locality(
            weight_transport="full",
            feedback="separate synapses that the host keeps equal to W^T, derivative-gated",
            feedback_latency_steps=1,
        ),
        follows=follow,
    )
