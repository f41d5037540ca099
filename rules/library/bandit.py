"""Reward with an action gate: a reward prediction error at the output that acted, sent to all.

    e_a = R r - o_a at the action a that was taken, 0 at the other outputs
    g_l = (B_l e) * f'(v_l),    dw_l = eta g_l x_(l-1)^T

r the reward, R the output that a reward of 1 stands for, o_a the value that the network predicted
for the action: its own baseline. B_l a fixed random matrix from the outputs to layer l, f' the
derivative of the activation, x_(l-1) the layer's input. Actions are the host's, greedy or at random
(`hebbite.rules.objectives.reward`): the rule goes with that objective alone. Every error-driven
rule can be given it, and so learns from reward through another feedback path (``backprop``,
``sign-symmetric`` ...); this one is its direct form. Without the action gate and the prediction a
single global reward teaches a classifier next to nothing (see ``r-stdp``).

Source: P. R. Roelfsema, A. van Ooyen, "Attention-gated reinforcement learning of internal
representations for classification", Neural Computation 17, 2176-2214 (2005), doi
10.1162/0899766054615699; random feedback for its symmetric one: A. Nøkland, arXiv 1609.01596.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{roelfsema2005attention,
  author = {Roelfsema, Pieter R. and van Ooyen, Arjen},
  title = {Attention-gated reinforcement learning of internal representations for classification},
  journal = {Neural Computation},
  volume = {17},
  pages = {2176--2214},
  year = {2005},
  doi = {10.1162/0899766054615699}
}"""


def bandit(
    *, rate: int = -5, mantissa: int = 1, gated: bool = False, gain: int = 0
) -> LearningRule:
    """Return the rule; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
        gain: errors sent back are 2^gain times the default, -6..6.
    """
    return LearningRule(
        name="bandit",
        text=f"bandit(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()}, gain={gain})",
        equation="e_a = R r - o_a, g_l = (B_l e) f'(v_l), dw_l = eta g_l x_(l-1)^T",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="all",
        factors=3,
        networks=("graded",),
        feedback=Feedback(
            source="reward", weights="random", delivery="direct", latency=1, gain=gain
        ),
        locality=Locality(
            phases=2,
            global_signals=("reward of the action",),
            feedback="separate synapses from the output that acted, derivative-gated",
            feedback_latency_steps=1,
        ),
    )
