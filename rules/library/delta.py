"""Delta rule (LMS): the output's own error times the presynaptic activity.

    dw_ji = eta (t_j - o_j) x_i

x_i presynaptic activity, o_j output, t_j its target, eta the learning rate; for one layer of
linear units this is -eta dF/dw_ji, F = 1/2 sum_j (t_j - o_j)^2. Hidden layers have no target of
their own and stay as they are: the readout learns.

Source: B. Widrow and M. E. Hoff, "Adaptive switching circuits", 1960 IRE WESCON Convention Record,
part 4, 96-104.
"""

from __future__ import annotations

from hebbite.rules.feedback import Feedback
from hebbite.rules.library.pieces import error_update
from hebbite.rules.locality import Locality
from hebbite.rules.rule import LearningRule

CITATION = """@inproceedings{widrow1960adaptive,
  author = {Widrow, Bernard and Hoff, Marcian E.},
  title = {Adaptive switching circuits},
  booktitle = {1960 IRE WESCON Convention Record, Part 4},
  pages = {96--104},
  year = {1960}
}"""


def delta(*, rate: int = -5, mantissa: int = 1, gated: bool = False) -> LearningRule:
    """Return the delta rule; eta = mantissa 2^(rate - 3) in weight steps per unit of x1 and error.

    Args:
        rate: exponent, -7..8 (7 if gated).
        mantissa: 1..7.
        gated: visit only neurons whose error is not 0.
    """
    return LearningRule(
        name="delta",
        text=f"delta(rate={rate}, mantissa={mantissa}, gated={str(gated).lower()})",
        equation="dw_ji = eta (t_j - o_j) x_i",
        citation=CITATION,
        dw=error_update(rate=rate, mantissa=mantissa, gated=gated),
        learns="readout",
        factors=3,
        networks=("graded", "spiking"),
        feedback=Feedback(),
        locality=Locality(feedback="none: the error arises where it is used"),
    )
