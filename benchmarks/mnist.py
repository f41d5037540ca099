"""Accuracy of the rules on MNIST: settings chosen on validation samples, reported on test samples.

    export HEBBITE_DATA=~/hebbite-data        # where examples/get_mnist.py wrote mnist.npz
    python benchmarks/mnist.py --search       # validation accuracy of every setting that was tried
    python benchmarks/mnist.py                # test accuracy of the chosen ones

784-400-10 for 4 epochs, 784-100-10 for 3, and 784-100-10 from rewards alone for 3: untrained start,
8-bit weights, one sample at a time, the native engine, independent rounding. A tenth of the 60,000
training samples of each class is for validation. What is searched is learnt from the first 10,000
training samples of seed 0 in one epoch and scored on its validation samples; MNIST's own test part
is looked at once, at the end. Three seeds, mean and 95 % interval (Student's t), the frozen
baseline and chance beside them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.perceptron import perceptron
from hebbite.compiler.settings import Settings
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.row import interval
from hebbite.runtime.session import Session

INPUTS, OUTPUTS, SEARCHED = 784, 10, 10_000
SEEDS = (0, 1, 2)
HINGE = "classification(loss=hinge)"
BANDIT = "reward(epsilon=2)"


@dataclass(frozen=True)
class Run:
    """One training: a network with ``hidden`` units, a rule, and all that was chosen for it.

    ``last`` replaces the rule's constants from the second half of the epochs on.
    """

    rule: str
    hidden: int
    epochs: int
    objective: str = HINGE
    payload_rms: int = 127
    output_rms: int = 20
    error_shift: int = 2
    seed: int = 0
    limit: int | None = None
    last: str = ""


CHOSEN = (
    Run("backprop(rate=-6)", 400, 4, last="backprop(rate=-7)"),
    Run("dfa(rate=-6)", 400, 4, last="dfa(rate=-7)"),
    Run("frozen(rate=-6)", 400, 4, last="frozen(rate=-7)"),
    Run("sign-symmetric(rate=-6)", 100, 3, error_shift=3, last="sign-symmetric(rate=-7)"),
    Run("fa(rate=-6)", 100, 3, last="fa(rate=-7)"),
    Run("kolen-pollack(rate=-5)", 100, 3, last="kolen-pollack(rate=-6)"),
    Run("drtp(rate=-7, gain=1)", 100, 3, error_shift=3),
    Run("frozen(rate=-5)", 100, 3, error_shift=3, last="frozen(rate=-6)"),
    Run("bandit(rate=-5)", 100, 3, BANDIT, error_shift=3, last="bandit(rate=-6)"),
    Run("frozen(rate=-5)", 100, 3, BANDIT, error_shift=3, last="frozen(rate=-6)"),
)
RULES = ("backprop", "dfa", "sign-symmetric", "kolen-pollack", "drtp", "frozen", "bandit")
GRID = {"rate": (-7, -6, -5), "gain": (-1, 0, 1), "payload_rms": (127,), "error_shift": (2, 3)}


def main() -> None:
    """Print one JSON line a setting that was tried, or a rule."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--search", action="store_true")
    options.add_argument("--rules", default="", help="names, all by default")
    options.add_argument("--hidden", type=int, default=0, help="only networks of this width")
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    names = tuple(filter(None, chosen.rules.split(",")))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, mp_context=context) as pool:
        lines = searched(pool, names) if chosen.search else reported(pool, names, chosen.hidden)
        for line in lines:
            print(json.dumps(line), flush=True)


def searched(pool: ProcessPoolExecutor, names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Yield the validation accuracy of every setting."""
    runs = [run for rule in names or RULES for run in grid(rule)]
    for run, (validation, _) in zip(runs, pool.map(trained, runs), strict=True):
        yield {**described(run), "validation": validation[-1]}


def grid(rule: str) -> Iterator[Run]:
    """Yield every setting of a rule; a rule without feedback has no gain."""
    gains = GRID["gain"] if rule != "frozen" else (0,)
    for rate, gain, payload, shift in product(
        GRID["rate"], gains, GRID["payload_rms"], GRID["error_shift"]
    ):
        text = f"{rule}(rate={rate})" if rule == "frozen" else f"{rule}(rate={rate}, gain={gain})"
        goal = BANDIT if rule == "bandit" else HINGE
        yield Run(text, 100, 1, goal, payload, error_shift=shift, limit=SEARCHED)


def reported(
    pool: ProcessPoolExecutor, names: tuple[str, ...], hidden: int
) -> Iterator[dict[str, object]]:
    """Yield the test accuracy of the chosen settings over seeds."""
    runs = [
        run
        for run in CHOSEN
        if (not names or run.rule.split("(")[0] in names) and hidden in (0, run.hidden)
    ]
    every = [replace(run, seed=seed) for run in runs for seed in SEEDS]
    done = pool.map(trained, every)
    for run in runs:
        yield {**described(run), **summary([next(done) for _ in SEEDS])}


def described(run: Run) -> dict[str, object]:
    """Return what a run is."""
    return {
        "rule": run.rule,
        "last_epochs": run.last,
        "network": f"{INPUTS}-{run.hidden}-{OUTPUTS}",
        "objective": run.objective,
        "epochs": run.epochs,
        "payload_rms": run.payload_rms,
        "output_rms": run.output_rms,
        "error_shift": run.error_shift,
    }


def summary(found: Iterable[tuple[list[float], tuple[float, float]]]) -> dict[str, object]:
    """Return the mean and the interval of the test accuracy over seeds."""
    found = list(found)
    after = [accuracy for _, (accuracy, _) in found]
    mean, low, high = interval(after)
    return {
        "mean": round(mean, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "per_seed": [round(accuracy, 4) for accuracy in after],
        "validation": [[round(score, 4) for score in scores] for scores, _ in found],
        "us_per_sample": [round(1e6 * seconds, 1) for _, (_, seconds) in found],
        "chance": 0.1,
    }


def trained(run: Run) -> tuple[list[float], tuple[float, float]]:
    """Return validation accuracy by epoch, test accuracy, and seconds of the kernel a sample."""
    data = load_dataset("mnist", seed=run.seed)
    settings = Settings(
        init="random",
        seed=run.seed,
        payload_rms=run.payload_rms,
        output_rms=run.output_rms,
        error_shift=run.error_shift,
    )
    model = compile(
        perceptron("mnist", (INPUTS, run.hidden, OUTPUTS)),
        rule=run.rule,
        objective=run.objective,
        settings=settings,
        calibration=data.x_train[:1000].astype(np.float64),
    )
    with Session(model) as session:
        scores, seconds = [], 0.0
        x, y = data.x_train[: run.limit], data.y_train[: run.limit]
        for epoch in range(run.epochs):
            if run.last and epoch == -(-run.epochs // 2):
                session.change_rule(run.last)
            held = data.x_validation, data.y_validation
            fit = session.fit(x, y, epochs=1, first_epoch=epoch, validation=held)
            scores.append(fit.validation[0])
            seconds += fit.wall_s
        tested = session.evaluate(data.x_test, data.y_test) if run.limit is None else 0.0
    return scores, (tested, seconds / (run.epochs * len(x)))


if __name__ == "__main__":
    main()
