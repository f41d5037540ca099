"""Oja's rule: a linear unit whose weights become the first principal component of its input.

    y = w . x,    dw_i = eta y (x_i - y w_i)

x_i input of a synapse, y output of the unit, w_i weight, eta the rate. The first term is Hebb's,
the second forgets as fast as the unit is active, so that |w| goes to 1 without a sum over synapses.
w follows the eigenvector of E[x x^T] with the largest eigenvalue: the first principal component
where the mean of x is 0. All units of a population find the same one.

On the chip |w| = 1 is a norm of 2^norm steps of a weight. The unit reads y = w . p / 2^shift,
rounded and kept within -127..127, p payloads, shift = 2 norm - 8 (2 norm - 7 for payloads without a
sign, whose trace x1 is p / 2): with it both products below balance at that norm. A bias line would
be one more input with a mean, so there is none. The output travels as two traces that are never
negative, y = y2 - y3, and

    dw = 2^eta (x1 y / 2^3 - 2 y^2 w / 2^12)

in the mean: a sample moves w by the part 2^(eta - 11) y^2 towards its direction. Inputs are scaled
so that no sample of the calibration data gives an output beyond 127 at that norm.

Not useful as features of the 8x8 digits: a linear readout of 32 units scores 0.914 [0.898, 0.930]
after one pass and 0.918 [0.907, 0.928] with the random weights of the start (5 seeds, mean and 95 %
interval, benchmarks/prototypes.py --features): all units become one.

Source: E. Oja, "Simplified neuron model as a principal component analyzer", Journal of Mathematical
Biology 15, 267-273 (1982), doi 10.1007/BF00275687.
"""

from __future__ import annotations

from hebbite.rules.library.pieces import in_range
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule
from hebbite.rules.sums import Factor, Product, SumOfProducts

CITATION = """@article{oja1982simplified,
  author = {Oja, Erkki},
  title = {Simplified neuron model as a principal component analyzer},
  journal = {Journal of Mathematical Biology},
  volume = {15},
  pages = {267--273},
  year = {1982},
  doi = {10.1007/BF00275687}
}"""


def oja(*, eta: int = -6, norm: int = 8) -> LearningRule:
    """Return Oja's rule.

    Args:
        eta: exponent of the rate, -7..-3.
        norm: |w| = 1 is 2^norm steps of a weight, 6..9. No single weight leaves -256..255.

    Raises:
        UsageError: HB0447 for a value out of range.
    """
    in_range("eta", eta, -7, -3)
    in_range("norm", norm, 6, 9)
    fine = min(2, eta + 7)
    hebb = (2**fine, eta - fine)
    return LearningRule(
        name="oja",
        text=f"oja(eta={eta}, norm={norm})",
        equation="dw = eta y (x - y w), y = w . x",
        citation=CITATION,
        dw=SumOfProducts(
            "dw",
            (
                Product(hebb[0], hebb[1], "x0", (Factor("x1"), Factor("y2"))),
                Product(-hebb[0], hebb[1], "x0", (Factor("x1"), Factor("y3"))),
                Product(-1, eta + 1, "u0", (Factor("y2"), Factor("y2"), Factor("w"))),
                Product(-1, eta + 1, "u0", (Factor("y3"), Factor("y3"), Factor("w"))),
            ),
        ),
        learns="all",
        factors=3,
        networks=("graded",),
        signal="activity",
        locality=Locality(),
        constants=(("norm", norm),),
    )
