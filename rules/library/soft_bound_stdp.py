"""Pair-based STDP with soft bounds: the nearer a weight is to its bound, the less it moves there.

    dw =  2^-(up + 5)   x1 (w_max - w)   at a postsynaptic spike
    dw = -2^-(down + 5) y1 w             at a presynaptic spike

x1, y1 traces of pre and post spikes, w_max the largest weight that strengthening leads to. Weights
settle where the two balance, at w_max / (1 + r) for a ratio r of depression to potentiation, and do
not run to the ends as those of additive STDP do. Weights below 0 are drawn to 0 by pre spikes.

Source: M. C. W. van Rossum, G. Q. Bi, G. G. Turrigiano, "Stable Hebbian learning from spike timing-
dependent plasticity", Journal of Neuroscience 20, 8812-8821 (2000), doi
10.1523/JNEUROSCI.20-23-08812.2000; with both bounds soft: R. Gütig, R. Aharonov, S. Rotter,
H. Sompolinsky, Journal of Neuroscience 23, 3697-3714 (2003), doi
10.1523/JNEUROSCI.23-09-03697.2003.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import in_range
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts
from hebbite.rules.traces import Trace

CITATION = """@article{vanrossum2000stable,
  author = {van Rossum, M. C. W. and Bi, G. Q. and Turrigiano, G. G.},
  title = {Stable {H}ebbian learning from spike timing-dependent plasticity},
  journal = {Journal of Neuroscience},
  volume = {20},
  pages = {8812--8821},
  year = {2000},
  doi = {10.1523/JNEUROSCI.20-23-08812.2000}
}"""


def soft_bound_stdp(
    *,
    up: int = 5,
    down: int = 5,
    top: int = 200,
    tau_pre: int = 10,
    tau_post: int = 10,
    impulse: int = 16,
) -> LearningRule:
    """Return STDP with soft bounds.

    Args:
        up, down: scales are 2^-(up + 5) and 2^-(down + 5) weight steps per unit of trace and of
            distance to the bound, -8..7.
        top: w_max, 1..255.
        tau_pre, tau_post: time constants in steps, 1..65535.
        impulse: what a spike adds to its trace, 0..127.

    Raises:
        UsageError: HB0446 for a trace, HB0447 for a scale or bound out of range.
    """
    in_range("up", up, -8, 7)
    in_range("down", down, -8, 7)
    in_range("top", top, 1, 255)
    strengthen = Product(-1, -up, "y0", (Factor("x1"), Factor("w", -top)))
    weaken = Product(-1, -down, "x0", (Factor("y1"), Factor("w")))
    return LearningRule(
        name="soft-bound-stdp",
        text=(
            f"soft-bound-stdp(up={up}, down={down}, top={top}, tau_pre={tau_pre}, "
            f"tau_post={tau_post}, impulse={impulse})"
        ),
        equation="dw = A+ x1 (w_max - w) at a post spike, -A- y1 w at a pre spike",
        citation=CITATION,
        dw=SumOfProducts("dw", (strengthen, weaken)),
        learns="all",
        factors=2,
        networks=("spiking",),
        signal="spikes",
        traces=(
            ("x1", Trace(tau=tau_pre, impulse=impulse)),
            ("y1", Trace(tau=tau_post, impulse=impulse)),
        ),
    )
