"""A session: reproducible, cut anywhere, resumed anywhere; evaluation leaves no trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hebbite
from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Saved, load_compiled
from hebbite.rules.errors import InputFileError, UsageError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.pieces import Pace
from hebbite.runtime.session import Labels, Session, sample_order

MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)


@pytest.fixture(scope="module")
def made() -> Compiled:
    return compile(MODEL, rule="dfa(rate=-4)", calibration=DIGITS.x_train[:64])


@pytest.mark.parametrize("rounding", ["independent", "lava-exact"])
def test_a_run_cut_in_two_gives_the_same_bits(made: Compiled, rounding: str) -> None:
    x, y = DIGITS.x_train[:40], DIGITS.y_train[:40]
    with Session(made, engine="reference", rounding=rounding) as whole:
        whole.run(x, y, learn=True)
        with Session(made, engine="reference", rounding=rounding) as parts:
            parts.run(x[:13], y[:13], learn=True)
            parts.run(x[13:], y[13:], learn=True)
            for name in ("to_relu1.weight", "to_fc3.weight"):
                assert np.array_equal(whole.read(name), parts.read(name))
            assert whole.counters == parts.counters


@pytest.mark.parametrize("rounding", ["independent", "lava-exact"])
def test_a_restored_session_continues_with_the_same_bits(made: Compiled, rounding: str) -> None:
    x, y = DIGITS.x_train[:30], DIGITS.y_train[:30]
    first = Session(made, engine="reference", rounding=rounding)
    first.run(x[:10], y[:10], learn=True)
    second = Session(made, engine="reference", rounding=rounding)
    second.restore(first.state())
    for session in (first, second):
        session.run(x[10:], y[10:], learn=True)
    left, right = first.state(), second.state()
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[key], right[key]) for key in left)


def test_evaluating_moves_no_weight_and_no_random_stream(made: Compiled) -> None:
    x, y = DIGITS.x_train[:30], DIGITS.y_train[:30]
    plain, watched = (Session(made, engine="reference") for _ in range(2))
    for part in (slice(0, 15), slice(15, 30)):
        plain.run(x[part], y[part], learn=True)
        watched.run(x[part], y[part], learn=True)
        watched.evaluate(DIGITS.x_test[:5], DIGITS.y_test[:5])
    assert np.array_equal(plain.read("to_fc3.weight"), watched.read("to_fc3.weight"))
    assert plain.counters == watched.counters


def test_learning_improves_the_accuracy() -> None:
    made = compile(MODEL, rule="backprop(rate=-5)", calibration=DIGITS.x_train[:64])
    with Session(made, engine="reference") as session:
        before = session.evaluate(DIGITS.x_test[:100], DIGITS.y_test[:100])
        fit = session.fit(DIGITS.x_train[:600], DIGITS.y_train[:600], epochs=1)
        assert fit.samples == 600
        assert before < 0.25
        assert session.evaluate(DIGITS.x_test[:100], DIGITS.y_test[:100]) > before + 0.2


def test_a_snapshot_starts_where_the_session_stands(made: Compiled) -> None:
    with Session(made, engine="reference") as session:
        session.run(DIGITS.x_train[:20], DIGITS.y_train[:20], learn=True)
        copy = Session(session.snapshot(), engine="reference")
        assert np.array_equal(copy.predict(DIGITS.x_test[:30]), session.predict(DIGITS.x_test[:30]))


def test_an_order_is_a_permutation_that_seed_and_epoch_fix() -> None:
    orders = [sample_order(50, seed=1, epoch=0), sample_order(50, seed=1, epoch=1)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])
    assert np.array_equal(orders[0], sample_order(50, seed=1, epoch=0))


@pytest.mark.parametrize(
    ("options", "code"),
    [({"engine": "nativ"}, "HB0101"), ({"rounding": "exact"}, "HB0102")],
)
def test_an_unknown_name_offers_the_nearest(
    made: Compiled, options: dict[str, str], code: str
) -> None:
    with pytest.raises(UsageError, match=code):
        Session(made, **{"engine": "reference", **options})  # type: ignore[arg-type]


def test_weights_are_written_within_the_word_only(made: Compiled) -> None:
    with Session(made, engine="reference") as session:
        name = "to_fc3.weight"
        value = session.read(name)
        session.write(name, -value)
        assert np.array_equal(session.read(name), -value)
        for wrong in (value + 900, value[:2], value.astype(float)):
            with pytest.raises(UsageError, match="HB0104"):
                session.write(name, wrong)
        with pytest.raises(UsageError, match="HB0105"):
            session.read("to_fc4.weight")


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("rounding", ["independent", "lava-exact"])
def test_a_saved_session_goes_on_with_the_same_bits(
    made: Compiled, tmp_path: Path, rounding: str, engine: str
) -> None:
    x, y = DIGITS.x_train[:30], DIGITS.y_train[:30]
    first = Session(made, engine=engine, rounding=rounding, seed=5)
    first.run(x[:10], y[:10], learn=True)
    first.save(tmp_path / "s.hbt")
    loaded = hebbite.load(tmp_path / "s.hbt")
    assert isinstance(loaded, Saved)
    assert loaded.compiled.sha256 == first.snapshot().sha256
    second = Session(loaded, engine="reference")
    assert (second.rounding, second.seed) == (rounding, 5)
    for session in (first, second):
        session.run(x[10:], y[10:], learn=True)
    left, right = first.state(), second.state()
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[key], right[key]) for key in left)


def test_a_checkpoint_goes_on_only_as_it_was(made: Compiled, tmp_path: Path) -> None:
    Session(made, engine="reference").save(tmp_path / "s.hbt")
    loaded = load_compiled(tmp_path / "s.hbt")
    for options in ({"seed": 3}, {"rounding": "lava-exact"}):
        with pytest.raises(UsageError, match="HB0116"):
            Session(loaded, engine="reference", **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clock", None),
        ("clock", np.array([4, 1])),
        ("clock", np.array([0, -1])),
        ("session.samples", np.array([2**60])),
        ("session.samples", np.array([1, 2])),
        ("weight.to_fc3.weight", np.zeros((2, 2), np.int64)),
        ("weight.to_fc3.weight", 900),
        ("neuron.relu1.v", 2**40),
        ("surplus", np.zeros(1, np.int64)),
    ],
)
def test_a_state_of_another_program_is_refused(made: Compiled, name: str, value: object) -> None:
    with Session(made, engine="reference") as session:
        state = session.state()
        if isinstance(value, int):
            state[name] = np.full_like(state[name], value)
        elif value is None:
            del state[name]
        else:
            state[name] = np.asarray(value)
        with pytest.raises(InputFileError, match="HB0717"):
            session.restore(state)


def test_steps_are_a_run(made: Compiled) -> None:
    x, y = DIGITS.x_train[:8], DIGITS.y_train[:8]
    with (
        Session(made, engine="reference") as whole,
        Session(made, engine="reference") as steps,
    ):
        answers = whole.run(x, y, learn=True).answers
        found = [steps.step(row, int(k), learn=True) for row, k in zip(x, y, strict=True)]
        assert np.array_equal(np.array(found), answers)
        assert np.array_equal(steps.read("to_fc3.weight"), whole.read("to_fc3.weight"))
        before = steps.read("to_fc3.weight")
        targets = np.eye(10)[3]
        assert np.array_equal(steps.step(x[0]), steps.step(x[0], targets))
        assert np.array_equal(steps.read("to_fc3.weight"), before)


def test_a_wrong_row_or_class_is_refused(made: Compiled) -> None:
    x = DIGITS.x_train
    with Session(made, engine="reference") as session:
        for row in (x[0][:3], x[0] * np.nan):
            with pytest.raises(UsageError):
                session.step(row)
        labels: list[int | Labels] = [10, -1, np.zeros(3), np.array(0.5), np.full(10, np.nan)]
        for label in labels:
            with pytest.raises(UsageError):
                session.step(x[0], label)
        for many in (np.zeros(2, int), np.zeros((3, 10, 1))):
            with pytest.raises(UsageError):
                session.run(x[:3], many)
        assert session.counters is None


class Enough(Exception):
    """Somebody stops a run."""


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_fit_that_is_stopped_between_pieces_goes_on_with_the_same_bits(
    made: Compiled, engine: str
) -> None:
    x, y = DIGITS.x_train[:120], DIGITS.y_train[:120]
    with Session(made, engine=engine) as whole, Session(made, engine=engine) as first:
        wanted = whole.fit(x, y, epochs=2)
        seen: list[int] = []

        def tick(done: int) -> None:
            seen.append(done)
            if len(seen) == 2:
                raise Enough

        with pytest.raises(Enough):
            first.fit(x, y, epochs=2, tick=tick)
        assert seen == sorted(seen)
        assert 0 < seen[-1] < 120
        with Session(made, engine=engine) as second:
            second.restore(first.state())
            rest = second.fit(x, y, epochs=2, first_sample=seen[-1])
            assert rest.samples == wanted.samples - seen[-1]
            left, right = second.state(), whole.state()
            assert all(np.array_equal(left[name], right[name]) for name in right)
            counted = first.counters
            assert counted is not None
            assert counted + rest.counters == wanted.counters


def test_a_stopped_fit_of_pairs_goes_on_with_a_whole_pair() -> None:
    made = compile(MODEL, rule="dfa", objective="contrastive", calibration=DIGITS.x_train[:64])
    x, y = DIGITS.x_train[:21], DIGITS.y_train[:21]
    seen: list[int] = []
    with Session(made) as whole, Session(made) as parts:
        whole.fit(x, y, epochs=1, tick=seen.append)
        assert all(done % 2 == 0 for done in seen[:-1])
        with pytest.raises(UsageError, match="HB0122"):
            parts.fit(x, y, epochs=1, first_sample=3)


@pytest.mark.parametrize("first", [-1, 31])
def test_an_epoch_goes_on_from_a_sample_that_it_has(made: Compiled, first: int) -> None:
    x, y = DIGITS.x_train[:30], DIGITS.y_train[:30]
    with Session(made) as session, pytest.raises(UsageError, match="HB0122"):
        session.fit(x, y, epochs=1, first_sample=first)


def test_pieces_do_not_change_a_run_nor_what_is_probed(made: Compiled) -> None:
    x, y = DIGITS.x_train[:50], DIGITS.y_train[:50]
    probes = ("relu1.s", "to_relu1.weight")
    with Session(made) as session:
        seen: list[int] = []
        found = session.run(x, y, learn=True, probes=probes, tick=seen.append)
        assert len(seen) > 1
        assert seen[-1] == 50
    machine = load_engine("native").open(made.program, rounding="independent")
    wanted = machine.run(made.coding.inputs(x, y), samples=50, probes=probes)
    for probe in probes:
        assert np.array_equal(found.values[probe], wanted.values[probe])
    assert np.array_equal(found.answers, wanted.answers)
    assert found.counters == wanted.counters


def test_a_prediction_says_how_far_it_is_and_stops_if_asked(made: Compiled) -> None:
    x = np.tile(DIGITS.x_train[:500], (5, 1))
    for threads in (1, 2):
        seen: list[int] = []
        with Session(made, threads=threads) as session:
            session.predict(x, tick=seen.append)
            assert seen == sorted(seen)
            assert seen[-1] == 2500

            def stop(done: int) -> None:
                raise Enough

            with pytest.raises(Enough):
                session.predict(x, tick=stop)


def test_pieces_take_about_a_fifth_of_a_second() -> None:
    pace = Pace("native")
    for _ in range(6):
        for first, last in pace.pieces(40):
            pace.took(last - first, (last - first) * 0.01)
    assert pace.chunk(1000) == 20
    pace.took(20, 4.0)
    assert pace.chunk(1000) == 2
    assert Pace("lava").chunk(1000) == 512
