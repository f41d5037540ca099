"""The credit report of compiled models: what it must say whatever the rule learns."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.program.connectivity import Sparse
from hebbite.rules.errors import UnsupportedError, UsageError
from hebbite.runtime.credit.build import refuse_uncounted, refuse_without_twin, twin_of
from hebbite.runtime.credit.credit import CreditPlan, CreditReport, credit
from hebbite.runtime.credit.moment import Moment
from hebbite.runtime.credit.row import Row
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.session import Session

DEEP = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
SHORT = CreditPlan(
    rules=("backprop", "dfa", "frozen"), epochs=2, at=(0, 2), samples=64, train_samples=300
)


@cache
def report() -> CreditReport:
    return credit(DEEP, SHORT)


def rows(rule: str, arithmetic: str) -> list[Row]:
    return [r for r in report().rows if (r.rule, r.arithmetic) == (rule, arithmetic)]


def test_there_is_a_row_for_every_rule_moment_and_arithmetic() -> None:
    places = [(row.rule, row.epoch, row.arithmetic) for row in report().rows]
    assert places == [
        (rule, epoch, arithmetic)
        for rule in ("backprop", "dfa", "frozen")
        for epoch in (0, 2)
        for arithmetic in ("real", "chip")
    ]


def test_json_has_the_keys_that_scripts_read() -> None:
    row = report().to_json()["rows"][0]  # type: ignore[index]
    wanted = {"rule", "epoch", "layers", "surrogate", "delta_f_predicted", "delta_f_realised"}
    assert {*wanted, "delta_f_realised_small_step", "arithmetic", "total"} <= set(row)
    layer = {"name", "angle_deg", "anti_aligned", "bias", "gain", "bias_raw", "variance"}
    layer |= {"variance_intrinsic", "variance_raw", "credit_share", "misassigned"}
    assert layer <= set(row["layers"][0])
    assert "straight through" in row["surrogate"]


def test_backpropagation_is_the_gradient_whatever_was_learnt() -> None:
    for row in rows("backprop", "real"):
        for figures in (row.total, *(layer.measures for layer in row.layers)):
            assert figures.angle_deg is not None
            assert figures.angle_deg < 1e-6
            assert figures.bias == pytest.approx(0, abs=1e-9)
            assert figures.variance_intrinsic == 0
        assert row.layers[0].feedback_angle_deg == 0


def test_a_frozen_network_moves_its_readout_alone() -> None:
    for arithmetic in ("real", "chip"):
        for row in rows("frozen", arithmetic):
            *hidden, output = row.layers
            assert [layer.measures.angle_deg for layer in hidden] == [None, None]
            assert [layer.measures.bias for layer in hidden] == [1.0, 1.0]
            assert [layer.credit_share for layer in hidden] == [0.0, 0.0]
            assert output.credit_share == 1.0


def test_the_chip_writes_nearly_the_gradient_of_its_own_dead_zone() -> None:
    for row in rows("backprop", "chip"):
        for layer in row.layers:
            assert layer.measures.angle_deg is not None
            assert 0.1 < layer.measures.angle_deg < 15
            assert layer.measures.variance_intrinsic is not None
            assert layer.measures.variance_intrinsic > 0  # stochastic rounding
            assert layer.floor_drift_steps is not None
            assert -0.05 < layer.floor_drift_steps < 0


def test_a_small_step_does_what_is_predicted_in_every_row() -> None:
    for row in report().rows:
        assert row.step.small == pytest.approx(row.step.predicted, rel=0.005)


def test_shares_of_layers_and_neurons_make_up_the_whole() -> None:
    for row in report().rows:
        assert sum(layer.credit_share or 0.0 for layer in row.layers) == pytest.approx(1)
        for layer in row.layers:
            assert sum(layer.neurons) == pytest.approx(layer.credit_share)
        assert row.step.residual is not None
        assert row.step.residual < 0.01


def test_what_was_travelled_is_the_difference_of_two_moments() -> None:
    for rule in SHORT.rules:
        first, last = rows(rule, "chip")
        assert first.travelled is None
        assert last.travelled is not None
        assert last.travelled.since_epoch == 0
        assert last.travelled.delta_f == pytest.approx(last.value - first.value)
        assert sum(share or 0.0 for _, share in last.travelled.shares) == pytest.approx(1)


def test_measuring_changes_no_bit_of_the_training() -> None:
    data = load_dataset("digits", seed=0)
    x, y = data.x_train[:300].astype(np.float64), data.y_train[:300]
    model = compile(DEEP, rule="dfa", calibration=data.x_train[:1000].astype(np.float64))
    with Session(model) as session:
        session.fit(x, y, epochs=2)
        moment = Moment(session.snapshot(), x[:64], y[:64])
    assert rows("dfa", "real")[-1].value == moment.value
    assert rows("dfa", "real")[-1].total == moment.figures("real").total


def test_the_same_plan_gives_the_same_numbers_and_nothing_of_the_test_part(tmp_path: Path) -> None:
    data = load_dataset("digits", seed=0)
    x_train, y_train = data.x_train[:200], data.y_train[:200]
    found = []
    for name, factor in (("a", 1), ("b", 0)):
        path = tmp_path / f"{name}.npz"
        test = data.x_test * np.float32(factor), data.y_test * factor
        np.savez(path, x_train=x_train, y_train=y_train, x_test=test[0], y_test=test[1])
        plan = replace(SHORT, rules=("dfa",), train_samples=0, data=str(path))
        found.append([row.to_json() for row in credit(MODEL, plan).rows])
    assert found[0] == found[1]


def test_every_seed_has_rows_of_its_own() -> None:
    plan = replace(SHORT, rules=("frozen",), seeds=(0, 1), at=(0,))
    found = credit(MODEL, plan)
    assert [row.seed for row in found.rows] == [0, 0, 1, 1]
    assert found.rows[0].value != found.rows[2].value


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_units_by_table_are_measured_like_rectifiers(activation: str, tmp_path: Path) -> None:
    text = tmp_path / "m.graph"
    rng = np.random.default_rng(0)
    np.savez(
        text.with_suffix(".npz"),
        w1=rng.normal(0, 0.3, (12, 64)).astype(np.float32),
        w2=rng.normal(0, 0.5, (10, 12)).astype(np.float32),
    )
    text.write_text(
        "graph @m {\n"
        "  %image = input {shape=[64], kind=real} : real[64]\n"
        "  %fc1 = linear(%image) {weight=@w1} : real[12]\n"
        f"  %h = {activation}(%fc1) : real[12]\n"
        "  %fc2 = linear(%h) {weight=@w2} : real[10]\n"
        "  return %fc2\n"
        "}\n"
    )
    found = credit(text, replace(SHORT, rules=("backprop",), at=(0, 1)))
    for row in found.rows:
        for layer in row.layers:
            assert layer.measures.angle_deg is not None
            assert layer.measures.angle_deg < (1e-6 if row.arithmetic == "real" else 25)
        assert row.step.small == pytest.approx(row.step.predicted, rel=0.005)


def test_a_twin_has_one_layer_for_every_group_that_leads_to_the_output() -> None:
    twin = twin_of(compile(DEEP, rule="fa"))
    assert [layer.weight.shape for layer in twin.layers] == [(32, 65), (16, 33), (10, 17)]


@pytest.mark.parametrize(
    "wrong", [{"at": (3,)}, {"rules": ()}, {"samples": 1}, {"draws": 1}, {"seeds": ()}]
)
def test_a_plan_that_measures_nothing_is_refused(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(UsageError, match="HB0119"):
        replace(SHORT, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["instar", "clp"])
def test_a_rule_without_an_error_has_no_credit_to_judge(rule: str) -> None:
    plan = replace(SHORT, rules=("dfa", rule))
    with pytest.raises(UnsupportedError, match=f"HB0471.*'{rule}' follows no objective"):
        credit(MODEL, plan)
    with pytest.raises(UnsupportedError, match="HB0471"):
        twin_of(compile(MODEL, rule=rule))


def test_synapses_that_are_no_matrix_have_no_twin() -> None:
    model = compile(MODEL, rule="dfa")
    first, *rest = model.program.synapses
    groups = (replace(first, connect=Sparse("starts", "targets")), *rest)
    listed = replace(model, program=replace(model.program, synapses=groups))
    for refuse in (refuse_without_twin, refuse_uncounted):
        with pytest.raises(UnsupportedError, match=f"HB0471: a twin .* %{first.name} is Sparse"):
            refuse(listed)


def test_moments_double_by_default_and_end_with_the_last_epoch() -> None:
    assert CreditPlan(epochs=10).moments == (0, 1, 2, 4, 8, 10)
    assert CreditPlan(epochs=1).moments == (0, 1)
