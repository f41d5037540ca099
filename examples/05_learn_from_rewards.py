"""Learn the 8x8 digits from rewards alone: nobody ever tells the right answer.

In: the untrained digits network of the package. Out: how many of the last 500 actions brought the
reward, and the accuracy on the test digits before and after. An action is an output; the reward is
1 for the right class and 0 for any other.

    python examples/05_learn_from_rewards.py
"""

from __future__ import annotations

import numpy as np

from hebbite import Session, compile
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL

ROUNDS = 6


def main() -> None:
    """Act, hear, learn; print two lines."""
    data = load_dataset("digits", seed=0)
    model = compile(
        MODEL,
        rule="bandit(rate=-4)",
        objective="reward(epsilon=5)",
        calibration=data.x_train[:256],
    )
    rewards = []
    with Session(model) as session:
        before = session.evaluate(data.x_test, data.y_test)
        for image, right in zip(
            np.tile(data.x_train, (ROUNDS, 1)), np.tile(data.y_train, ROUNDS), strict=True
        ):
            reward = float(session.act(image) == right)
            session.reward(reward)
            rewards.append(reward)
        after = session.evaluate(data.x_test, data.y_test)
    print(f"rewards of the last 500 actions: {sum(rewards[-500:]):.0f}")
    print(f"accuracy: {before:.1%} before, {after:.1%} after")


if __name__ == "__main__":
    main()
