"""Backpropagation through time: the host reference, which no chip can run.

    delta_l(t) = (W_(l+1)^T delta_(l+1)(t)) * f'(v_l(t)) + dv_l(t+1)/dv_l(t) delta_l(t+1)
    dw_l = eta sum_t delta_l(t) x_(l-1)(t)^T

delta_l(t) = -dF/dv_l(t), F the objective and v_l(t) the potential at step t, f' a surrogate
derivative of the spike, x_(l-1) the layer's input. A synapse would read the weights of other
synapses (w_next) and errors from the future (delta_next): both are remote, so a chip refuses the
rule by name.

Source: P. J. Werbos, "Backpropagation through time: what it does and how to do it", Proceedings of
the IEEE 78, 1550-1560 (1990), doi 10.1109/5.58337.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import parse_sum

CITATION = """@article{werbos1990backpropagation,
  author = {Werbos, Paul J.},
  title = {Backpropagation through time: what it does and how to do it},
  journal = {Proceedings of the IEEE},
  volume = {78},
  pages = {1550--1560},
  year = {1990},
  doi = {10.1109/5.58337}
}"""


def bptt() -> LearningRule:
    """Return the reference rule."""
    remote = ("w_next", "delta_next")
    return LearningRule(
        name="bptt",
        text="bptt",
        equation="dw_l = eta sum_t delta_l(t) x_(l-1)(t)^T",
        citation=CITATION,
        dw=parse_sum("dw = 2^-6*u0*x1*w_next*delta_next"),
        learns="all",
        factors=3,
        networks=("graded", "spiking"),
        feedback=Feedback(source="upper-error", weights="transpose", delivery="layered", latency=1),
        locality=Locality(
            remote=remote,
            weight_transport="full",
            phases=2,
            feedback="the forward synapses backwards, and backwards in time, derivative-gated",
        ),
        reason=f"its update reads {' and '.join(remote)}, which stand at no synapse of its own",
    )
