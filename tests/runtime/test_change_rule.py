"""Another rate in a running session: the same bits on every engine, as if it had been compiled."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import load_compiled
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import EngineError, UsageError
from hebbite.rules.registry import Rule, parse_rule
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import Session

MODEL = Path(__file__).parents[1] / "data" / "onnx" / "digits_64_32_16_10.onnx"
DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:120], DIGITS.y_train[:120]
STEPS = 500
OWN = "dw = 2^{0}*x0*x1*y2 - 2^{0}*x0*x1*y3 - 2^-{1}*u2*(w-{1})"
CHANGES = (
    ("dfa(rate=-4)", "dfa(rate=-6, mantissa=3)"),
    ("kolen-pollack(rate=-4, every=3)", "kolen-pollack(rate=-5, every=3, decay=3)"),
    (OWN.format(-4, 5), OWN.format(-3, 7)),
    ("r-stdp", "r-stdp(rate=-1, up=1, down=2, decay=5)"),
    ("stdp(up=2, down=2)", "stdp(up=1, down=3)"),
)
every_change = pytest.mark.parametrize(("old", "new"), CHANGES)


@cache
def made(rule: str) -> Compiled:
    settings = Settings(neuron="lif", encode="rate", window=25) if "stdp" in rule else Settings()
    return compile(MODEL, rule=rule, settings=settings, calibration=DIGITS.x_train[:16])


def cut(model: Compiled) -> tuple[int, int]:
    """Return the samples of half of a run of 500 steps, and of all of it."""
    whole = -(-STEPS // model.program.schedule.period)
    return whole // 2, whole


def weights(session: Session) -> dict[str, NDArray[np.int64]]:
    return {group.name: session.read(group.weight) for group in session.model.program.synapses}


def same(one: Session, other: Session) -> bool:
    left, right = weights(one), weights(other)
    return all(np.array_equal(left[name], right[name]) for name in left)


@every_change
@pytest.mark.parametrize("rounding", ["independent", "lava-exact"])
def test_engines_agree_after_a_change_in_the_middle_of_a_run(
    old: str, new: str, rounding: str
) -> None:
    model = made(old)
    one, other = (Session(model, engine=e, rounding=rounding) for e in ("reference", "native"))
    plain = Session(model, engine="native", rounding=rounding)
    half, whole = cut(model)
    for session in (one, other, plain):
        session.run(X[:half], Y[:half], learn=True)
        if session is not plain:
            session.change_rule(new)
        session.run(X[half:whole], Y[half:whole], learn=True)
    assert same(one, other)
    assert one.counters == other.counters
    assert not same(one, plain)


@every_change
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_changed_session_goes_on_as_one_that_was_compiled_so(
    old: str, new: str, engine: str
) -> None:
    half, whole = cut(made(old))
    changed = Session(made(old), engine=engine)
    changed.run(X[:half], Y[:half], learn=True)
    compiled = Session(made(new), engine=engine)
    compiled.restore(changed.state())
    changed.change_rule(parse_rule(new))
    for session in (changed, compiled):
        session.run(X[half:whole], Y[half:whole], learn=True)
    assert same(changed, compiled)
    assert changed.snapshot().sha256 == compiled.snapshot().sha256


@pytest.mark.skipif(
    importlib.util.find_spec("lava") is None,
    reason="Lava is not installed; `hebbite doctor` prints the line that adds it",
)
@pytest.mark.parametrize(
    ("old", "new"), [CHANGES[0], pytest.param(*CHANGES[4], marks=pytest.mark.long)]
)
def test_lava_learns_by_the_changed_rule_with_the_bits_of_the_others(old: str, new: str) -> None:
    sessions = [
        Session(made(old), engine=engine, rounding="lava-exact")
        for engine in ("reference", "native", "lava")
    ]
    _, whole = cut(made(old))
    for session in sessions:
        session.run(X[:5])
        session.change_rule(new)
        session.run(X[:whole], Y[:whole], learn=True)
    reference, native, lava = sessions
    assert same(reference, native)
    assert same(reference, lava)
    assert reference.counters == native.counters == lava.counters
    assert not same(lava, Session(made(old)))
    lava.change_rule(old)
    with pytest.raises(EngineError, match="HB0605"):
        lava.run(X[:5], Y[:5], learn=True)


def test_snapshot_and_file_carry_the_changed_rule(tmp_path: Path) -> None:
    session = Session(made("dfa(rate=-4)"), engine="reference")
    session.run(X[:20], Y[:20], learn=True)
    rule = Rule("dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3")
    session.change_rule(rule)
    session.save(tmp_path / "a.hbt")
    saved = load_compiled(tmp_path / "a.hbt")
    assert saved.compiled.rule == session.snapshot().rule == rule
    assert {str(p.dw) for p in saved.compiled.program.plasticity} == {str(rule.dw)}
    assert saved.compiled.report["rule_error.1"] == pytest.approx(3 * 2.0**-8 / 0.0123 - 1)
    assert saved.training is not None
    assert saved.training.trained_sha256 == made("dfa(rate=-4)").sha256
    again = Session(saved)
    for each in (session, again):
        each.run(X[20:40], Y[20:40], learn=True)
    assert same(session, again)


def test_a_change_counts_one_host_word_a_product_and_group() -> None:
    session = Session(made("dfa(rate=-4)"), engine="reference")
    session.change_rule("dfa(rate=-5)")
    assert session.counters is not None
    assert session.counters.total("host_words", phase="learning") == 2 * 3
    assert session.counters.total("host_words") == 6
    session.change_rule("dfa(rate=-5)")
    assert session.counters.total("host_words") == 6


def test_a_decaying_rate_is_a_change_an_epoch() -> None:
    session = Session(made("dfa(rate=-4)"))
    for epoch in range(4):
        session.change_rule(f"dfa(rate={-4 - epoch // 2})")
        session.fit(X, Y, epochs=1, first_epoch=epoch)
    assert session.model.rule == parse_rule("dfa(rate=-5)")


def test_a_refused_change_leaves_the_session_as_it_was() -> None:
    session = Session(made("dfa(rate=-4)"), engine="reference")
    with pytest.raises(UsageError, match="HB0142"):
        session.change_rule("fa")
    assert session.model.rule == parse_rule("dfa(rate=-4)")
    assert session.counters is None
