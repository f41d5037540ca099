"""Which text of a rule is compared: typed, default or calibrated; calibrated once and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.frontends import load_model
from hebbite.rules.errors import InputFileError
from hebbite.rules.registry import parse_rule
from hebbite.runtime import choice as module
from hebbite.runtime.calibrate import Calibration, Trial, best_of, calibrate
from hebbite.runtime.choice import Choice, choices_of
from hebbite.runtime.compare import Plan, compare
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.jobs import JobStore

GRAPH = load_model(MODEL)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A grid of two rates and one gain; what was really calibrated."""
    calls: list[dict[str, Any]] = []

    def watched(model: Any, **options: Any) -> Calibration:
        calls.append(options)
        return calibrate(model, **options)

    monkeypatch.setattr(module, "RATES", (-7, -4))
    monkeypatch.setattr(module, "GAINS", (0,))
    monkeypatch.setattr(module, "calibrate", watched)
    return calls


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("data") / "few.npz"
    whole = load_dataset("digits", seed=0)
    np.savez(
        path,
        x_train=whole.x_train[:200],
        y_train=whole.y_train[:200],
        x_test=whole.x_test[:20],
        y_test=whole.y_test[:20],
    )
    return Plan(
        ("dfa", "frozen(rate=-6)", "dfa()"),
        data=str(path),
        epochs=1,
        train_samples=20,
        engine="reference",
        calibrate=True,
    )


def chosen(plan: Plan, store: JobStore | None = None, **options: Any) -> tuple[Choice, ...]:
    return choices_of(GRAPH, plan, store=store, fresh=False, **options)


def test_without_calibration_a_rule_stands_as_typed(plan: Plan, done: list[dict[str, Any]]) -> None:
    found = chosen(replace(plan, calibrate=False, rules=("dfa", "dfa( )", "dfa(rate=-6)", "stdp")))
    assert [choice.source for choice in found] == ["default", "default", "given", "default"]
    assert found[2].text == parse_rule("dfa(rate=-6)").text
    assert done == []


def test_a_rule_without_options_is_calibrated_once_on_the_data_of_the_plan(
    plan: Plan, done: list[dict[str, Any]]
) -> None:
    found = chosen(plan)
    assert [choice.source for choice in found] == ["calibrated", "given", "calibrated"]
    (options,) = done
    assert (options["rule"], options["data"], options["limit"]) == ("dfa", plan.data, 20)
    assert options["seeds"] == (100, 101)
    again = calibrate(GRAPH, **options)
    assert found[0] == found[2] == Choice(again.rule, "calibrated", again)
    assert parse_rule(found[0].text).text == found[0].text
    tried = found[0].to_json()["calibration"]
    assert isinstance(tried, dict)
    assert (tried["rates"], tried["gains"], tried["accuracy"]) == ([-7, -4], [0], again.mean)


def test_a_rule_without_a_rate_is_left_as_it_is(plan: Plan, done: list[dict[str, Any]]) -> None:
    found = chosen(replace(plan, rules=("stdp",)))
    assert found == (Choice(parse_rule("stdp").text, "default"),)
    assert done == []


def test_a_calibration_is_kept_and_another_plan_is_another_one(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    done: list[str] = []

    def quick(model: Any, *, rule: str, **_: Any) -> Calibration:
        done.append(rule)
        return best_of(rule, [Trial(-6, 1, 0, (0.5, 0.25)), Trial(-4, 1, 1, (0.7, 0.1))])

    monkeypatch.setattr(module, "calibrate", quick)
    with JobStore(tmp_path / "jobs.sqlite") as store:
        first = chosen(plan, store)
        assert done == ["dfa"]
        assert first[0].text == parse_rule("dfa(rate=-4, gain=1)").text
        assert chosen(plan, store, note=said.append) == first
        assert len(done) == 1
        assert said == [f"dfa was calibrated before: {first[0].text}"]
        chosen(replace(plan, seeds=(0, 1), epochs=9), store)
        assert len(done) == 1
        chosen(replace(plan, train_samples=21), store)
        chosen(replace(plan, objectives=("regression",)), store)
        chosen(replace(plan, rounding="lava-exact"), store)
        chosen(replace(plan, targets=("ideal",)), store)
        assert len(done) == 5
        choices_of(GRAPH, plan, store=store, fresh=True)
        assert len(done) == 6


@pytest.mark.parametrize(
    "value",
    ["{}", "[]", "nonsense", '{"trials": []}', '{"trials": [{"rate": -5}]}',
     '{"trials": [{"rate": -5, "mantissa": 1, "gain": 0, "accuracy": [0.5]}]}'],
)  # fmt: skip
def test_a_calibration_that_was_not_stored_so_is_refused(
    plan: Plan, done: list[dict[str, Any]], tmp_path: Path, value: str
) -> None:
    with JobStore(tmp_path / "jobs.sqlite") as store:
        store.put(module._key(GRAPH, plan, "dfa"), value)
        with pytest.raises(InputFileError, match="HB0716"):
            chosen(plan, store)
    assert done == []


def test_a_comparison_uses_the_calibrated_text_and_goes_on_from_it(
    plan: Plan, done: list[dict[str, Any]], tmp_path: Path
) -> None:
    said: list[str] = []
    with JobStore(tmp_path / "jobs.sqlite") as store:
        first = compare(MODEL, plan, store=store)
        text = first.rows[0].model.rule.text
        typed = replace(plan, rules=(text,), calibrate=False)
        compare(MODEL, typed, store=store, note=said.append)
        assert said == ["1 of 1 jobs were finished before"]
        again = compare(MODEL, plan, store=store)
    assert [row.choice.source for row in first.rows] == ["calibrated", "given", "calibrated"]
    assert first.rows[0].model.rule.text == first.rows[0].choice.text == text
    assert [row.to_json() for row in again.rows] == [row.to_json() for row in first.rows]
    assert len(done) == 1
