"""Comparing rules: rows have the contract's keys, processes do not matter, errors come through."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.graph_text import parse as parse_graph
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError, UnsupportedError, UsageError
from hebbite.runtime.compare import Plan, compare, interval
from hebbite.runtime.credit.book import SPIKING
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL, run_demo
from hebbite.runtime.energy import list_profiles, price
from hebbite.runtime.ranking import Pair
from hebbite.runtime.report import credit_rows, footnotes, render, table_rows

TINY = Plan(("dfa", "frozen"), seeds=(0, 1), epochs=1, train_samples=20, engine="reference")
ALONE = """
graph @alone {
  %x     = input {shape=[64], kind=real} : real[64]
  %units = linear(%x) {weight=@w}        : real[10]
  return %units
}
"""
DYNAMIC = ("dynamic", "assumed")
KEYS = {"model", "rule", "objective", "bias", "target", "engine", "rounding", "seeds", "epochs",
        "samples", "split", "accuracy", "chance", "per_sample", "energy", "credit", "locality",
        "footprint", "time_per_sample_s", "wall_s"}  # fmt: skip


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan on few samples, so that evaluation is short."""
    path = tmp_path_factory.mktemp("data") / "few.npz"
    whole = load_dataset("digits", seed=0)
    np.savez(
        path,
        x_train=whole.x_train[:200],
        y_train=whole.y_train[:200],
        x_test=whole.x_test[:20],
        y_test=whole.y_test[:20],
    )
    return replace(TINY, data=str(path))


