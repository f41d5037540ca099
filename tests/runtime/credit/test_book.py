"""Credit beside a training: the figures of the credit report, and nothing moved by measuring."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import Problem, UnsupportedError
from hebbite.runtime.credit import book as module
from hebbite.runtime.credit import signals
from hebbite.runtime.credit.book import SPIKING, CreditBook, moments_of
from hebbite.runtime.credit.credit import CreditPlan, credit
from hebbite.runtime.credit.curve import (
    NOTHING,
    CreditCurve,
    CreditMeans,
    CreditMoment,
    LayerMarks,
    Marks,
    Sheet,
    from_plain,
    to_plain,
)
from hebbite.runtime.credit.twin import SURROGATE
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.training import Trained, plan_of, train

EPOCHS, TRAINED, SAMPLES = 3, 150, 40


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure on fewer samples."""
    monkeypatch.setattr(module, "SAMPLES", SAMPLES)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", seed=0)


class Watched:
    """A data set that says which parts were read."""

    def __init__(self, real: Dataset) -> None:
        self._real = real
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self.read.add(name)
        return getattr(self._real, name)


def compiled(
    data: Dataset, rule: str, settings: Settings | None = None, *, samples: int = 1000
) -> Compiled:
    calibration = data.x_train[:samples].astype(np.float64)
    return compile(MODEL, rule=rule, settings=settings or Settings(), calibration=calibration)


def trained(model: Compiled, data: Dataset, book: CreditBook | None, epochs: int) -> Trained:
    plan = plan_of(model, data, epochs=epochs, engine="native", rounding="independent", seed=0,
                   split_seed=0, train_samples=TRAINED)  # fmt: skip
    return train(model, data, plan, watch=book.watch if book else None)


def written(model: Compiled, data: Any, *, epochs: int = EPOCHS) -> CreditCurve:
    book = CreditBook(data, samples=TRAINED, epochs=epochs)
    trained(model, load_dataset("digits", seed=0), book, epochs)
    return book.curve()


def test_measuring_moves_nothing_and_reads_training_samples_only(data: Dataset) -> None:
    model, seen = compiled(data, "dfa"), Watched(data)
    plain = trained(model, data, None, EPOCHS)
    book = CreditBook(seen, samples=TRAINED, epochs=EPOCHS)  # type: ignore[arg-type]
    measured = trained(model, data, book, EPOCHS)
    assert seen.read == {"x_train", "y_train"}
    assert [moment.epoch for moment in book.curve().moments] == [1, EPOCHS]
    assert plain.model.sha256 == measured.model.sha256 != model.sha256
    assert plain.counters == measured.counters
    assert (plain.before, plain.after) == (measured.before, measured.after)
    assert plain.plan.validation == measured.plan.validation


@pytest.mark.parametrize(
    ("rule", "draws"), [("dfa", 1), ("backprop", 1), ("frozen", 1), ("node-perturbation", 8)]
)
def test_the_figures_are_those_of_the_credit_report(data: Dataset, rule: str, draws: int) -> None:
    curve = written(compiled(data, rule), data)
    plan = CreditPlan((rule,), epochs=EPOCHS, at=(1, EPOCHS), samples=SAMPLES,
                      train_samples=TRAINED)  # fmt: skip
    rows = {(row.epoch, row.arithmetic): row for row in credit(MODEL, plan).rows}
    assert (curve.samples, curve.draws, curve.reason, len(rows)) == (SAMPLES, draws, "", 4)
    for moment in curve.moments:
        for sheet, arithmetic in ((moment.real, "real"), (moment.chip, "chip")):
            row = rows[moment.epoch, arithmetic]  # type: ignore[index]
            names = [layer.name for layer in row.layers]
            assert [layer.name for layer in sheet.layers] == names == ["relu1", "fc2"]
            ours = [sheet.total, *(layer.marks for layer in sheet.layers)]
            theirs = [row.total, *(layer.measures for layer in row.layers)]
            for one, two in zip(ours, theirs, strict=True):
                assert (one.angle_deg, one.bias) == (two.angle_deg, two.bias)
                assert one.variance == two.variance


