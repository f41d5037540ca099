"""The synapses that carry errors, or what the objective changed by, back to hidden units.

In: a network of stages, its integers and a rule. Out: groups of synapses with their weights, from
the top down, and the shift by which a hidden unit reads what arrives. Everything follows from the
rule's `Feedback`: which units send (delivery), or whether the host sends the target itself
(source), through which weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hebbite.compiler.arithmetic.draws import bell
from hebbite.compiler.arithmetic.synapse import mirrored
from hebbite.compiler.lowering.network import Long, Network
from hebbite.compiler.lowering.quantise import IntegerNetwork, even
from hebbite.compiler.lowering.schedule import Edge
from hebbite.compiler.program.types import Synapses
from hebbite.compiler.settings import Settings
from hebbite.rules.rule import LearningRule

COPIED = ("transpose", "sign")
"""Feedback weights that the host makes of the forward weights."""
FROM_OUTPUT = ("direct", "broadcast")
"""Deliveries in which every hidden unit listens to the output."""
ONE = 2
"""Weight of a broadcast: with the exponent -1 a message arrives as it was sent."""
LABEL = "label"
"""Source of targets for hidden units."""
CHANGE_SHIFT = 6
"""Bits by which a change of the objective is reduced beside those of the perturbation."""


@dataclass(frozen=True)
class FeedbackPath:
    """What leads back in one network by one rule; no hidden units or none that learn: nothing."""

    network: Network
    integers: IntegerNetwork
    rule: LearningRule
    settings: Settings

    @property
    def is_used(self) -> bool:
        """Whether anything is sent back."""
        return self.rule.learns == "all" and bool(self.network.hidden)

    @property
    def perturbs(self) -> bool:
        """Whether hidden units learn from what a perturbation of theirs changed."""
        return self.is_used and self.rule.feedback.source == "perturbation"

    @property
    def told(self) -> tuple[str, ...]:
        """Hidden populations that hear the target itself."""
        if not self.is_used or self.rule.feedback.source != "target":
            return ()
        return tuple(self.network.stages[index].name for index in self.network.hidden)

    @property
    def lowest(self) -> int:
        """Number of the lowest stage that learns."""
        return min(self.network.hidden, default=len(self.network.stages) - 1)

    def edges(self) -> list[Edge]:
        """Return (from, to, delay) for the time table."""
        names = [stage.name for stage in self.network.stages]
        if not self.is_used or self.told:
            return []
        if self.rule.feedback.delivery in FROM_OUTPUT:
            return [(names[-1], names[index], 1) for index in self.network.hidden]
        return [(above, name, 1) for name, above in pairwise(names[self.lowest :])]

    def groups(self) -> list[tuple[Synapses, Long]]:
        """Return the groups with their weights (post, lines), from the top down."""
        if not self.is_used:
            return []
        return [self._group(index) for index in reversed(self.network.hidden)]

    def shift(self, group: Synapses, weight: Long) -> int:
        """Return the shift that brings what arrives to the size of one error, less the gain."""
        feedback = self.rule.feedback
        if self.perturbs:
            return min(max(CHANGE_SHIFT + feedback.amplitude - feedback.gain, 0), 24)
        rms = float(np.sqrt(np.mean(weight.astype(np.float64) ** 2))) or 1.0
        shift = round(float(np.log2(rms * np.sqrt(weight.shape[1]))))
        extra = 2 if group.pre in (self.network.stages[-1].name, LABEL) else 0
        return min(max(shift + extra - feedback.gain, 0), 24)

    def _group(self, index: int) -> tuple[Synapses, Long]:
        stages, feedback = self.network.stages, self.rule.feedback
        above = stages[-1] if feedback.delivery in FROM_OUTPUT else stages[index + 1]
        name = f"back_{stages[index].name}"
        follows = feedback.weights in COPIED and self.rule.follows
        group = Synapses(
            name,
            LABEL if self.told else above.name,
            stages[index].name,
            f"{name}.weight",
            output="s" if self.told else "e",
            port="third",
            exponent=-1 if feedback.delivery == "broadcast" else 0,
            role="feedback",
            mirror=above.synapses if follows else "",
            magnitude=self._magnitude if follows else 0,
        )
        return group, self._weight(index, (len(stages[index].weight), len(above.weight)))

    @property
    def _magnitude(self) -> int:
        """What a copied sign is worth: even, as every weight at the start; 0 copies weights."""
        if self.rule.feedback.weights != "sign":
            return 0
        return int(even(np.array(self.settings.feedback_rms, np.float64)))

    def _weight(self, index: int, shape: tuple[int, int]) -> Long:
        if self.rule.feedback.delivery == "broadcast":
            return np.full(shape, ONE, np.int64)
        if self.rule.feedback.weights in COPIED:
            forward = self.integers.stages[index + 1].weight.astype(np.int64)
            return mirrored(forward, size=shape[0], magnitude=self._magnitude)
        return random_feedback(self.network.stages[index].name, shape, self.settings)


def random_feedback(name: str, shape: tuple[int, int], settings: Settings) -> Long:
    """Return B (size of the population ``name``, size of where its errors come from), in steps.

    Bell-shaped with standard deviation ``settings.feedback_rms``, rounded to even integers; seed
    and name alone fix it, the same for every rule that draws weights of this shape.
    """
    drawn = bell(shape, seed=settings.seed, name=f"feedback {name}")
    return even(drawn * settings.feedback_rms).astype(np.int64)
