"""What trainings bought, so that their joules can be divided by it.

Over R trainings of one program (one a seed), E_r their joules, in every draw of the prices:

    per_decrease_j = sum_r E_r / sum_r D_r,    D_r = F_r(before) - F_r(after)
    to_accuracy_j  = (1 / R) sum_r E_r(k_r)

E_r in the first is the learning phase of the whole training, all epochs; F_r the mean objective a
sample, so D_r does not grow with the data while E_r does. A ratio of sums is the ratio of the means
over seeds: a seed that hardly decreased F does not decide it, as it would a mean of ratios. E_r(k)
in the second is all phases of the first k epochs, k_r the first epoch after which the accuracy was
reached. The prices of one draw are the same for all trainings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hebbite.runtime.counters import Counters
from hebbite.runtime.energy.accounts import Account


@dataclass(frozen=True, eq=False)
class Gains:
    """What ``runs`` trainings bought, together.

    decrease  sum over the trainings of the decrease of F, > 0; None with ``no_decrease``, why
    until     counts of all trainings, each to the end of the epoch that reached the accuracy; None
              with ``not_reached``, why
    """

    runs: int
    decrease: float | None = None
    no_decrease: str = ""
    until: Counters | None = None
    not_reached: str = ""

    @property
    def per_decrease(self) -> tuple[float, str]:
        """What joules of the learning phase are multiplied by, or why not."""
        return (0.0, self.no_decrease) if self.decrease is None else (1 / self.decrease, "")

    @property
    def to_accuracy(self) -> tuple[float, str]:
        """What joules of all phases until the accuracy are multiplied by, or why not."""
        return (0.0, self.not_reached) if self.until is None else (1 / self.runs, "")


UNKNOWN = Gains(1, no_decrease="needs a training curve", not_reached="needs a training curve")
"""Of a run without a curve."""


def nothing_spent(account: Account) -> Account:
    """Return the account of no epoch at all: no joule, wherever there is a price."""
    whole, learning = (
        None if joules is None else 0.0 * joules for joules in (account.whole, account.learning)
    )
    return replace(account, whole=whole, learning=learning, assumed=0.0 * account.assumed)
