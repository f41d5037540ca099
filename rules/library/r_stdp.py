"""Reward-modulated spike-timing-dependent plasticity: a pair leaves a tag, reward cashes it.

    dt = 2^-up x1    at a postsynaptic spike (pre before post)
       - 2^-down y1  at a presynaptic spike (post before pre)
       - 2^-decay t  in every step
    dw = 2^(rate - 5) t r,    r = R - <R>

t the tag of a synapse (-257..255), its eligibility: a decaying memory, with a time constant of
2^decay steps, of how its spikes were paired. x1, y1 traces of pre and post spikes: they rise by an
impulse and decay with tau (steps). r the reward R of a sample less its running mean <R>, -127..127,
the same for every synapse; it arrives once, in the last step of a sample, as y2 - y3. Weights are
in steps of the chip's weight; the 5 bits are those that the chip drops of a product of t and y.

R is made on the chip: every output spike of the right class earns 1, one of a wrong class costs 1.
A teacher says which class is right; without one there is no reward.

Not useful here as a classifier: one number for all synapses says little about which of them was
right. Two classes of 16 lines (which half is bright), two output units, defaults, 8 epochs of 200
samples: accuracy 0.63 on average of six seeds, 0.67 with the weights it began with; the difference
is -0.04, 95 % interval -0.20..0.12, and chance is 0.5. Slower rates over 40 epochs end at 0.49.
What the rule does do, pair by pair, is what its papers say. For credit neuron by neuron: dfa.

Sources: E. M. Izhikevich, "Solving the distal reward problem through linkage of STDP and dopamine
signaling", Cerebral Cortex 17, 2443-2452 (2007), doi 10.1093/cercor/bhl152; N. Fremaux, W.
Gerstner, "Neuromodulated spike-timing-dependent plasticity, and theory of three-factor learning
rules", Frontiers in Neural Circuits 9, 85 (2016), doi 10.3389/fncir.2015.00085 (the mean reward as
baseline).
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import in_range
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

CITATION = """@article{izhikevich2007solving,
  author = {Izhikevich, Eugene M.},
  title = {Solving the distal reward problem through linkage of {STDP} and dopamine signaling},
  journal = {Cerebral Cortex},
  volume = {17},
  pages = {2443--2452},
  year = {2007},
  doi = {10.1093/cercor/bhl152}
}"""


def r_stdp(
    *,
    rate: int = -6,
    up: int = 0,
    down: int = 4,
    decay: int = 5,
    tau_pre: int = 10,
    tau_post: int = 10,
    impulse_pre: int = 16,
    impulse_post: int = 16,
    gain: int = 0,
) -> LearningRule:
    """Return reward-modulated STDP.

    Args:
        rate: a weight changes by 2^(rate - 5) steps per unit of tag and reward, -7..8.
        up, down: the tag changes by 2^-up and 2^-down per unit of trace, -8..7.
        decay: the tag loses 2^-decay of itself a step, 1..7.
        tau_pre, tau_post: time constants in steps, 1..65535.
        impulse_pre, impulse_post: what a spike adds to its trace, 0..127.
        gain: a spike counts 2^gain times the default of 8 units of reward, -6..6.

    Raises:
        UsageError: HB0446 for a trace, HB0447 for a scale, HB0409 for a gain out of range.
    """
    in_range("rate", rate, -7, 8)
    in_range("up", up, -8, 7)
    in_range("down", down, -8, 7)
    in_range("decay", decay, 1, 7)
    mark = (
        Product(1, -up, "y0", (Factor("x1"),)),
        Product(-1, -down, "x0", (Factor("y1"),)),
        Product(-1, -decay, "u0", (Factor("t"),)),
    )
    cash = tuple(
        Product(sign, rate, "u0", (Factor("t"), Factor(trace)))
        for sign, trace in ((1, "y2"), (-1, "y3"))
    )
    return LearningRule(
        name="r-stdp",
        text=(
            f"r-stdp(rate={rate}, up={up}, down={down}, decay={decay}, tau_pre={tau_pre}, "
            f"tau_post={tau_post}, impulse_pre={impulse_pre}, impulse_post={impulse_post}, "
            f"gain={gain})"
        ),
        equation="dt = STDP - 2^-decay t, dw = eta t (R - <R>); a weak rule: one R for all",
        citation=CITATION,
        dw=SumOfProducts("dw", cash),
        dt=SumOfProducts("dt", mark),
        learns="all",
        factors=3,
        networks=("spiking",),
        signal="reward",
        feedback=Feedback(
            source="reward", weights="none", delivery="broadcast", latency=2, gain=gain
        ),
        locality=Locality(
            global_signals=("reward less its mean",),
            feedback="one sum from the output to every neuron, no derivative",
            feedback_latency_steps=2,
        ),
        traces=(
            ("x1", Trace(tau=tau_pre, impulse=impulse_pre)),
            ("y1", Trace(tau=tau_post, impulse=impulse_post)),
        ),
    )
