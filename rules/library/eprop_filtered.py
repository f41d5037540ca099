"""e-prop with the eligibility that its paper derives: filtered by the decay of the readout.

    e_ji(t) = 2^-up sum_(s <= t) kappa^(t - s) psi_j(s) xbar_i(s)
    dw_ji   = eta sum_t L_j(t) e_ji(t),    L_j(t) = sum_k B_jk (target_k - o_k(t))

xbar_i(t)  filtered spikes of line i: it rises at a spike and decays with the membrane's time
           constant (trace x1, 0..127)
psi_j(t)   pseudo-derivative of the spike: 1 where |v_j - theta| <= 2^width theta, else 0; the
           neuron writes it in every step, as y1 = 8 psi
e_ji(t)    the tag of the synapse, 0..255: what psi xbar did to the readout that has not faded yet
kappa      what the readout keeps a step; in the tag 1 - m 2^-n, the chip's scale nearest to
           exp(-1 / tau), tau in steps: the setting ``tau_out`` unless told otherwise
L_j(t)     errors sent back in the last ``steps`` steps of a sample, -127..127, as y2 - y3; unlike
           in ``eprop`` no derivative stands in it, for the tag holds that of every step before
B          feedback weights: random and fixed, or the transposed weights of the readout
eta        mantissa 2^(rate - 5) weight steps per unit of tag and error

The sums of a hidden synapse, input and recurrent alike:

    dt = - m 2^-n u0 t - u0 t y2 y3 2^-12 + 2^-up u0 x1 y1 2^-3
    dw = eta y0 t y2 - eta y0 t y3

2^-3, 2^-5 and 2^-12 are the bits that the chip drops of products of these widths. In the first two
steps of a sample the neuron writes y2 = y3 = 64, which takes the tag of the sample before away; no
learning event comes with it, so that no weight hears of it. A readout's synapses have no tag: there
the filter is the trace x1, and the update is the one of ``eprop``.

Price: the tag of every hidden synapse is computed in every step, whatever was sent, and takes 9
bits more of a synapse; weights are visited in the last ``steps`` steps alone, but densely: wherever
L is not 0. ``eprop`` leaves the filter out and visits only where psi is 1 and L is not 0.

Source: G. Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking
neurons", Nature Communications 11, 3625 (2020), doi 10.1038/s41467-020-17236-y.
"""

from __future__ import annotations

from hebbite.rules.errors import Problem
from hebbite.rules.feedback import Feedback
from hebbite.rules.library.eprop import CITATION, WEIGHTS
from hebbite.rules.library.pieces import event_update, in_range, one_of
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.scale import nearest_scale
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import kept

EXACT = 50
"""Bits of exp(-1/tau): more than the choice of a scale can see."""
LONGEST = 127
"""A longer time constant loses less than the smallest scale of the chip, 2^-7."""


def eprop_filtered(
    *,
    rate: int = -6,
    mantissa: int = 1,
    gain: int = 0,
    steps: int = 2,
    width: int = 0,
    tau: int = 24,
    up: int = 1,
    feedback: str = "random",
) -> LearningRule:
    """Return e-prop with a filtered eligibility.

    Args:
        rate: exponent, -7..8.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        steps: learning happens in the last ``steps`` steps of a sample, 1..62.
        width: psi is 1 within 2^width thresholds of the threshold, -6..2.
        tau: time constant of the eligibility in steps, 1..127; that of the readout is ``tau_out``.
        up: the eligibility rises by 2^-up of the trace, 0..7; it holds 255 at most.
        feedback: ``random`` weights, or ``symmetric``: a copy of the readout's, made by the host
            at every boundary of a learning epoch.

    Raises:
        UsageError: HB0448 for an unknown word, HB0409 for a gain, HB0447 for another number out of
            range.
    """
    in_range("steps", steps, 1, 62)
    in_range("width", width, -6, 2)
    in_range("tau", tau, 1, LONGEST)
    in_range("up", up, 0, 7)
    weights, transport = WEIGHTS[one_of("feedback", feedback, WEIGHTS)]
    return LearningRule(
        name="eprop-filtered",
        text=(
            f"eprop-filtered(rate={rate}, mantissa={mantissa}, gain={gain}, steps={steps}, "
            f"width={width}, tau={tau}, up={up}, feedback={feedback})"
        ),
        equation="dw_ji = eta sum_t L_j(t) sum_(s <= t) kappa^(t - s) psi_j(s) xbar_i(s)",
        citation=CITATION,
        dw=_cash(event_update(rate=rate, mantissa=mantissa)),
        dt=SumOfProducts("dt", (fade(tau), forget(), Product(1, -up, "u0", _PAIR))),
        readout_dw=event_update(rate=rate, mantissa=mantissa),
        learns="all",
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
            feedback="separate synapses from the output; the derivative is in the eligibility",
            feedback_latency_steps=1,
        ),
    )


_PAIR = (Factor("x1"), Factor("y1"))


def fade(tau: int) -> Product:
    """Return -(1 - kappa) t."""
    scale = nearest_scale(kept(tau, EXACT) / 2**EXACT - 1.0, (Factor("t"),))
    assert not isinstance(scale, Problem), "every tau has a scale"
    return Product(*scale, "u0", (Factor("t"),))


def forget() -> Product:
    """Return -t where y2 = y3 = 64, and 0 where one of them is 0."""
    return Product(-1, 0, "u0", (Factor("t"), Factor("y2"), Factor("y3")))


def _cash(update: SumOfProducts) -> SumOfProducts:
    """Return the update with the tag in the place of the trace."""
    products = tuple(
        Product(p.mantissa, p.exponent, p.dependency, (Factor("t"), *p.factors[1:]))
        for p in update.products
    )
    return SumOfProducts("dw", products)
