"""The rules by name. A new rule needs its file in `hebbite.rules.library` and a line here."""

from __future__ import annotations

from collections.abc import Callable

from hebbite.rules.errors import UsageError
from hebbite.rules.library.backprop import backprop
from hebbite.rules.library.bandit import bandit
from hebbite.rules.library.bptt import bptt
from hebbite.rules.library.delta import delta
from hebbite.rules.library.dfa import dfa
from hebbite.rules.library.drtp import drtp
from hebbite.rules.library.fa import fa
from hebbite.rules.library.frozen import frozen
from hebbite.rules.library.kolen_pollack import kolen_pollack
from hebbite.rules.library.node_perturbation import node_perturbation
from hebbite.rules.library.pes import pes
from hebbite.rules.library.r_stdp import r_stdp
from hebbite.rules.library.sign_symmetric import sign_symmetric
from hebbite.rules.library.soft_bound_stdp import soft_bound_stdp
from hebbite.rules.library.stdp import stdp
from hebbite.rules.library.triplet_stdp import triplet_stdp
from hebbite.rules.loihi import check_loihi
from hebbite.rules.options import call_by_text
from hebbite.rules.rule import LearningRule

RULES: dict[str, Callable[..., LearningRule]] = {
    "delta": delta,
    "pes": pes,
    "frozen": frozen,
    "dfa": dfa,
    "fa": fa,
    "drtp": drtp,
    "bandit": bandit,
    "backprop": backprop,
    "sign-symmetric": sign_symmetric,
    "kolen-pollack": kolen_pollack,
    "node-perturbation": node_perturbation,
    "stdp": stdp,
    "triplet-stdp": triplet_stdp,
    "soft-bound-stdp": soft_bound_stdp,
    "r-stdp": r_stdp,
    "bptt": bptt,
}


def parse_rule(text: str) -> LearningRule:
    """Return a rule from ``name`` or ``name(option=value, ...)``.

    Raises:
        UsageError: HB0401 for an unknown name, option or value, with the nearest name; HB04xx if a
            value makes an update that no chip of this class can evaluate.
    """
    rule = call_by_text(text, RULES, kind="rule", code="HB0401")
    problems = tuple(problem for sums in rule.kinds for problem in check_loihi(*sums))
    if problems and rule.runs_on_chip:
        raise UsageError(*problems)
    return rule
