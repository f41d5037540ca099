"""Which text of a rule is compared: typed, default or calibrated, each seed on its own samples."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.frontends import load_model
from hebbite.rules.errors import InputFileError
from hebbite.rules.registry import parse_rule
from hebbite.runtime import calibrate as calibrating
from hebbite.runtime import choice as module
from hebbite.runtime import datasets, trial, tuning
from hebbite.runtime.calibrate import LAST, Calibration, Course, Trial, best_of, calibrate
from hebbite.runtime.choice import Choice, by_text, choices_of
from hebbite.runtime.compare import Plan, compare
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.report import footnotes
from hebbite.runtime.session import Fit, Session

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
    monkeypatch.setattr(tuning, "calibrate", watched)
    return calls


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """No training: seed 0 chooses rate -7, all others choose -4; which rule and seed did."""
    calls: list[tuple[str, int]] = []

    def made(model: Any, *, rule: str, seeds: tuple[int, ...], **_: Any) -> Calibration:
        (seed,) = seeds
        calls.append((rule, seed))
        better = (0.5, 0.25) if seed else (0.25, 0.5)
        return best_of(rule, [Trial(-4, 1, 1, better[:1]), Trial(-7, 1, 0, better[1:])])

    monkeypatch.setattr(tuning, "calibrate", made)
    return calls


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("data") / "few.npz"
    save_data(path)
    return Plan(
        ("dfa", "frozen(rate=-6)", "dfa()"),
        data=str(path),
        epochs=1,
        train_samples=20,
        engine="native",
        calibrate=True,
    )


def save_data(path: Path, *, poison: bool = False) -> None:
    """Write a data set; with poison its test samples and labels are others."""
    whole = load_dataset("digits", seed=0)
    x, y = whole.x_test[:20], whole.y_test[:20]
    np.savez(
        path,
        x_train=whole.x_train[:200],
        y_train=whole.y_train[:200],
        x_test=1000.0 - x if poison else x,
        y_test=9 - y if poison else y,
    )


def chosen(plan: Plan, store: JobStore | None = None, **options: Any) -> tuple[Choice, ...]:
    return choices_of(GRAPH, plan, store=store, fresh=False, **options)


def test_without_calibration_a_rule_stands_as_typed(plan: Plan, done: list[dict[str, Any]]) -> None:
    rules = ("dfa", "dfa( )", "dfa(rate=-6)", "stdp")
    found = chosen(replace(plan, calibrate=False, rules=rules, seeds=(0, 4)))
    assert [choice.source for choice in found] == ["default", "default", "given", "default"]
    assert found[2].texts == (parse_rule("dfa(rate=-6)").text,) * 2
    assert found[2].text == parse_rule("dfa(rate=-6)").text
    assert done == []


def test_a_rule_without_options_is_calibrated_once_a_seed_on_the_data_of_the_plan(
    plan: Plan, done: list[dict[str, Any]]
) -> None:
    found = chosen(replace(plan, seeds=(3, 5)))
    assert [choice.source for choice in found] == ["calibrated", "given", "calibrated"]
    assert [options["seeds"] for options in done] == [(3,), (5,)]
    for options in done:
        assert (options["rule"], options["data"], options["limit"]) == ("dfa", plan.data, 20)
    again = tuple(calibrate(GRAPH, **options) for options in done)
    texts = tuple(calibration.rule for calibration in again)
    assert found[0] == found[2] == Choice(texts, "calibrated", again)
    assert all(parse_rule(text).text == text for text in texts)
    tried = found[0].to_json((3, 5))["calibration"]
    assert isinstance(tried, dict)
    assert (tried["rates"], tried["gains"], tried["seeds"]) == ([-7, -4], [0], [3, 5])
    assert tried["per_seed"] == [calibration.mean for calibration in again]
    assert tried["accuracy"] == sum(tried["per_seed"]) / 2


def test_a_rule_without_a_rate_is_left_as_it_is(plan: Plan, done: list[dict[str, Any]]) -> None:
    found = chosen(replace(plan, rules=("stdp",)))
    assert found == (Choice((parse_rule("stdp").text,), "default"),)
    assert done == []


@pytest.fixture
def tagged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The digits with a number of their own in the first pixel of every sample."""
    arrays = datasets.read_npz(datasets._DIGITS, ("x", "y"))
    x = arrays["x"].astype(np.float64)
    x[:, 0] = 16.0 * np.arange(len(x)) / len(x)
    np.savez(tmp_path / "tagged.npz", x=x, y=arrays["y"])
    monkeypatch.setattr(datasets, "_DIGITS", tmp_path / "tagged.npz")


