"""A few samples of a trained model, core by core: kept with its outcome, and what its time is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.bycore.plain import from_plain, to_plain
from hebbite.runtime.counters import COUNTERS, Counters
from hebbite.runtime.datasets import Dataset, load_dataset
from hebbite.runtime.energy import load_profile, time_per_sample
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.training import plan_of, train
from hebbite.runtime.window import SAMPLES, Window, window_from_plain, window_of, window_to_plain

MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", seed=0)


def counted(model: Compiled, data: Dataset) -> Counters:
    """Return what the reference engine counts in the samples of a window."""
    x, y = data.x_train[:SAMPLES].astype(np.float64), data.y_train[:SAMPLES]
    machine = load_engine("reference").open(model.program, rounding="independent", seed=0)
    return machine.run(model.coding.inputs(x, y), samples=SAMPLES).counters


def window(data: Dataset, engine: str = "native") -> Window:
    model = compile(MODEL, rule="dfa", calibration=data.x_train[:64])
    plan = plan_of(model, data, epochs=1, engine=engine, rounding="independent", seed=0,
                   split_seed=0, train_samples=30)  # fmt: skip
    return window_of(train(model, data, plan).model, data, plan)


def test_a_window_counts_what_a_session_counts_in_the_same_samples(data: Dataset) -> None:
    model = compile(MODEL, rule="dfa", calibration=data.x_train[:64])
    plan = plan_of(model, data, epochs=1, engine="native", rounding="independent", seed=0,
                   split_seed=0, train_samples=30)  # fmt: skip
    trained = train(model, data, plan).model
    counts = window_of(trained, data, plan).counts
    assert counts is not None
    assert counts.steps == SAMPLES * model.program.schedule.period
    wanted = counted(trained, data)
    for counter in COUNTERS[1:]:
        assert counts.total(counter) == wanted.total(counter), counter


def test_a_window_is_kept_as_plain_data(data: Dataset) -> None:
    found = window(data)
    assert found.counts is not None
    text = json.dumps(window_to_plain(found), allow_nan=False)
    program = compile(MODEL, rule="dfa", calibration=data.x_train[:64]).program
    again = window_from_plain(program, json.loads(text)).counts
    assert again is not None
    assert again.cores == found.counts.cores
    assert np.array_equal(again.values, found.counts.values)
    for name, sent in found.counts.traffic.items():
        assert np.array_equal(again.traffic[name].messages, sent.messages)
    none = window_from_plain(program, window_to_plain(Window(None, "two groups share")))
    assert (none.counts, none.reason) == (None, "two groups share")


@pytest.mark.parametrize("spoil", ["counters", "steps", "parts", "negative"])
def test_what_is_no_window_is_refused(data: Dataset, spoil: str) -> None:
    counts = window(data).counts
    assert counts is not None
    plain = to_plain(counts)
    if spoil == "counters":
        plain["counters"] = plain["counters"][1:]
    elif spoil == "steps":
        plain["steps"] += 1
    elif spoil == "parts":
        del plain["parts"]
    else:
        next(iter(plain["parts"].values()))["values"][0][0][0] = -1
    with pytest.raises((ValueError, LookupError)):
        from_plain(plain)


def test_the_time_of_a_window_lies_between_the_bounds_of_its_totals(data: Dataset) -> None:
    model = compile(MODEL, rule="dfa", calibration=data.x_train[:64])
    counters = counted(model, data)
    plan = plan_of(model, data, epochs=1, engine="native", rounding="independent", seed=0,
                   split_seed=0)  # fmt: skip
    known = window_of(model, data, plan).counts
    profile = load_profile("loihi1-davies2018")
    exact, bounds = (
        time_per_sample(counters, model.program, profile, samples=SAMPLES, window=given).band
        for given in (known, None)
    )
    assert exact is not None
    assert bounds is not None
    assert 0.5 * bounds.low < exact.low <= exact.median <= exact.high < 1.5 * bounds.high
