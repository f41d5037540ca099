"""Recordings of real training: three objectives and three rules, on the 8x8 digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.infer.record import record_learning
from hebbite.runtime.infer.recording import LearningRecording

Compile = Callable[[str, str], Compiled]
Record = Callable[..., LearningRecording]
STEPS, EVERY = 64, 4


@pytest.fixture(scope="session")
def compiled() -> Compile:
    """Give (objective, rule) -> the digits model compiled for them."""
    data = load_dataset("digits", seed=0)

    @cache
    def make(objective: str, rule: str) -> Compiled:
        calibration = data.x_train[:256]
        return compile(MODEL, rule=rule, objective=objective, calibration=calibration)

    return make


@pytest.fixture(scope="session")
def recorded(compiled: Compile) -> Record:
    """Give (objective, rule) -> what its training did in the first steps."""
    data = load_dataset("digits", seed=0)
    x, y = data.x_train.astype(np.float64), data.y_train

    @cache
    def make(
        objective: str, rule: str, steps: int = STEPS, every: int = EVERY, seed: int = 0
    ) -> LearningRecording:
        model = compiled(objective, rule)
        return record_learning(model, x, y, steps=steps, every=every, seed=seed)

    return make