def tags(x: Any) -> set[int]:
    return set(np.rint(np.asarray(x)[:, 0] * 1797).astype(int).tolist())


@pytest.mark.usefixtures("tagged", "done")
def test_no_test_sample_of_a_compared_seed_enters_its_calibration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[int, set[int]] = defaultdict(set)

    class Spy(Session):
        def fit(self, x: Any, y: Any, *, epochs: int, validation: Any) -> Fit:  # type: ignore[override]
            seen[self.model.settings.seed] |= tags(x) | tags(validation[0])
            return super().fit(x, y, epochs=epochs, validation=validation)

    def spied(*model: Any, calibration: Any, settings: Any, **options: Any) -> Compiled:
        seen[settings.seed] |= tags(calibration)
        return compile(*model, calibration=calibration, settings=settings, **options)

    monkeypatch.setattr(calibrating, "Session", Spy)
    monkeypatch.setattr(calibrating, "compile", spied)
    seeds = (0, 1, 2)
    (row,) = compare(MODEL, Plan(("delta",), seeds=seeds, epochs=1, calibrate=True)).rows
    assert [outcome.model.settings.seed for outcome in row.outcomes] == [0, 1, 2]
    assert [outcome.model.rule.text for outcome in row.outcomes] == list(row.choice.texts)
    tests = {seed: tags(load_dataset("digits", seed=seed).x_test) for seed in seeds}
    assert sorted(seen) == [0, 1, 2]
    for seed in seeds:
        assert len(seen[seed]) == 1797 - len(tests[seed])
        assert not seen[seed] & tests[seed]
        assert all(seen[seed] & tests[other] for other in seeds if other != seed)


@pytest.mark.usefixtures("done")
def test_another_test_part_changes_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(name: str, *, seed: int) -> Dataset:
        real = load_dataset(name, seed=seed)
        return replace(real, x_test=np.full_like(real.x_test, np.nan), y_test=9 - real.y_test)

    asked = Plan(("dfa",), seeds=(0, 1), train_samples=50, calibrate=True)
    clean = chosen(asked)
    for place in (module, trial, calibrating):
        monkeypatch.setattr(place, "load_dataset", poisoned)
    assert chosen(asked) == clean


def test_a_calibration_is_found_again_beside_other_test_samples(
    plan: Plan, done: list[dict[str, Any]], tmp_path: Path
) -> None:
    said: list[str] = []
    save_data(tmp_path / "poisoned.npz", poison=True)
    with JobStore(tmp_path / "jobs.sqlite") as store:
        clean = chosen(plan, store)
        other = replace(plan, data=str(tmp_path / "poisoned.npz"))
        assert chosen(other, store, note=said.append) == clean == chosen(other)
    assert said == ["1 of 1 calibrations were finished before"]
    assert len(done) == 2


@pytest.mark.usefixtures("done")
def test_what_is_calibrated_is_trained_as_it_is_compared(plan: Plan) -> None:
    epochs = Course().epochs
    asked = replace(plan, rules=("dfa",), seeds=(0, 1), epochs=epochs)
    (row,) = compare(MODEL, asked).rows
    for outcome, found in zip(row.outcomes, row.choice.calibrations, strict=True):
        assert found.mean == np.mean(outcome.validation[-LAST:])


def test_a_calibration_is_kept_and_another_plan_is_another_one(
    plan: Plan, quick: list[tuple[str, int]], tmp_path: Path
) -> None:
    said: list[str] = []
    with JobStore(tmp_path / "jobs.sqlite") as store:
        first = chosen(plan, store)
        assert quick == [("dfa", 0)]
        assert first[0].text == parse_rule("dfa(rate=-7, gain=0)").text
        assert chosen(plan, store, note=said.append) == first
        assert len(quick) == 1
        assert said == ["1 of 1 calibrations were finished before"]
        chosen(replace(plan, seeds=(0, 1), epochs=9), store)
        assert quick[1:] == [("dfa", 1)]
        chosen(replace(plan, train_samples=21), store)
        chosen(replace(plan, objectives=("regression",)), store)
        chosen(replace(plan, rounding="lava-exact"), store)
        chosen(replace(plan, targets=("ideal",)), store)
        assert len(quick) == 6
        choices_of(GRAPH, plan, store=store, fresh=True)
        assert len(quick) == 7