def test_the_interval_is_students() -> None:
    mean, low, high = interval([0.5, 0.6, 0.7])
    assert mean == pytest.approx(0.6)
    assert high - low == pytest.approx(2 * 4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert interval([0.9]) == (0.9, 0.0, 1.0)


def test_a_row_has_the_keys_of_the_contract_and_is_plain_json(plan: Plan) -> None:
    document = compare(MODEL, plan).to_json()
    rows = json.loads(json.dumps(document, allow_nan=False))["rows"]
    assert [row["rule"] for row in rows] == ["dfa", "frozen"]
    for row in rows:
        assert row.keys() >= KEYS
        assert len(row["accuracy"]["per_seed"]) == 2
        credit = row["credit"]
        assert (credit["moments"], credit["samples"], credit["reason"]) == ([1], 20, "")
        assert [layer["name"] for layer in credit["layers"]] == ["relu1", "fc2"]
        for part in (credit, credit["chip"], credit["layers"][1], credit["chip"]["layers"][1]):
            assert -1 <= part["alignment"] <= 1
            assert 0 <= part["bias"] <= 1
            assert part["variance"] > 0
        assert row["per_sample"]["steps"] == (4 if row["rule"] == "dfa" else 3)
    assert rows[0]["per_sample"]["updates_visited"] > rows[1]["per_sample"]["updates_visited"] > 0


def test_the_table_of_credit_shows_the_means_of_the_rows(plan: Plan) -> None:
    rules = ("dfa", "backprop", "frozen", "node-perturbation")
    found = compare(MODEL, replace(plan, rules=rules))
    cells = {row[0]: row[1:] for row in credit_rows(found)}
    assert cells["backprop"][0] == "0.000"
    assert cells["backprop"][4] == "0.0 deg"
    assert cells["frozen"][4:] == ["-", "-"]
    real = found.rows[0].to_json()["credit"]
    assert isinstance(real, dict)
    assert cells["dfa"][:2] == [f"{part['bias']:.3f}" for part in (real, real["chip"])]
    angles = [part["layers"][0]["angle_deg"] for part in (real, real["chip"])]
    assert cells["dfa"][4:] == [f"{angle:.1f} deg" for angle in angles]
    notes = "\n".join(footnotes(found))
    assert "on the first 20 training samples" in notes
    assert "after epoch 1\n" in notes
    assert notes.count("its units draw noise") == 1
    assert "node-perturbation: its units draw noise, so on chip every sample ran 8 times" in notes
    assert "How well each rule assigns credit" in render(found)


def test_spiking_rows_say_why_there_is_no_credit(plan: Plan) -> None:
    spiking = Settings(neuron="lif", encode="rate")
    asked = replace(plan, rules=("stdp",), seeds=(0,), settings=spiking, targets=("loihi1",),
                    train_samples=2, engine="native")  # fmt: skip
    found = compare(MODEL, asked)
    assert credit_rows(found) == []
    assert f"stdp: no credit: {SPIKING.format('lif')}" in footnotes(found)
    assert "How well each rule assigns credit" not in render(found)


def test_a_row_joins_energy_with_what_it_bought(plan: Plan) -> None:
    document = compare(MODEL, replace(plan, epochs=2)).to_json()
    for row in json.loads(json.dumps(document, allow_nan=False))["rows"]:
        curve, reach = row["objective_value"], row["to_accuracy"]
        assert row["rates"] == {"source": "default", "calibration": None}
        assert row["rate_sensitivity"] is None
        assert curve["unit"] == "squared payload units a sample"
        assert [len(seed["per_epoch"]) for seed in curve["seeds"]] == [2, 2]
        assert curve["decrease"] == pytest.approx(curve["before"] - curve["per_epoch"][-1])
        assert (reach["accuracy"], reach["epochs"]) == (0.9, [None, None])
        energy = next(e for e in row["energy"] if (e["boundary"], e["total"]) == DYNAMIC)
        joules = energy["learning_per_sample_j"]["median"] * row["samples"]
        assert energy["per_decrease_j"]["median"] == pytest.approx(joules / curve["decrease"])
        assert energy["to_accuracy_j"] is None
        assert energy["reasons"]["to_accuracy_j"].startswith("0 of 2 seeds reached")


def test_one_rule_costs_less_only_where_every_profile_says_so(plan: Plan) -> None:
    found = compare(MODEL, replace(plan, rules=("frozen", "delta", "backprop")))
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    verdicts = {(pair["one"], pair["other"]): pair["verdict"] for pair in document["cheaper"]}
    assert verdicts == {(0, 1): "not separable", (0, 2): "cheaper", (1, 2): "cheaper"}
    assert all(set(pair["ratios"]) == set(list_profiles()) for pair in document["cheaper"])
    alike, *others = document["cheaper"]
    assert {band["high"] for band in alike["ratios"].values()} == {1.0}  # one and the same program
    assert all(band["high"] < 1 for pair in others for band in pair["ratios"].values())
    (told,) = (line for line in footnotes(found) if line.startswith("fewer joules"))
    assert told.endswith("frozen than backprop; delta than backprop")


@pytest.mark.parametrize(
    ("bands", "verdict"),
    [
        ([(0.5, 0.9), (0.2, 0.99)], "cheaper"),
        ([(1.1, 2.0), (1.01, 3.0)], "dearer"),
        ([(0.5, 0.9), (0.9, 1.1)], "not separable"),
        ([(0.5, 0.9), (1.1, 1.2)], "not separable"),
        ([(0.5, 0.9), None], "not separable"),
        ([], "not separable"),
    ],
)
def test_a_verdict_needs_the_whole_interval_of_every_profile(
    bands: list[tuple[float, float] | None], verdict: str
) -> None:
    ratios = {
        f"p{number}": None if band is None else {"low": band[0], "high": band[1]}
        for number, band in enumerate(bands)
    }
    assert Pair(0, 1, ratios).verdict == verdict


def test_an_accuracy_costs_the_epochs_until_it_was_reached(plan: Plan) -> None:
    (row,) = compare(MODEL, replace(plan, rules=("dfa",), epochs=2)).rows
    curves = [outcome.curve for outcome in row.outcomes]
    low, high = sorted(max(curve.validation) for curve in curves)
    easy = replace(row, plan=replace(row.plan, to_accuracy=low))
    parts = [
        curve.until(next(k for k, score in enumerate(curve.validation) if score >= low))
        for curve in curves
    ]
    spent = price(parts[0] + parts[1], row.model.program, row.profiles[0], samples=2)
    assert easy.energy[1]["to_accuracy_j"] == spent[1]["per_sample_j"] is not None
    beyond = replace(row, plan=replace(row.plan, to_accuracy=high + 1e-9))
    assert beyond.bought.reached == 0
    assert beyond.energy[1]["to_accuracy_j"] is None


def test_a_rule_at_half_and_twice_its_rate_is_what_it_is_alone(plan: Plan) -> None:
    asked = replace(plan, rules=("dfa(rate=-7)", "dfa(rate=-6)"), sensitivity=True)
    found, alone = compare(MODEL, asked), compare(MODEL, replace(plan, rules=("dfa(rate=-5)",)))
    edge, inner = (row.to_json()["rate_sensitivity"] for row in found.rows)
    assert isinstance(edge, dict)
    assert isinstance(inner, dict)
    assert edge["half"]["accuracy"] is edge["half"]["per_decrease_j"] is None
    assert "rate=-8 is out of range" in edge["half"]["reason"]
    (single,) = alone.rows
    double = inner["double"]
    assert double["rule_text"] == single.model.rule.text
    assert double["accuracy"] == single.accuracy_json()
    assert double["objective_decrease"] == single.bought.decrease
    assert double["energy"] == single.energy
    shown = single.energy_shown
    assert shown is not None
    assert double["per_decrease_j"] == shown["per_decrease_j"] is not None
    assert inner["half"]["energy"] == found.rows[0].energy


@pytest.mark.parametrize("accuracy", [0.0, 1.1, -1.0, float("nan")])
def test_an_accuracy_that_cannot_be_is_refused(plan: Plan, accuracy: float) -> None:
    with pytest.raises(UsageError, match="HB0117"):
        compare(MODEL, replace(plan, to_accuracy=accuracy))


def test_the_number_of_processes_changes_nothing(plan: Plan) -> None:
    short = replace(plan, rules=("dfa",))
    one, two = compare(MODEL, short), compare(MODEL, short, jobs=2)
    assert table_rows(one) == table_rows(two)
    seen = [outcome.counters for row in one.rows for outcome in row.outcomes]
    assert seen == [outcome.counters for row in two.rows for outcome in row.outcomes]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_keeps_its_kind_and_its_problems(jobs: int) -> None:
    plan = Plan(("bptt",), seeds=(0, 1), epochs=1, train_samples=5, engine="reference")
    with pytest.raises(UnsupportedError, match="HB0402") as caught:
        compare(MODEL, plan, jobs=jobs)
    assert caught.value.problems[0].code == "HB0402"


@pytest.mark.parametrize("empty", [Plan(()), Plan(("dfa",), seeds=()), Plan(("dfaa",))])
def test_a_plan_of_nothing_is_refused(empty: Plan) -> None:
    with pytest.raises(UsageError):
        compare(MODEL, empty)


def test_the_demo_verifies_the_program_that_it_trained_and_its_page_is_self_contained() -> None:
    found = run_demo(
        epochs=1, seeds=(0,), engine="native", train_samples=150, engines=("reference", "native")
    )
    dfa = next(row for row in found.comparison.rows if row.name == "dfa")
    assert found.verification.program_sha256 == dfa.model.sha256
    assert found.verification.steps == 500
    assert found.verification.conclusive
    page = render(found.comparison, verification=found.verification, missing="<none>")
    assert "Content-Security-Policy" in page
    assert "&lt;none&gt;" in page
    assert not any(word in page for word in ("http:", "https:", "<script", "url(", "src="))
    assert "nothing was run on a chip" in page


def test_the_root_error_is_what_every_refusal_derives_from(tmp_path: Path) -> None:
    with pytest.raises(HebbiteError):
        compare(tmp_path / "absent.onnx", TINY)


def test_prototypes_stand_beside_other_rules_without_objective_and_credit(plan: Plan) -> None:
    rules = ("dfa", "instar", "clp")
    found = compare(MODEL, replace(plan, rules=rules, seeds=(0,)))
    dfa, *others = json.loads(json.dumps(found.to_json(), allow_nan=False))["rows"]
    assert dfa["credit"]["reason"] == ""
    for row in others:
        assert row["credit"]["reason"] == "the rule follows no objective"
        assert row["accuracy"]["mean"] > row["chance"]
        assert row["energy"]


@pytest.mark.parametrize("rule", ["oja", "bcm"])
def test_features_that_nobody_teaches_are_no_answers_to_compare(rule: str, plan: Plan) -> None:
    model = parse_graph(ALONE, {"w": np.random.default_rng(0).normal(size=(10, 64))})
    with pytest.raises(UsageError, match=f"HB0107.*'{rule}' learns features"):
        compare(model, replace(plan, rules=(rule,)))
