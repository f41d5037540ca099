"""Training of the twin itself, in real numbers: what a rule does where no integer is in the way.

    W_l <- W_l + eta d_l x_(l-1)^T - lambda W_l

sample by sample, d from `signals`. Feedback weights that learn get the transposed update of the
matrix that they stand for, and the same decay (Kolen and Pollack 1994, doi
10.1109/ICNN.1994.374486), so B - W^T shrinks by 1 - lambda a sample whatever is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.moments import Update
from hebbite.runtime.credit.signals import Batch, updates_of
from hebbite.runtime.credit.twin import Twin


@dataclass(frozen=True, eq=False)
class Learner:
    """A twin that learns by ``rule`` with feedback weights (population -> B), at ``rate`` eta with
    ``decay`` lambda."""

    rule: LearningRule
    twin: Twin
    feedback: Mapping[str, Real]
    rate: float
    decay: float = 0.0

    def learn(self, x: Real, target: Real, order: NDArray[np.int64]) -> Learner:
        """Return the learner after the samples of ``order``, one at a time."""
        learner = self
        for sample in order:
            part = slice(sample, sample + 1)
            learner = learner.after(x[part], target[part])
        return learner

    def after(self, x: Real, target: Real) -> Learner:
        """Return the learner after one mean update on a batch of payloads x and targets."""
        batch = Batch(self.twin, x, target, self.twin.forward(x), self.feedback)
        steps = [
            self._step(update, layer.weight)
            for update, layer in zip(updates_of(self.rule, batch), self.twin.layers, strict=True)
        ]
        feedback = self.feedback
        if self.rule.feedback.weights == "learned":
            feedback = self._followed(steps)
        return replace(self, twin=self.twin.moved(steps), feedback=feedback)

    def _step(self, update: Update | None, weight: Real) -> Real:
        if update is None:
            return np.zeros_like(weight)
        return self.rate * update.moments().mean - self.decay * weight

    def _followed(self, steps: list[Real]) -> dict[str, Real]:
        """Return learned feedback weights after the steps of the forward matrices."""
        found = {}
        for layer, above, step in zip(
            self.twin.layers, self.twin.layers[1:], steps[1:], strict=False
        ):
            back = self.feedback[layer.name]
            grown = step + self.decay * above.weight
            found[layer.name] = back + grown[:, :-1].T - self.decay * back
        return found
