"""Continually learning prototypes: a prototype for what is new, a small step for what is known.

    j = argmax_k w_k . x
    class of j right, w_j . x >= theta:  w_j += alpha_j (x - w_j),  alpha_j = 1 / (n_j + 1)
    class of j wrong, or w_j . x < theta: the next unused unit takes w = x and the class

x input of unit Euclidean norm, w_k weights of prototype k, theta the similarity below which a
sample is a novelty, n_j how many samples prototype j has learnt: w_j is their mean. alpha_j does
not fall below ``slowest`` / 64. Classes may come in any order and at any time; what is known is not
overwritten. When all units are used, a sample of the wrong class changes nothing, and a novelty
counts as known.

On the chip theta is ``novelty`` / 128 of the squared norm of a sample. The winner is found bit by
bit, as in `instar`. It tells the readout, whose units compare themselves with the teacher and tell
all prototypes whether the winner was right; every unit hears how many are in use, so the next one
knows itself. The class of a prototype is its synapse onto the readout, learnt at once (254 steps).
n_j is a register of the neuron and no part of the weights: in a saved model that learns again every
prototype has the slowest rate. The weights of the file are not used.

On the 8x8 digits, one pass, 100 units: 0.970 [0.957, 0.983] of the test part, against 0.901 [0.886,
0.916] with random samples stored as they are (5 seeds, mean and 95 % interval,
benchmarks/prototypes.py).

Source: E. Hajizada, P. Berggold, M. Iacono, A. Glover, Y. Sandamirskaya, "Interactive continual
learning for robots: a neuromorphic approach", Proc. International Conference on Neuromorphic
Systems (ICONS) 2022, doi 10.1145/3546790.3546791.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import in_range, label_update, prototype_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@inproceedings{hajizada2022interactive,
  author = {Hajizada, Elvin and Berggold, Patrick and Iacono, Massimiliano and Glover, Arren
            and Sandamirskaya, Yulia},
  title = {Interactive continual learning for robots: a neuromorphic approach},
  booktitle = {Proceedings of the International Conference on Neuromorphic Systems 2022},
  year = {2022},
  doi = {10.1145/3546790.3546791}
}"""


def clp(*, novelty: int = 109, slowest: int = 2, bits: int = 12) -> LearningRule:
    """Return continually learning prototypes.

    Args:
        novelty: a winner with a similarity below novelty / 128 is no match, 0..128. 0 finds no
            novelty; at 128 nearly every sample is one.
        slowest: the rate of a prototype falls to slowest / 64 and no further, 0..64.
        bits: the competition compares potentials of so many bits, 4..16.

    Raises:
        UsageError: HB0447 for a value out of range.
    """
    in_range("novelty", novelty, 0, 128)
    in_range("slowest", slowest, 0, 64)
    in_range("bits", bits, 4, 16)
    return LearningRule(
        name="clp",
        text=f"clp(novelty={novelty}, slowest={slowest}, bits={bits})",
        equation=(
            "j = argmax_k w_k . x; right and similar: dw_j = alpha_j (x - w_j), else w_new = x"
        ),
        citation=CITATION,
        dw=prototype_update(),
        readout_dw=label_update(slowness=0),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="prototype",
        feedback=Feedback(source="target", delivery="broadcast", latency=1),
        locality=Locality(
            global_signals=(
                "the largest potential of the population",
                "how many units are in use",
                "whether the winner's class was right",
            ),
            feedback="from the readout to all prototypes: right or wrong",
            feedback_latency_steps=1,
        ),
        constants=(("novelty", novelty), ("slowest", slowest), ("bits", bits)),
    )
