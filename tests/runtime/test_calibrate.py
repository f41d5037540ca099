"""The search for rate and gain: it tries every pair, takes the best, and never sees test data."""

from __future__ import annotations

from pathlib import Path

import pytest

from hebbite.rules.errors import UsageError
from hebbite.rules.registry import parse_rule
from hebbite.runtime import calibrate as module
from hebbite.runtime.calibrate import Trial, calibrate, rule_text
from hebbite.runtime.datasets import Dataset, load_dataset

MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"


class Poisoned:
    """A data set whose test part must not be read."""

    def __init__(self, real: Dataset) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        assert name not in ("x_test", "y_test"), "calibration read the test data"
        return getattr(self._real, name)


def poisoned(name: str, *, seed: int = 0) -> Poisoned:
    return Poisoned(load_dataset(name, seed=seed))


@pytest.fixture(autouse=True)
def _no_test_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_dataset", poisoned)


def test_the_best_pair_of_a_small_grid_wins() -> None:
    seen: list[Trial] = []
    found = calibrate(
        MODEL,
        rule="dfa",
        rates=(-7, -5),
        gains=(-1, 0),
        seeds=(100, 101),
        epochs=1,
        limit=120,
        progress=seen.append,
    )
    assert tuple(seen) == found.trials
    assert [(t.rate, t.gain) for t in seen] == [(-7, -1), (-7, 0), (-5, -1), (-5, 0)]
    assert all(len(trial.accuracy) == 2 for trial in seen)
    best = max(seen, key=lambda trial: trial.mean)
    rule = parse_rule(rule_text("dfa", rate=best.rate, mantissa=1, gain=best.gain))
    assert found.rule == str(rule)
    assert best.mean > 0.1


def test_a_rule_that_sends_nothing_back_is_tried_without_gains() -> None:
    found = calibrate(
        MODEL, rule="delta", rates=(-6, -5), gains=(-1, 0, 1), seeds=(1,), epochs=1, limit=60
    )
    assert [trial.rate for trial in found.trials] == [-6, -5]
    assert "gain" not in found.rule


def test_of_equals_the_smaller_rate_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_score", lambda *_: 0.5)
    found = calibrate(MODEL, rule="delta", rates=(-3, -7, -5), mantissas=(3, 1), seeds=(1,))
    assert found.rule == str(parse_rule("delta(rate=-7, mantissa=1)"))


def test_the_same_request_gives_the_same_trials() -> None:
    def once() -> tuple[Trial, ...]:
        return calibrate(
            MODEL, rule="dfa", rates=(-5,), gains=(0,), seeds=(3,), epochs=1, limit=60
        ).trials

    assert once() == once()


def test_nothing_to_try_and_an_unknown_rule_are_refused() -> None:
    with pytest.raises(UsageError, match="HB0109"):
        calibrate(MODEL, rule="dfa", rates=(), seeds=(1,))
    with pytest.raises(UsageError, match=r"HB0401.*'dfb'"):
        calibrate(MODEL, rule="dfb")
