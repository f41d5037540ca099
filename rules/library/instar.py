"""Instar learning: the unit that wins moves its weights to the input; nobody else learns.

    j = argmax_k w_k . x,    dw_j = alpha (x - w_j)

x input, w_k weights of unit k, alpha the rate. Samples are brought to one Euclidean norm, so that
the largest product is the nearest direction, and every w_j becomes a running mean of what it wins:
competitive learning, online k-means. The competition is the chip's own: units send the bits of
their potential through synapses among each other, the most significant bit first, and one whose bit
is 0 while another's is 1 drops out; the number of the unit breaks ties.

Units that start at random weights may never win. So the first inputs become the first prototypes,
one a unit, as MacQueen starts his k-means; the weights of the file are not used. Behind the units
may stand a linear readout of classes: it learns the classes of what a unit wins by the outstar
rule, v_cj += 2^-slowness (t_c - v_cj), t the class that is taught, and nothing of it is sent back.

On the 8x8 digits, one pass, 100 units: 0.943 [0.935, 0.951] of the test part, against 0.901 [0.886,
0.916] with prototypes that stay as first seen (5 seeds, mean and 95 % interval,
benchmarks/prototypes.py).

Source: S. Grossberg, "Adaptive pattern classification and universal recoding: I. Parallel
development and coding of neural feature detectors", Biological Cybernetics 23, 121-134 (1976), doi
10.1007/BF00344744; D. E. Rumelhart, D. Zipser, "Feature discovery by competitive learning",
Cognitive Science 9, 75-112 (1985), doi 10.1207/s15516709cog0901_5; the start: J. MacQueen, "Some
methods for classification and analysis of multivariate observations", Proc. Fifth Berkeley
Symposium 1, 281-297 (1967); the readout: R. Hecht-Nielsen, "Counterpropagation networks", Applied
Optics 26, 4979-4984 (1987), doi 10.1364/AO.26.004979.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import in_range, label_update, prototype_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{grossberg1976adaptive,
  author = {Grossberg, Stephen},
  title = {Adaptive pattern classification and universal recoding: {I}. {P}arallel development
           and coding of neural feature detectors},
  journal = {Biological Cybernetics},
  volume = {23},
  pages = {121--134},
  year = {1976},
  doi = {10.1007/BF00344744}
}"""


def instar(*, alpha: int = 8, bits: int = 12, slowness: int = 3) -> LearningRule:
    """Return instar learning of the winner.

    Args:
        alpha: the rate is alpha / 64, 0..64; 0 keeps the prototypes as they were first seen.
        bits: the competition compares potentials of so many bits, 4..16.
        slowness: the readout learns at the rate 2^-slowness, 0..5.

    Raises:
        UsageError: HB0447 for a value out of range.
    """
    in_range("alpha", alpha, 0, 64)
    in_range("bits", bits, 4, 16)
    return LearningRule(
        name="instar",
        text=f"instar(alpha={alpha}, bits={bits}, slowness={slowness})",
        equation="j = argmax_k w_k . x, dw_j = alpha (x - w_j)",
        citation=CITATION,
        dw=prototype_update(),
        readout_dw=label_update(slowness=slowness),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="winner",
        locality=Locality(global_signals=("the largest potential of the population",)),
        constants=(("alpha", alpha), ("bits", bits)),
    )
