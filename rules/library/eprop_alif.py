"""e-prop for neurons whose threshold adapts: spikes of long ago still count.

    A_j(t)       = theta (1 + 2^-beta a_j(t)),    a_j(t+1) = rho a_j(t) + z_j(t)
    epsilon(t+1) = psi_j(t) xbar_i(t) + (rho - b psi_j(t)) epsilon(t),    b = 2^-(beta+width+1)
    dw_ji        = eta sum_t L_j(t) psi_j(t) (xbar_i(t) - b epsilon(t))

z_j        a spike of neuron j; a_j what is left of its spikes, in the neuron
A_j        threshold of v_j; theta that of a neuron that was silent; it rises by 2^-beta theta
rho        what adaptation keeps a step, exp(-1 / tau); tau in steps
psi_j      pseudo-derivative: 1 where |v_j - A_j| <= 2^width theta, else 0; such a box of area 1 has
           the height 1 / (2 2^width theta), and times the rise of the threshold that is b
xbar_i     filtered spikes of line i (trace x1, 0..127)
epsilon    what x did to the threshold and still does: the tag of the synapse, in units of 2^up
L_j        errors sent back in the last ``steps`` steps of a sample, -127..127 with psi
eta        mantissa 2^(rate - 3) weight steps per unit of trace and error

The sums of a hidden synapse; the neuron writes y1 = 32 psi in every step, y2 - y3 = L psi:

    dt = - m 2^-n u0 t - b u0 t y1 2^-5 - u0 t y2 y3 2^-12 + 2^-up u0 x1 y1 2^-5
    dw = eta y0 (x1 - b 2^up t) (y2 - y3)

y2 = y3 = 64 in the first two steps of a sample takes the tag of the sample before away. A synapse
onto the readout has no tag and learns as in ``eprop``.

How many states a synapse needs, and of what width. (1) The vector of the membrane, xbar_i, is the
same for all neurons that a line reaches: a trace of the line, no state of the synapse. (2) epsilon
depends on the line and on the neuron: one state. From 0 on, and with 0 <= rho - b psi < 1, after T
steps it lies in 0..127 T: T <= 62, so 0..7874, 13 bits; the tag has 8 and a sign. In units of
2^up with up = 5 that is 0..246, and no tag saturates, whatever comes; a smaller up resolves more
and saturates at 255 2^up, where a line of mean trace x would need x / (1 - rho + b psi) more. (3)
The filter of the readout would be one more state, F_kappa of the eligibility, with products of
both: two states of 13 bits. The chips have one tag of 8 bits a synapse; the second word, the delay,
is none that dw or dt could hold it in, and no sum of products splits one word into two of 4 bits.
So ``filtered=true`` is refused by every chip, and kappa = 0 here, as in ``eprop``.

Price: the tags are computed in every step, and take 9 bits more of a synapse.

Source: G. Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking
neurons", Nature Communications 11, 3625 (2020), doi 10.1038/s41467-020-17236-y.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.eprop import CITATION, WEIGHTS
from hebbite.rules.library.eprop_filtered import LONGEST, fade, forget
from hebbite.rules.library.pieces import event_update, in_range, one_of
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import kept

TWO_STATES = (
    "a filtered eligibility of an adaptive neuron is two states a synapse, epsilon of 0..127 T "
    "(13 bits for T = 62 steps) and its filter; a synapse has one tag of 8 bits"
)


def eprop_alif(
    *,
    rate: int = -6,
    mantissa: int = 1,
    gain: int = 0,
    steps: int = 2,
    width: int = 0,
    beta: int = 2,
    tau: int = 30,
    up: int = 1,
    feedback: str = "random",
    filtered: bool = False,
) -> LearningRule:
    """Return e-prop for neurons with an adaptive threshold.

    Args:
        rate: exponent, -7..8; what adaptation takes off has its own, rate + 1 + up - beta - width,
            in the same range.
        mantissa: 1..7.
        gain: errors sent back are 2^gain times the default, -6..6.
        steps: learning happens in the last ``steps`` steps of a sample, 1..62.
        width: psi is 1 within 2^width thresholds of the threshold, -6..2.
        beta: a spike raises the threshold by 2^-beta of itself; beta + width in 0..6.
        tau: time constant of the adaptation in steps, 1..127.
        up: the tag is in units of 2^up of the trace, 0..5.
        feedback: ``random`` weights, or ``symmetric``: a copy of the readout's, made by the host
            at every boundary of a learning epoch.
        filtered: whether the eligibility is filtered by the readout's decay: no chip holds it.

    Raises:
        UsageError: HB0448 for an unknown word, HB0409 for a gain, HB0447 for another number out of
            range.
    """
    in_range("steps", steps, 1, 62)
    in_range("width", width, -6, 2)
    in_range("beta", beta, -width, 6 - width)
    in_range("tau", tau, 1, LONGEST)
    in_range("up", up, 0, 5)
    weights, transport = WEIGHTS[one_of("feedback", feedback, WEIGHTS)]
    share = beta + width + 1
    in_range("rate", rate, max(-7, share - up - 9), min(8, share - up + 6))
    seen = event_update(rate=rate, mantissa=mantissa)
    taken = _taken(seen, 2 + up - share)
    return LearningRule(
        name="eprop-alif",
        text=(
            f"eprop-alif(rate={rate}, mantissa={mantissa}, gain={gain}, steps={steps}, "
            f"width={width}, beta={beta}, tau={tau}, up={up}, feedback={feedback}, "
            f"filtered={str(filtered).lower()})"
        ),
        equation="dw_ji = eta sum_t L_j psi_j (xbar_i - b epsilon_ji), threshold A_j adapts",
        citation=CITATION,
        dw=SumOfProducts("dw", (*seen.products, *taken)),
        dt=SumOfProducts(
            "dt",
            (
                fade(tau),
                Product(-1, -share, "u0", (Factor("t"), Factor("y1"))),
                forget(),
                Product(1, -up - 2, "u0", (Factor("x1"), Factor("y1"))),
            ),
        ),
        readout_dw=seen,
        learns="all",
        factors=3,
        networks=("spiking",),
        feedback=Feedback(
            source="output-error", weights=weights, delivery="direct", latency=1, gain=gain
        ),
        follows=weights == "transpose",
        steps=steps,
        width=width,
        constants=(("keep", kept(tau, 12)), ("rise", beta)),
        locality=Locality(
            weight_transport=transport,
            feedback="separate synapses from the output, gated by the pseudo-derivative",
            feedback_latency_steps=1,
        ),
        reason=TWO_STATES if filtered else "",
    )


def _taken(update: SumOfProducts, raised: int) -> tuple[Product, ...]:
    """Return what adaptation takes off an update: its products of the tag, with the other sign."""
    return tuple(
        Product(-p.mantissa, p.exponent + raised, p.dependency, (Factor("t"), *p.factors[1:]))
        for p in update.products
    )
