"""Pair-based spike-timing-dependent plasticity.

    dw = 2^-up   * x1   at a postsynaptic spike (pre before post strengthens)
    dw = -2^-down * y1  at a presynaptic spike (post before pre weakens)

x1, y1 traces of pre and post spikes: they rise by ``impulse`` at a spike and decay with tau
(steps). Both are 7 bits wide. The rule has no objective; it follows the correlations of its input.

Source: S. Song, K. D. Miller, L. F. Abbott, "Competitive Hebbian learning through spike-timing-
dependent synaptic plasticity", Nature Neuroscience 3, 919-926 (2000), doi 10.1038/78829.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import in_range
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

CITATION = """@article{song2000competitive,
  author = {Song, Sen and Miller, Kenneth D. and Abbott, L. F.},
  title = {Competitive {H}ebbian learning through spike-timing-dependent synaptic plasticity},
  journal = {Nature Neuroscience},
  volume = {3},
  pages = {919--926},
  year = {2000},
  doi = {10.1038/78829}
}"""


def stdp(
    *,
    up: int = 4,
    down: int = 4,
    tau_pre: int = 10,
    tau_post: int = 10,
    impulse_pre: int = 16,
    impulse_post: int = 16,
) -> LearningRule:
    """Return pair STDP.

    Args:
        up, down: weight steps per unit of trace are 2^-up and 2^-down, -8..7.
        tau_pre, tau_post: time constants in steps, 1..65535.
        impulse_pre, impulse_post: what a spike adds to its trace, 0..127.

    Raises:
        UsageError: HB0446 for a trace, HB0447 for a scale out of range.
    """
    in_range("up", up, -8, 7)
    in_range("down", down, -8, 7)
    strengthen = Product(1, -up, "y0", (Factor("x1"),))
    weaken = Product(-1, -down, "x0", (Factor("y1"),))
    return LearningRule(
        name="stdp",
        text=(
            f"stdp(up={up}, down={down}, tau_pre={tau_pre}, tau_post={tau_post}, "
            f"impulse_pre={impulse_pre}, impulse_post={impulse_post})"
        ),
        equation="dw = 2^-up x1 at a post spike, -2^-down y1 at a pre spike",
        citation=CITATION,
        dw=SumOfProducts("dw", (strengthen, weaken)),
        learns="all",
        factors=2,
        networks=("spiking",),
        signal="spikes",
        locality=Locality(),
        traces=(
            ("x1", Trace(tau=tau_pre, impulse=impulse_pre)),
            ("y1", Trace(tau=tau_post, impulse=impulse_post)),
        ),
    )
