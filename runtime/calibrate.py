"""Learning rate and feedback gain, chosen on validation data and never on test data.

The window of rates at which integer learning works is only a factor of 4 to 8 wide, and layered
feedback multiplies the gains of its layers, so both are searched together: every pair is trained
from the same start for a few epochs, once for each seed, and the pair with the best mean validation
accuracy wins; of equals, the one with the smaller rate. A seed trains on its own training samples
and is scored on its own validation samples: what is then compared on the test part of the same seed
was chosen without it, while the split of another seed could hold those test samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from hebbite.compiler.compile import compile
from hebbite.compiler.graph import Graph
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.options import options_of
from hebbite.rules.registry import RULES, parse_rule
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.plan import CALIBRATION_SAMPLES
from hebbite.runtime.session import Session

RATES = (-7, -6, -5, -4, -3)
GAINS = (-2, -1, 0, 1, 2)
LAST = 3
"""Epochs over which the validation accuracy is averaged, the last ones: one alone is noisy."""


@dataclass(frozen=True)
class Trial:
    """One pair that was tried: validation accuracy of each seed, mean of the last epochs."""

    rate: int
    mantissa: int
    gain: int
    accuracy: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean validation accuracy."""
        return float(np.mean(self.accuracy))


@dataclass(frozen=True)
class Calibration:
    """The pair that won, as the text of a rule, and every trial."""

    rule: str
    trials: tuple[Trial, ...]

    @property
    def mean(self) -> float:
        """Mean validation accuracy of the pair that won."""
        return max(trial.mean for trial in self.trials)


@dataclass(frozen=True)
class Course:
    """How every pair is trained: ``limit`` cuts an epoch to the first training samples."""

    epochs: int = 5
    limit: int | None = None
    objective: str = "classification"
    engine: str = "native"
    rounding: str = "independent"
    chips: int = 1


def calibrate(
    model: str | Path | Graph,
    *,
    rule: str,
    data: str = "digits",
    settings: Settings | None = None,
    rates: Sequence[int] = RATES,
    mantissas: Sequence[int] = (1,),
    gains: Sequence[int] = GAINS,
    seeds: Sequence[int] = (0,),
    epochs: int = 5,
    limit: int | None = None,
    objective: str = "classification",
    engine: str = "native",
    rounding: str = "independent",
    chips: int = 1,
    progress: Callable[[Trial], None] | None = None,
) -> Calibration:
    """Return the rate and gain with which ``rule`` (a name without options) learns best.

    ``seeds``: those whose results the choice is for, or any whose splits hold none of their test
    samples. ``limit`` cuts an epoch to the first samples of the training split; ``chips`` is how
    many the program may use.

    Raises:
        UsageError: HB0109 if there is nothing to try.
    """
    if rule not in RULES:
        raise UsageError(Problem("HB0401", f"unknown rule '{rule}'", hint=near(rule, RULES)))
    credited = "gain" in options_of(RULES[rule])
    chosen = settings or Settings()
    course = Course(epochs, limit, objective, engine, rounding, chips)
    datasets = {seed: load_dataset(data, seed=seed) for seed in seeds}
    trials: list[Trial] = []
    for rate, mantissa, gain in product(rates, mantissas, gains if credited else (0,)):
        text = rule_text(rule, rate=rate, mantissa=mantissa, gain=gain)
        scores = tuple(
            _score(model, text, replace(chosen, seed=seed), datasets[seed], course)
            for seed in seeds
        )
        trials.append(Trial(rate, mantissa, gain, scores))
        if progress is not None:
            progress(trials[-1])
    return best_of(rule, trials)


def best_of(rule: str, trials: Sequence[Trial]) -> Calibration:
    """Return the winner of some trials of a rule (HB0109 if there are none)."""
    if not trials:
        raise UsageError(Problem("HB0109", "no rate and no gain to try"))
    best = max(trials, key=lambda trial: (trial.mean, -trial.mantissa * 2.0**trial.rate))
    text = rule_text(rule, rate=best.rate, mantissa=best.mantissa, gain=best.gain)
    return Calibration(str(parse_rule(text)), tuple(trials))


def rule_text(rule: str, *, rate: int, mantissa: int, gain: int) -> str:
    """Return the text of an error-driven rule; a rule that sends no error back has no gain."""
    back = f", gain={gain}" if "gain" in options_of(RULES[rule]) else ""
    return f"{rule}(rate={rate}, mantissa={mantissa}{back})"


def _score(
    model: str | Path | Graph,
    rule: str,
    settings: Settings,
    data: Dataset,
    course: Course,
) -> float:
    made = compile(
        model,
        rule=rule,
        objective=course.objective,
        settings=settings,
        calibration=data.x_train[:CALIBRATION_SAMPLES].astype(np.float64),
        chips=course.chips,
    )
    validation = (data.x_validation.astype(np.float64), data.y_validation)
    with Session(made, engine=course.engine, rounding=course.rounding) as session:
        x = data.x_train[: course.limit].astype(np.float64)
        y = data.y_train[: course.limit]
        fit = session.fit(x, y, epochs=course.epochs, validation=validation)
    return float(np.mean(fit.validation[-LAST:]))
