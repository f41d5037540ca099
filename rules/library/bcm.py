"""BCM: a unit becomes selective, for its threshold slides with its own mean activity.

    y = w . x,    dw_i = eta x_i phi,    phi = y (y - theta),    theta = E[y^2] / y_0

x_i input of a synapse, y output of the unit, theta the sliding threshold, y_0 a scale of activity,
eta the rate. Activity above the threshold strengthens the synapses that are active, activity below
it weakens them; as theta grows faster than y, weights stay bounded. Of K patterns that are shown
equally often the unit ends up with one, at y = K y_0, and with 0 for the others.

On the chip y = w . p / 2^shift, rounded at random and kept within -127..127, p payloads, the shift
from calibration data; y_0 = 2^goal, and theta a running mean over 2^tau samples in a register of
the neuron: it is no part of the weights, so a saved model that learns again starts with theta = 0.
phi / 2^reduce, rounded at random and kept within -127..127, travels as two traces, y2 - y3, and

    dw = 2^(eta - 3) x1 phi / 2^reduce

in the mean. K patterns need K y_0 <= 127. A unit that answers no pattern at the start, or all of
them with less than 0, comes to rest at y = 0.

No use found as features of the 8x8 digits: a linear readout of 32 units scores 0.921 [0.903, 0.939]
after one pass and 0.918 [0.907, 0.929] with the random weights of the start (5 seeds, mean and 95 %
interval, benchmarks/prototypes.py --features).

Source: E. L. Bienenstock, L. N. Cooper, P. W. Munro, "Theory for the development of neuron
selectivity", Journal of Neuroscience 2(1), 32-48 (1982), doi 10.1523/JNEUROSCI.02-01-00032.1982;
theta = E[y^2]: N. Intrator, L. N. Cooper, "Objective function formulation of the BCM theory of
visual cortical plasticity", Neural Networks 5, 3-17 (1992), doi 10.1016/S0893-6080(05)80003-6.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import error_update, in_range
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@article{bienenstock1982theory,
  author = {Bienenstock, Elie L. and Cooper, Leon N. and Munro, Paul W.},
  title = {Theory for the development of neuron selectivity},
  journal = {Journal of Neuroscience},
  volume = {2},
  number = {1},
  pages = {32--48},
  year = {1982},
  doi = {10.1523/JNEUROSCI.02-01-00032.1982}
}"""


def bcm(*, eta: int = -7, goal: int = 4, tau: int = 4, reduce: int = 6) -> LearningRule:
    """Return the BCM rule.

    Args:
        eta: exponent of the rate, -7..8.
        goal: the scale y_0 of activity is 2^goal, 0..6.
        tau: theta is a mean over 2^tau samples, 1..9.
        reduce: phi is sent as phi / 2^reduce, 1..13.

    Raises:
        UsageError: HB0447 for a value out of range.
    """
    in_range("eta", eta, -7, 8)
    in_range("goal", goal, 0, 6)
    in_range("tau", tau, 1, 9)
    in_range("reduce", reduce, 1, 13)
    return LearningRule(
        name="bcm",
        text=f"bcm(eta={eta}, goal={goal}, tau={tau}, reduce={reduce})",
        equation="dw = eta x y (y - theta), theta = E[y^2] / y_0",
        citation=CITATION,
        dw=error_update(rate=eta, mantissa=1, gated=False),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="sliding-threshold",
        locality=Locality(),
        constants=(("goal", goal), ("tau", tau), ("reduce", reduce)),
    )
