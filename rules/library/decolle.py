"""DECOLLE: every population of spiking neurons learns from a fixed random readout of its own.

    dw_ji = eta sum_t psi_j(t) xbar_i(t) sum_k G_kj e_k(t),    e_k = target_k - sum_j G_kj sbar_j(t)

G fixed random weights from a population to its local readout, a leaky integrator; its error e comes
back through the same weights and goes no deeper. xbar_i filtered spikes of line i (trace x1), psi_j
the pseudo-derivative, sbar_j filtered spikes of neuron j, eta = mantissa 2^(rate - 3). The output
of the network learns from its own error. The sum runs over the last ``steps`` steps of a sample.

``trigger``: errors smaller than this, in payload units, are not sent, so that most steps cost no
update (SOEL): T. C. Stewart et al., "Online few-shot gesture learning on a neuromorphic processor",
arXiv 2008.01151 (2020).

Source: J. Kaiser, H. Mostafa, E. Neftci, "Synaptic plasticity dynamics for deep continuous local
learning (DECOLLE)", Frontiers in Neuroscience 14, 424 (2020), doi 10.3389/fnins.2020.00424.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import event_update, in_range
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{kaiser2020synaptic,
  author = {Kaiser, Jacques and Mostafa, Hesham and Neftci, Emre},
  title = {Synaptic plasticity dynamics for deep continuous local learning ({DECOLLE})},
  journal = {Frontiers in Neuroscience},
  volume = {14},
  pages = {424},
  year = {2020},
  doi = {10.3389/fnins.2020.00424}
}"""


def decolle(
    *,
    rate: int = -6,
    mantissa: int = 1,
    gain: int = 0,
    steps: int = 2,
    width: int = 1,
    trigger: int = 0,
) -> LearningRule:
    """Return DECOLLE.

    Args:
        rate: exponent, -7..8.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        steps: learning happens in the last ``steps`` steps of a sample, 1..62.
        width: psi is 1 within 2^width thresholds of the threshold, -6..2.
        trigger: local errors below it are not sent, 0..127; the objective's margin is the least.

    Raises:
        UsageError: HB0409 for a gain, HB0447 for another number out of range.
    """
    in_range("steps", steps, 1, 62)
    in_range("width", width, -6, 2)
    in_range("trigger", trigger, 0, 127)
    return LearningRule(
        name="decolle",
        text=(
            f"decolle(rate={rate}, mantissa={mantissa}, gain={gain}, steps={steps}, width={width}, "
            f"trigger={trigger})"
        ),
        equation="dw_ji = eta sum_t psi_j xbar_i sum_k G_kj e_k, e = target - G sbar",
        citation=CITATION,
        dw=event_update(rate=rate, mantissa=mantissa),
        learns="all",
        factors=3,
        networks=("spiking",),
        feedback=Feedback(
            source="local-readout",
            weights="random",
            delivery="direct",
            latency=1,
            gain=gain,
            trigger=trigger,
        ),
        steps=steps,
        width=width,
        locality=Locality(
            feedback="the fixed synapses of a readout of the population's own, backwards, gated by "
            "the pseudo-derivative",
            feedback_latency_steps=1,
        ),
    )
