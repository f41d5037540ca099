"""A window begins at any state of a machine, and is the same however it is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.runtime.bycore import CORE_COUNTERS, CoreCounts, count_by_core, window
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.energy import Draws, load_profile, run_time, step_times
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.session import Session

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)


@pytest.fixture(scope="module")
def made() -> Compiled:
    return compile(MODEL, rule="dfa(rate=-4)", calibration=DIGITS.x_train[:64])


def counted(made: Compiled, session: Session, part: slice) -> CoreCounts:
    machine = load_engine("native").open(made.program, rounding="independent", seed=session.seed)
    machine.restore(session.state())
    x, y = DIGITS.x_train[part], DIGITS.y_train[part]
    return count_by_core(machine, made.program, made.coding.inputs(x, y), samples=len(x))


def test_a_window_of_a_session_that_has_learnt_counts_what_the_session_does_next(
    made: Compiled,
) -> None:
    with Session(made, engine="native") as session:
        session.run(DIGITS.x_train[:20], DIGITS.y_train[:20], learn=True)
        counts = counted(made, session, slice(20, 32))
        next_run = session.run(DIGITS.x_train[20:32], DIGITS.y_train[20:32], learn=True)
    for counter in CORE_COUNTERS:
        assert counts.total(counter) == next_run.counters.total(counter), counter
    assert counts.total("updates_changed") > 0
    profile, draws = load_profile("loihi2-derived"), Draws(0, 20)
    whole = step_times(made.program, profile, counts, draws)
    run = run_time(next_run.counters, made.program, profile, draws, window=counts)
    assert whole.total is not None
    assert run.seconds is not None
    np.testing.assert_allclose(run.seconds, whole.total, rtol=1e-12)


def test_counts_do_not_depend_on_how_the_window_is_cut(
    made: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session(made, engine="native") as session:
        whole = counted(made, session, slice(0, 9))
        monkeypatch.setattr(window, "ROOM", 1)
        parts = counted(made, session, slice(0, 9))
    assert parts.steps == whole.steps == 9 * made.program.schedule.period
    np.testing.assert_array_equal(parts.values, whole.values)
    for name, sent in whole.traffic.items():
        np.testing.assert_array_equal(parts.traffic[name].messages, sent.messages)
