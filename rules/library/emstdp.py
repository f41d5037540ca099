"""EMSTDP: neurons compare what they do with what they do while the error of the output is at work.

    phase 1, T steps   the network runs free:                       h_j spikes of neuron j
    phase 2, T steps   the same input again, and errors as currents: ^h_j spikes of neuron j
    dw_ji = eta (^h_j - h_j) xbar_i

In the second phase every step adds 2^-nudge theta_j g_j / 128 to v_j,

    g_j = clip(sum_k B_jk d_k / 2^shift, -127, 127),    d_k = target_k - 2^n h_k

h, ^h      counts of spikes; what a synapse learns from is 2^n (^h - h) within -127..127, n such
           that the target of a class, 100, is about a quarter of T spikes
^h_k       of an output: its target, so that on one layer the rule is the delta rule on counts
theta_j    threshold of v_j;  B random weights, fixed, from the output to every population
xbar_i     trace x1 of the spikes of line i at the end of the second phase, time constant T / 2
eta        mantissa 2^(rate - 3) weight steps per unit of trace and difference

No derivative is computed: a neuron far from its threshold does not change its count, so that its
difference is 0 whatever error reaches it.

What is approximated. The paper's neurons do not leak, its inputs are regular and its errors are
spikes of two populations, of one sign each; here units leak, one Bernoulli train of spikes is
played twice, so that ^h = h where no error comes, and errors are payloads with a sign. The paper
multiplies by a count; a trace of this class of chip cannot be reset, so that xbar is a count that
fades, of the second phase: exp(-2) is left of the first, exp(-4) of the sample before. The counts
stand in the neuron, and no synapse needs a tag.

Digits, 64-20-10 from random weights, T = 30, 4 epochs, seeds 0, 1, 2: test accuracy 0.89, 0.83,
0.83 by the defaults, which were chosen on validation data; with frozen hidden units
(learns=readout, rate=-4) 0.66, 0.70, 0.69; chance is 0.1.

Source: A. Shrestha, H. Fang, D. P. Rider, Z. Mei, Q. Qiu, "In-hardware learning of multilayer
spiking neural networks on a neuromorphic processor", Design Automation Conference (2021),
doi 10.1109/DAC18074.2021.9586323, arXiv 2105.03649.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import event_update, in_range, what_learns
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@inproceedings{shrestha2021inhardware,
  author = {Shrestha, Amar and Fang, Haowen and Rider, Daniel Patrick and Mei, Zaidao and
            Qiu, Qinru},
  title = {In-hardware learning of multilayer spiking neural networks on a neuromorphic processor},
  booktitle = {Design Automation Conference (DAC)},
  year = {2021},
  doi = {10.1109/DAC18074.2021.9586323}
}"""


def emstdp(
    *,
    rate: int = -5,
    mantissa: int = 1,
    gain: int = 0,
    nudge: int = -2,
    learns: str = "all",
) -> LearningRule:
    """Return EMSTDP; its phases are ``window`` steps each, at most 31.

    Args:
        rate: exponent, -7..8.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        nudge: an error of 128 adds 2^-nudge of the threshold to the potential a step, -3..7.
        learns: ``all`` synapses, or ``readout``: a baseline whose hidden synapses stay.

    Raises:
        UsageError: HB0448 for an unknown word, HB0409 for a gain, HB0447 for another number out of
            range.
    """
    in_range("nudge", nudge, -3, 7)
    return LearningRule(
        name="emstdp",
        text=(
            f"emstdp(rate={rate}, mantissa={mantissa}, gain={gain}, nudge={nudge}, learns={learns})"
        ),
        equation="dw_ji = eta (^h_j - h_j) xbar_i, h of a free phase, ^h of one with errors",
        citation=CITATION,
        dw=event_update(rate=rate, mantissa=mantissa),
        learns=what_learns(learns),
        factors=3,
        networks=("spiking",),
        signal="two-phase",
        feedback=Feedback(
            source="nudge", weights="random", delivery="direct", latency=1, gain=gain
        ),
        constants=(("nudge", nudge),),
        locality=Locality(
            phases=2,
            feedback="separate synapses from the output, as currents that move the activity",
            feedback_latency_steps=1,
        ),
    )
