"""e-prop: what a recurrent network of spiking neurons can know of its gradient while time goes on.

    dw_ji = eta sum_t L_j(t) psi_j(t) xbar_i(t),    L_j(t) = sum_k B_jk e_k(t)

xbar_i(t)  filtered spikes of line i: it rises at a spike and decays with the membrane's time
           constant (trace x1, 7 bits)
psi_j(t)   pseudo-derivative of the spike: 1 where |v_j - theta| <= 2^width theta, else 0
e_k(t)     error of readout k, a leaky integrator: target - output, in payload units (-127..127)
B          feedback weights: random and fixed, or the transposed weights of the readout
eta        mantissa 2^(rate - 3) weight steps per unit of trace and error

The sum runs over the last ``steps`` steps of a sample: there the readout has seen most of it, and
synapses whose neuron has psi = 0 or L = 0 are not visited at all. The filter of the readout is left
out of the eligibility (kappa = 0), so that no synapse needs a memory of its own. Input, recurrent
and readout synapses learn by the same sum; a readout's own error stands for L psi.

Source: G. Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking
neurons", Nature Communications 11, 3625 (2020), doi 10.1038/s41467-020-17236-y.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback, FeedbackWeights
from hebbite.rules.library.pieces import event_update, in_range, one_of, what_learns
from hebbite.rules.locality import Locality, WeightTransport
from hebbite.rules.rule import LearningRule

CITATION = """@article{bellec2020solution,
  author = {Bellec, Guillaume and Scherr, Franz and Subramoney, Anand and Hajek, Elias and
            Salaj, Darjan and Legenstein, Robert and Maass, Wolfgang},
  title = {A solution to the learning dilemma for recurrent networks of spiking neurons},
  journal = {Nature Communications},
  volume = {11},
  pages = {3625},
  year = {2020},
  doi = {10.1038/s41467-020-17236-y}
}"""
WEIGHTS: dict[str, tuple[FeedbackWeights, WeightTransport]] = {
    "random": ("random", "none"),
    "symmetric": ("transpose", "full"),
}


def eprop(
    *,
    rate: int = -6,
    mantissa: int = 1,
    gain: int = 0,
    steps: int = 2,
    width: int = 1,
    feedback: str = "random",
    learns: str = "all",
) -> LearningRule:
    """Return e-prop with kappa = 0.

    Args:
        rate: exponent, -7..8.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        steps: learning happens in the last ``steps`` steps of a sample, 1..62.
        width: psi is 1 within 2^width thresholds of the threshold, -6..2.
        feedback: ``random`` weights, or ``symmetric``: a copy of the readout's, made by the host
            at every boundary of a learning epoch.
        learns: ``all`` synapses, or ``readout``: a baseline whose hidden synapses stay.

    Raises:
        UsageError: HB0448 for an unknown word, HB0447 for a number out of range.
    """
    in_range("steps", steps, 1, 62)
    in_range("width", width, -6, 2)
    weights, transport = WEIGHTS[one_of("feedback", feedback, WEIGHTS)]
    return LearningRule(
        name="eprop",
        text=(
            f"eprop(rate={rate}, mantissa={mantissa}, gain={gain}, steps={steps}, width={width}, "
            f"feedback={feedback}, learns={learns})"
        ),
        equation="dw_ji = eta sum_t L_j(t) psi_j(t) xbar_i(t), L_j = sum_k B_jk e_k(t)",
        citation=CITATION,
        dw=event_update(rate=rate, mantissa=mantissa),
        learns=what_learns(learns),
        factors=3,
        networks=("spiking",),
        feedback=Feedback(
            source="output-error", weights=weights, delivery="direct", latency=1, gain=gain
        ),
        follows=weights == "transpose",
        steps=steps,
        width=width,
        locality=Locality(
            weight_transport=transport,
            feedback="separate synapses from the output, gated by the pseudo-derivative",
            feedback_latency_steps=1,
        ),
    )
