"""An episode: what an agent saw, did and was rewarded for, until it learns from all of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.rules.errors import Problem, UsageError
from hebbite.rules.objectives import Objective
from hebbite.runtime.outputs import outputs_of
from hebbite.runtime.teaching import Long, Real, action_error, chosen_action

Lesson = tuple[Samples, Long, Real]
"""A sample, the outputs that it gave, and the error that it teaches."""


@dataclass
class Moment:
    """A sample, its answers (outputs,), the action that followed and the reward of it."""

    x: Samples
    answers: Long
    action: int = -1
    reward: float = math.nan


@dataclass
class Episode:
    """Moments in order; ``decided`` counts the decisions of a session."""

    moments: list[Moment] = field(default_factory=list)
    decided: int = 0

    def see(self, x: Samples, answers: Long) -> None:
        """Add a sample; one that was not acted upon before is forgotten."""
        if self.moments and math.isnan(self.moments[-1].reward):
            self.moments.pop()
        self.moments.append(Moment(x, np.asarray(answers, np.int64)))

    def decide(self, objective: Objective, *, seed: int) -> int:
        """Choose the action of the last moment."""
        last = self.moments[-1]
        self.decided += 1
        last.action = chosen_action(objective, last.answers, seed=seed, number=self.decided)
        return last.action

    def hear(self, value: float, action: int | None, *, outputs: int) -> None:
        """Note the reward of the last moment (HB0181)."""
        last = self.moments[-1] if self.moments else None
        if last is None or not math.isnan(last.reward):
            raise UsageError(Problem("HB0181", "no action waits for a reward", hint="act(x) first"))
        done = last.action if action is None else action
        if not 0 <= done < outputs:
            what = f"the action {done} is not in 0..{outputs - 1}"
            raise UsageError(Problem("HB0181", what, hint="act(x), or reward(r, action=k)"))
        if not -1.0 <= value <= 1.0:
            raise UsageError(Problem("HB0181", f"a reward is a number in [-1, 1], not {value}"))
        last.action, last.reward = done, float(value)

    def lessons(self, model: Compiled) -> Iterator[Lesson]:
        """End the episode; yield what every moment teaches, in order."""
        moments, self.moments = self.moments, []
        discount, gain = model.objective.discount / 100, 0.0
        gains: list[float] = []
        for moment in reversed(moments):
            gain = moment.reward + discount * gain
            gains.append(gain)
        for moment, brought in zip(moments, reversed(gains), strict=True):
            output = outputs_of(model, moment.answers)
            yield moment.x, output, action_error(model.objective, output, moment.action, brought)
