"""Sums of objectives: ``A + 2^-2*B + 0.5*C``, read as text and put together as one objective."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.objectives.objective import Objective

_PLUS = re.compile(r"\+(?![^()]*\))")
_WEIGHT = re.compile(r"\s*(?:2\s*\^\s*([+-]?\d{1,2})|(\d{1,6}(?:\.\d{1,9})?))\s*\*(.*)", re.DOTALL)


def terms_of(text: str) -> Iterator[tuple[float, str]]:
    """Yield (weight, text of an objective) of every term of a sum."""
    for part in _PLUS.split(text):
        found = _WEIGHT.fullmatch(part)
        if found is None:
            yield 1.0, part
        else:
            weight = 2.0 ** int(found[1]) if found[1] else float(found[2])
            yield weight, found[3]


def added(terms: Sequence[tuple[float, Objective]]) -> Objective:
    """Return the sum of weighted objectives.

    Raises:
        UsageError: HB0412 without exactly one objective of the outputs, for one of them with a
            weight other than 1, or for a weight that is no power of 2.
    """
    outputs = [(weight, goal) for weight, goal in terms if not goal.hidden]
    if len(outputs) != 1:
        what = f"a sum needs one objective of the outputs, and this has {len(outputs)}"
        raise _refused(terms, what, "classification + 2^-2*homeostasis")
    ((weight, main),) = outputs
    if weight != 1.0:
        what = f"the objective of the outputs has the weight 1, not {weight:g}"
        raise _refused(terms, what, "weigh the other terms, or change the rate of the rule")
    others = [(_exponent(terms, w), goal) for w, goal in terms if goal.hidden]
    if not others:
        return main
    text = " + ".join([main.text, *(f"2^{e}*{goal.text}" for e, goal in others)])
    hidden = tuple(term for e, goal in others for term in goal.weighted(e).hidden)
    return replace(main, text=text, hidden=hidden)


def _exponent(terms: Sequence[tuple[float, Objective]], weight: float) -> int:
    exponent = round(math.log2(weight)) if weight > 0 else 0
    if weight != 2.0**exponent:
        what = f"the weight {weight:g} is no power of 2, and a neuron scales by shifts"
        raise _refused(terms, what, f"2^{exponent}*...")
    return exponent


def _refused(terms: Sequence[tuple[float, Objective]], what: str, hint: str) -> UsageError:
    at = " + ".join(f"{weight:g}*{goal.text}" for weight, goal in terms)
    return UsageError(Problem("HB0412", what, at=at, hint=hint))
