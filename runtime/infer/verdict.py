"""The verdict: the pair that explains the changes, or why none does.

A pair is in the running unless a layer that it says to learn stood still in all fit steps. It
explains the changes if its score is above 0 and above that of its own control, both with the lower
end of the interval. The best of those is the verdict if it beats every other pair in the running,
again with the lower end of the interval of the difference, step by step on the same steps. Pairs
whose predictions are the same but for a positive rate a layer are one class: no change of weights
can tell them apart (node perturbation is the gradient in the mean: one class with backprop, unless
a unit stands within the noise of its kink).

Otherwise the recording does not separate the pairs, and the verdict says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbite.runtime.credit.activations import Real
from hebbite.runtime.infer.candidates import Candidate
from hebbite.runtime.infer.score import Scored

SAME = 1e-10
"""Two predictions are the same if 1 - cosine is below this: numbers that differ by rounding."""
NOTHING = "not separable: nothing explains the changes"


@dataclass(frozen=True)
class Verdict:
    """``objective`` and ``rule``: of the pair found; without one, what all pairs that are left have
    in common, else None. ``left``: indices of the pairs that cannot be told apart."""

    separable: bool
    objective: str | None
    rule: str | None
    reason: str
    left: tuple[int, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the four keys of ``hebbite infer --json``."""
        return {
            "separable": self.separable,
            "objective": self.objective,
            "rule": self.rule,
            "reason": self.reason,
        }


def classes(gram: Real, learns: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """Return for every candidate the others whose predictions are its own, up to positive rates.

    ``gram`` (layers, candidates, candidates): inner products over all steps laid end to end.
    """
    norms = np.sqrt(np.einsum("lcc->lc", gram))

    def same(one: int, other: int) -> bool:
        whole = norms[:, one] * norms[:, other]
        silent = (norms[:, one] == 0) & (norms[:, other] == 0)
        alike = silent | ((whole > 0) & (gram[:, one, other] >= (1.0 - SAME) * whole))
        return bool(np.all(alike & (learns[one] == learns[other])))

    everyone = range(len(learns))
    return tuple(tuple(j for j in everyone if j != i and same(i, j)) for i in everyone)


def verdict_of(
    scored: Scored, candidates: Sequence[Candidate], same: Sequence[tuple[int, ...]]
) -> Verdict:
    """Return the verdict over the first ``len(candidates)`` candidates that were scored."""
    refuted = [bool(layers.any()) for layers in scored.fit.refuted(scored.held_out)]
    running = [i for i in range(len(candidates)) if not refuted[i]]
    explaining = [i for i in running if explains(scored, i)]
    if not explaining:
        return Verdict(False, None, None, NOTHING)
    best = max(explaining, key=lambda i: scored.scores[i])
    best = min((best, *same[best]))  # of a class, the one that was named first
    rivals = [
        i for i in running if i != best and i not in same[best] and not _beats(scored, best, i)
    ]
    left = (best, *(i for i in same[best] if i in running), *rivals)
    return _found(candidates, left) if not rivals else _tied(candidates, left)


def explains(scored: Scored, candidate: int) -> bool:
    """Whether a candidate is better than no change, and than with the samples of another step."""
    own, control = scored.gains[candidate], scored.control_gains[candidate]
    return scored.interval(own)[0] > 0 and scored.interval(own - control)[0] > 0


def _beats(scored: Scored, one: int, other: int) -> bool:
    return scored.interval(scored.gains[one] - scored.gains[other])[0] > 0


def _found(candidates: Sequence[Candidate], left: tuple[int, ...]) -> Verdict:
    best, *others = (candidates[i] for i in left)
    reason = f"{best} explains the changes better than every other pair"
    if others:
        reason += f"; the same predictions: {', '.join(map(str, others))}"
    return Verdict(True, best.goal, best.name, reason, left)


def _tied(candidates: Sequence[Candidate], left: tuple[int, ...]) -> Verdict:
    objectives = {candidates[i].goal for i in left}
    rules = {candidates[i].name for i in left}
    names = ", ".join(str(candidates[i]) for i in left)
    return Verdict(
        False,
        objectives.pop() if len(objectives) == 1 else None,
        rules.pop() if len(rules) == 1 else None,
        f"not separable: the steps do not tell apart {names}",
        left,
    )