def test_the_alignment_is_the_cosine_of_the_angle(data: Dataset) -> None:
    exact = written(compiled(data, "backprop"), data, epochs=1)
    real, chip = exact.moments[0].real, exact.moments[0].chip.total
    assert real.total == replace(real.total, alignment=1.0, angle_deg=0.0, bias=0.0)
    assert chip.alignment == np.cos(np.deg2rad(chip.angle_deg or 0.0)) < 1.0
    frozen = written(compiled(data, "frozen"), data, epochs=1).moments[0].real
    hidden, output = (layer.marks for layer in frozen.layers)
    assert hidden == Marks(None, None, 1.0, None)
    assert output.alignment == 1.0


def test_it_is_looked_at_after_the_first_epoch_and_the_last() -> None:
    assert [moments_of(epochs) for epochs in (1, 2, 10)] == [(1,), (1, 2), (1, 10)]


def test_a_spiking_model_has_a_reason_instead(data: Dataset) -> None:
    spiking = Settings(target="loihi1", neuron="lif", encode="rate")
    book = CreditBook(data, samples=10, epochs=2)
    book._epoch = 1
    book._measure(compiled(data, "stdp", spiking, samples=20))
    assert book.curve().reason == SPIKING.format("lif")
    document = CreditMeans((book.curve(),)).to_json()
    nothing: dict[str, Any] = {
        "alignment": None,
        "angle_deg": None,
        "bias": None,
        "variance": None,
        "layers": [],
    }
    assert {name: document[name] for name in nothing} == nothing
    assert document["chip"] == {**nothing, "draws": 1}
    assert (document["moments"], document["samples"], document["surrogate"]) == ([], 0, None)
    assert document["reason"] == book.curve().reason


def test_a_rule_without_a_real_valued_model_has_a_reason_instead(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "SIGNALS", {})
    curve = written(compiled(data, "dfa"), data)
    assert curve.moments == ()
    assert "no real-valued model of a learning signal from 'output-error'" in curve.reason


def test_any_other_refusal_comes_through(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UnsupportedError(Problem("HB0402", "no such chip"))

    monkeypatch.setattr(module, "marks_at", refuse)
    with pytest.raises(UnsupportedError, match="HB0402"):
        written(compiled(data, "dfa"), data, epochs=1)


def test_a_curve_comes_back_bit_for_bit(data: Dataset) -> None:
    curve = written(compiled(data, "frozen"), data)
    assert from_plain(json.loads(json.dumps(to_plain(curve)))) == curve
    refused = CreditCurve((), 0, 1, "why not")
    assert from_plain(json.loads(json.dumps(to_plain(refused)))) == refused
    changes: list[dict[str, Any]] = [{"moments": [{}]}, {"samples": None}, {"draws": "many"}]
    for change in changes:
        with pytest.raises((ValueError, TypeError, LookupError)):
            from_plain({**to_plain(curve), **change})


def by_hand(*totals: float | None, hidden: float | None = 60.0) -> CreditCurve:
    """A training with a moment for every alignment of all layers."""
    layers = (
        LayerMarks("hidden", Marks(0.5, hidden, 0.75, 8.0)),
        LayerMarks("out", Marks(1.0, 0.0, 0.0, 2.0)),
    )
    sheets = [Sheet(Marks(total, 10.0, 0.25, 4.0), layers) for total in totals]
    moments = (CreditMoment(epoch, each, each) for epoch, each in enumerate(sheets, start=1))
    return CreditCurve(tuple(moments), 256, 1)


def test_a_mean_is_over_moments_and_seeds() -> None:
    means = CreditMeans((by_hand(0.5, 0.75), by_hand(1.0, 1.0, hidden=30.0)))
    document = json.loads(json.dumps(means.to_json()))
    assert document["alignment"] == 3.25 / 4
    assert document["layers"] == [
        {"name": "hidden", "alignment": 0.5, "angle_deg": 45.0, "bias": 0.75, "variance": 8.0},
        {"name": "out", "alignment": 1.0, "angle_deg": 0.0, "bias": 0.0, "variance": 2.0},
    ]
    assert document["chip"]["layers"] == document["layers"]
    assert (document["moments"], document["samples"]) == ([1, 2], 256)
    assert (document["surrogate"], document["reason"]) == (SURROGATE, "")
    assert means.hidden_deg("real") == 45.0


def test_what_one_moment_lacks_the_mean_lacks_and_says_so() -> None:
    means = CreditMeans((by_hand(0.5, 0.75), by_hand(1.0, None, hidden=None)))
    assert means.total("real") == Marks(None, 10.0, 0.25, 4.0)
    assert means.hidden_deg("chip") is None
    assert (means.reason, means.unmeasured) == (NOTHING, "")
