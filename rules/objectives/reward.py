"""Reward: of the outputs, one a possible action, the one that was taken learns what it brought.

    a   = argmax_j o_j, or with chance epsilon any action
    e_a = R G - o_a, within the margin 0;  nobody teaches the other outputs

o_a predicts the return of action a and is the baseline that the reward is held against; e_a is the
reward prediction error, gated by the action. R is the target rate. G is the reward in [-1, 1] of a
``bandit``, which asks once, or of an ``episodic`` task the sum of the rewards from then on, each
step worth ``discount`` per cent of the one before, cut to [-1, 1].

F = 1/2 sum_j (R G_j - o_j)^2, summed over all actions: in the mean over actions taken at random the
chip follows its gradient; greedy actions visit it where it matters.

Source: P. R. Roelfsema, A. van Ooyen, "Attention-gated reinforcement learning of internal
representations for classification", Neural Computation 17, 2176-2214 (2005), doi
10.1162/0899766054615699; prediction of reward by action values: R. S. Sutton, A. G. Barto,
"Reinforcement learning: an introduction", second edition, MIT Press (2018), chapters 2 and 5.
"""

from __future__ import annotations

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.objectives.objective import Objective

KINDS = ("bandit", "episodic")


def reward(
    *,
    kind: str = "bandit",
    target_rate: int = 100,
    margin: int = 4,
    epsilon: int = 2,
    discount: int = 90,
) -> Objective:
    """Return the objective of an agent that hears rewards alone.

    Args:
        kind: bandit or episodic (HB0411).
        target_rate: output that a return of 1 stands for, 1..127.
        margin: dead zone of the prediction error, 0..127.
        epsilon: per cent of actions taken at random, 0..100.
        discount: per cent that a reward is worth one step earlier, 0..100; a bandit has none.
    """
    if kind not in KINDS:
        raise UsageError(Problem("HB0411", f"unknown kind '{kind}'", hint=near(kind, KINDS)))
    kept = f", discount={discount}" if kind == "episodic" else ""
    text = f"reward(kind={kind}, target_rate={target_rate}, margin={margin}, epsilon={epsilon}"
    return Objective(
        "reward",
        f"{text}{kept})",
        "squared error of the predicted return of the action that was taken",
        target_rate,
        margin,
        teaches="reward",
        epsilon=epsilon,
        discount=discount if kind == "episodic" else 0,
    )
