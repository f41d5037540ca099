"""Candidates: pairs of an objective and a rule that may have changed the recorded weights.

A candidate says which layers learn and predicts how. Its feedback weights come from the recording,
never from the rule that the recorded program states:

    transpose, sign   of the recorded forward weights as they stand before a step, or as they stood
                      at the start where the rule does not follow them
    random            drawn as the compiler draws them, from the recorded seed
    learned           of the recorded feedback synapses, where these learn

Their scale is no part of a prediction: a rate a layer is fitted to the changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.lowering.feedback import random_feedback
from hebbite.compiler.program.types import Program, Synapses
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UnsupportedError, UsageError
from hebbite.rules.objectives import Objective, parse_objective
from hebbite.rules.registry import parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Real
from hebbite.runtime.credit.build import exact_path
from hebbite.runtime.credit.twin import Twin

GRADIENT = "gradient"
"""What stands for a rule where -grad F itself is the prediction."""


@dataclass(frozen=True)
class Candidate:
    """An objective and a rule; no rule: the exact gradient of the objective.

    ``goal`` and ``name`` are what a reader sees of the two: a bare name where that suffices.
    """

    objective: Objective
    rule: LearningRule | None
    goal: str
    name: str

    @property
    def rule_text(self) -> str:
        """The rule with all its options; ``gradient`` without one."""
        return GRADIENT if self.rule is None else self.rule.text

    def learns(self, layers: int) -> tuple[bool, ...]:
        """Return which layers, from the first, the candidate says to learn."""
        kind = "all" if self.rule is None else self.rule.learns
        hidden, output = kind == "all", kind != "none"
        return (*(hidden,) * (layers - 1), output)

    def __str__(self) -> str:
        """Return ``objective + rule``."""
        return f"{self.goal} + {self.name}"


def candidates_of(
    objectives: Sequence[str | Objective], rules: Sequence[str | LearningRule]
) -> tuple[Candidate, ...]:
    """Return every pair, each once, in the order given.

    Raises:
        UsageError: HB0482 if there is no objective or no rule, HB0410, HB0401 for unknown ones.
        UnsupportedError: HB0483 for a rule that graded networks do not have, or without an error.
    """
    goals = [parse_objective(g) if isinstance(g, str) else g for g in objectives]
    known = [parse_rule(r) if isinstance(r, str) else r for r in rules]
    if not goals or not known:
        what = "inference needs an objective and a rule to choose from"
        hint = "--objectives classification,regression --rules backprop,dfa,frozen"
        raise UsageError(Problem("HB0482", what, hint=hint))
    for rule in known:
        if "graded" not in rule.networks:
            what = f"'{rule.name}' is a rule of {' and '.join(rule.networks)} networks"
            raise UnsupportedError(Problem("HB0483", f"{what}; the recorded one is graded"))
        if not rule.follows_objective:
            what = f"'{rule.name}' follows no objective: it pairs with none"
            raise UnsupportedError(Problem("HB0483", what, hint="leave the rule out"))
    of_goal = _names({goal.text: goal.name for goal in goals})
    of_rule = _names({rule.text: rule.name for rule in known})
    pairs = {(g.text, r.text): (g, r) for g in goals for r in known}
    return tuple(Candidate(g, r, of_goal[g.text], of_rule[r.text]) for g, r in pairs.values())


def gradients_of(pairs: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the exact gradient of every objective among the pairs, each once."""
    goals = {pair.goal: pair.objective for pair in pairs}
    return tuple(Candidate(goal, None, name, GRADIENT) for name, goal in goals.items())


def _names(known: Mapping[str, str]) -> dict[str, str]:
    """Return text -> its name if no other text has that name, else the text itself."""
    taken = Counter(known.values())
    return {text: name if taken[name] == 1 else text for text, name in known.items()}


def feedback_for(rule: LearningRule, model: Compiled, now: Twin, start: Twin) -> dict[str, Real]:
    """Return B of every hidden population by name, up to a positive factor each.

    ``model``: the recorded one with the weights as they stand; ``now`` and ``start``: its twins
    with these and with the first weights.

    Raises:
        UnsupportedError: HB0483 if learned feedback is asked for and none was recorded.
    """
    kind = rule.feedback.weights
    if rule.learns != "all" or kind == "none":
        return {}
    hidden = range(len(now.layers) - 1)
    direct = rule.feedback.delivery == "direct"
    if kind in ("transpose", "sign"):
        source = start if rule.runs_on_chip and not rule.follows else now
        paths = {now.layers[i].name: exact_path(source, i, direct=direct) for i in hidden}
        return {name: np.sign(path) for name, path in paths.items()} if kind == "sign" else paths
    if kind == "learned":
        return {now.layers[i].name: _recorded(rule, model, now.layers[i].name) for i in hidden}
    return {now.layers[i].name: _drawn(model, now, i, direct=direct) for i in hidden}


def _drawn(model: Compiled, twin: Twin, index: int, *, direct: bool) -> Real:
    above = twin.layers[-1] if direct else twin.layers[index + 1]
    shape = (len(twin.layers[index].weight), len(above.weight))
    return _draw(twin.layers[index].name, shape, model.settings)


@lru_cache(maxsize=64)
def _draw(name: str, shape: tuple[int, int], settings: Settings) -> Real:
    """Return the draw, made once: every step of a recording asks for it."""
    drawn = random_feedback(name, shape, settings).astype(np.float64)
    drawn.setflags(write=False)
    return drawn


def _recorded(rule: LearningRule, model: Compiled, population: str) -> Real:
    group = _learning_feedback(model.program, population)
    if group is None:
        what = f"'{rule.name}' learns its feedback, and the recording holds none onto {population}"
        at = f"program @{model.model}"
        raise UnsupportedError(Problem("HB0483", what, at, hint="leave the rule out"))
    return model.program.tensors[group.weight].astype(np.float64)


def _learning_feedback(program: Program, population: str) -> Synapses | None:
    plastic = {plasticity.synapses for plasticity in program.plasticity}
    groups = (g for g in program.synapses if g.role == "feedback" and g.post == population)
    return next((group for group in groups if group.name in plastic), None)
