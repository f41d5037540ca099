"""A rule at half and at twice its rate: how much a result hangs on the choice of the rate.

The rate of an error-driven rule is the exponent of a power of two, so half is one less and twice is
one more; the mantissa stays, and so does a decay, which is an option of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hebbite.rules.errors import UsageError
from hebbite.rules.options import options_of
from hebbite.rules.registry import RULES, parse_rule

STEPS = {"half": -1, "double": 1}
"""What is added to the exponent of the rate."""
_RATE = re.compile(r"\brate=(-?\d+)")


@dataclass(frozen=True)
class Neighbour:
    """A rule at another rate: its text, or the ``reason`` why there is none."""

    text: str = ""
    reason: str = ""


def has_rate(name: str) -> bool:
    """Whether a rule of this name is error-driven: its update is a rate times an error."""
    return name in RULES and "rate" in options_of(RULES[name])


def neighbours(text: str) -> dict[str, Neighbour]:
    """Return the neighbours (``half``, ``double``) of a rule, given by its full text."""
    return {name: _neighbour(text, step) for name, step in STEPS.items()}


def beside(texts: Sequence[str]) -> dict[str, tuple[Neighbour, ...]]:
    """Return the neighbours of a rule whose text may differ from seed to seed: each by its own."""
    found = [neighbours(text) for text in texts]
    return {name: tuple(near[name] for near in found) for name in STEPS}


def texts_of(near: Sequence[Neighbour]) -> tuple[str, ...]:
    """Return the texts of neighbours, one a seed; () unless all seeds have one."""
    texts = tuple(neighbour.text for neighbour in near)
    return texts if all(texts) else ()


def _neighbour(text: str, step: int) -> Neighbour:
    if not has_rate(parse_rule(text).name):
        return Neighbour(reason="the rule has no rate")
    moved = _RATE.sub(lambda rate: f"rate={int(rate[1]) + step}", text)
    try:
        return Neighbour(parse_rule(moved).text)
    except UsageError as error:
        return Neighbour(reason=f"{moved}: {error.problems[0].what}")
