"""Triplet spike-timing-dependent plasticity: strengthening depends on the neuron's recent rate.

    dw =  A3 r1 (o2 before this spike)   at a postsynaptic spike
    dw = -A2 o1                          at a presynaptic spike

r1 a trace of pre spikes, o1 a fast and o2 a slow trace of post spikes (x1, y1, y2). A pair alone
strengthens nothing, for o2 is empty; at high rates o2 remembers the spike before, and pairs that
depress or do nothing at 1 Hz strengthen. This is the minimal model of the paper for visual cortex
(A2+ = 0, A3- = 0). The trace y2 of the chip holds the present spike already, so the rule takes its
impulse away again: the factor is (y2 - impulse).

Source: J.-P. Pfister, W. Gerstner, "Triplets of spikes in a model of spike timing-dependent
plasticity", Journal of Neuroscience 26, 9673-9682 (2006), doi 10.1523/JNEUROSCI.1425-06.2006.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import in_range
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

CITATION = """@article{pfister2006triplets,
  author = {Pfister, Jean-Pascal and Gerstner, Wulfram},
  title = {Triplets of spikes in a model of spike timing-dependent plasticity},
  journal = {Journal of Neuroscience},
  volume = {26},
  pages = {9673--9682},
  year = {2006},
  doi = {10.1523/JNEUROSCI.1425-06.2006}
}"""


def triplet_stdp(
    *,
    up: int = 6,
    down: int = 5,
    tau_pre: int = 17,
    tau_post: int = 34,
    tau_slow: int = 114,
    impulse: int = 16,
) -> LearningRule:
    """Return triplet STDP; the time constants of the paper (16.8, 33.7, 114 ms) in steps of 1 ms.

    Args:
        up: A3 is 2^-(up + 3) weight steps per unit of both traces, -8..7.
        down: A2 is 2^-down weight steps per unit of trace, -8..7.
        tau_pre, tau_post, tau_slow: time constants of r1, o1 and o2 in steps, 1..65535.
        impulse: what a spike adds to each trace, 1..127.

    Raises:
        UsageError: HB0446 for a trace, HB0447 for a scale or impulse out of range.
    """
    in_range("up", up, -8, 7)
    in_range("down", down, -8, 7)
    in_range("impulse", impulse, 1, 127)
    strengthen = Product(1, -up, "y0", (Factor("x1"), Factor("y2", -impulse)))
    weaken = Product(-1, -down, "x0", (Factor("y1"),))
    return LearningRule(
        name="triplet-stdp",
        text=(
            f"triplet-stdp(up={up}, down={down}, tau_pre={tau_pre}, tau_post={tau_post}, "
            f"tau_slow={tau_slow}, impulse={impulse})"
        ),
        equation="dw = A3 r1 o2 at a post spike (o2 before it), -A2 o1 at a pre spike",
        citation=CITATION,
        dw=SumOfProducts("dw", (strengthen, weaken)),
        learns="all",
        factors=2,
        networks=("spiking",),
        signal="spikes",
        traces=(
            ("x1", Trace(tau=tau_pre, impulse=impulse)),
            ("y1", Trace(tau=tau_post, impulse=impulse)),
            ("y2", Trace(tau=tau_slow, impulse=impulse)),
        ),
    )