@pytest.mark.parametrize(
    "value",
    ["{}", "[]", "nonsense", '{"trials": []}', '{"trials": [{"rate": -5}]}',
     '{"trials": [{"rate": -5, "mantissa": 1, "gain": 0, "accuracy": [0.5, 0.5]}]}',
     '{"trials": [{"rate": -99, "mantissa": 1, "gain": 0, "accuracy": [0.5]}]}'],
)  # fmt: skip
def test_a_calibration_that_was_not_stored_so_is_refused(
    plan: Plan, done: list[dict[str, Any]], tmp_path: Path, value: str
) -> None:
    with JobStore(tmp_path / "jobs.sqlite") as store:
        (work,) = module._tunings(GRAPH, plan, module.typed(plan))
        store.put(tuning.key_of(work), value)
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


def test_seeds_that_chose_differently_are_trained_and_told_apart(
    plan: Plan, quick: list[tuple[str, int]], tmp_path: Path
) -> None:
    seeds = (2, 0, 1)
    said: list[str] = []
    texts = [parse_rule(f"dfa({o})").text for o in ("rate=-4, gain=1", "rate=-7, gain=0")]
    asked = replace(plan, rules=("dfa", texts[1]), seeds=seeds, sensitivity=True)
    with JobStore(tmp_path / "jobs.sqlite") as store:
        found = compare(MODEL, asked, store=store, note=said.append)
        again = compare(MODEL, asked, store=store, note=said.append)
    wanted = [texts[0], texts[1], texts[0]]
    first, alone = (json.loads(json.dumps(row.to_json())) for row in found.rows)
    assert quick == [("dfa", seed) for seed in seeds]
    assert (first["rule_text"], first["rule_texts"]) == (None, wanted)
    assert (alone["rule_text"], alone["rule_texts"]) == (texts[1], [texts[1]] * 3)
    assert [outcome.model.rule.text for outcome in found.rows[0].outcomes] == wanted
    assert first["accuracy"]["per_seed"][1] == alone["accuracy"]["per_seed"][1]
    near = first["rate_sensitivity"]
    doubled = [text.replace("=-4", "=-3").replace("=-7", "=-6") for text in wanted]
    assert near["double"]["rule_texts"] == doubled
    halved = texts[0].replace("=-4", "=-5")
    assert near["half"]["rule_texts"] == [halved, None, halved]
    assert near["half"]["accuracy"] is None
    assert near["half"]["reason"].startswith("seed 0: ")
    assert "rate=-8 is out of range" in near["half"]["reason"]
    lines = footnotes(found)
    assert f"seeds 2, 1: {texts[0]}; seed 0: {texts[1]}" in lines
    assert any(line.startswith("rates and gains: calibrated for every seed") for line in lines)
    # own and twice the rate of dfa, 3 + 3; of the typed one at two more seeds, 2 + 2
    assert said == [
        "3 of 3 calibrations were finished before",
        "10 of 10 jobs were finished before",
    ]
    assert [row.to_json() for row in again.rows] == [row.to_json() for row in found.rows]


@pytest.mark.long
def test_calibrations_side_by_side_choose_the_same(plan: Plan, tmp_path: Path) -> None:
    asked = replace(plan, rules=("delta",), seeds=(0, 1))
    with JobStore(tmp_path / "jobs.sqlite") as store:
        beside = chosen(asked, store, jobs=2)
        said: list[str] = []
        assert chosen(asked, store, note=said.append) == beside == chosen(asked)
    assert said == ["2 of 2 calibrations were finished before"]


def test_texts_are_told_once_with_their_seeds() -> None:
    assert by_text(["a", "a"], (0, 1)) == "a"
    assert by_text(["a", "b", "a"], (4, 0, 1)) == "seeds 4, 1: a; seed 0: b"
    assert by_text(["a"], (3,), always=True) == "seed 3: a"
