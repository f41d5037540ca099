"""Lowering of networks that settle twice: their program, and what it makes of a sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.compiler.lowering.test_graded import graph, samples

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.recording import Recording
from hebbite.runtime.session import Session

RULE = "equilibrium-propagation"


DEEP = "equilibrium-propagation(coupling=3, steps=18)"
"""Two hidden populations of a few units pass on more than they get, and settle slowly."""


def made(
    rule: str = DEEP, activation: str = "relu", sizes: tuple[int, ...] = (24, 20, 16, 4)
) -> Compiled:
    return compile(graph(activation, *sizes), rule=rule)


def shown(model: Compiled, *, taught: bool, count: int = 12) -> Recording:
    """Run samples without learning and record every step."""
    x, y = samples(count, 24, 4)
    program = model.program
    inputs = model.coding.inputs(x, y if taught else None)
    machine = ReferenceEngine().open(program, rounding="lava-exact")
    probes = [f"{p.name}.{r}" for p in program.populations for r in ("e", "s", "kept", "y2", "y3")]
    return machine.run(inputs, samples=count, learn=False, probes=probes)


def test_the_program_reads_as_designed(golden: Callable[[str], str]) -> None:
    program = made().program
    text = print_program(program)
    assert text.split("  neuron ")[0].rstrip() == golden("program/equilibrium-propagation")
    assert print_program(parse_program(text, program.tensors)) == text


def test_predictive_coding_with_fixed_predictions_is_the_program_of_backpropagation() -> None:
    net = graph("tanh", 6, 5, 4, 3)
    coded, exact = (compile(net, rule=rule) for rule in ("predictive-coding", "backprop"))
    assert coded.sha256 == exact.sha256


def test_the_free_phase_ends_settled_within_the_steps_that_were_counted() -> None:
    model = made()
    needed = int(model.report["settling_steps"])
    found = shown(model, taught=True)
    period, free = model.program.schedule.period, model.program.schedule.inference_end
    for population in model.program.populations:
        sent = found.values[f"{population.name}.e"].reshape(12, period, -1)
        if not sent.any():
            continue  # the first hidden units send up only
        moved = np.abs(np.diff(sent[:, needed + 1 : free], axis=1))
        assert moved.max(initial=0) <= 1


def test_without_a_teacher_nothing_changes_in_the_second_phase_and_nothing_is_learnt() -> None:
    model = made("equilibrium-propagation(coupling=3, steps=30)")
    found = shown(model, taught=False)
    for population in model.program.populations:
        for trace in ("y2", "y3"):
            assert not found.values[f"{population.name}.{trace}"].any()


def test_the_output_moves_towards_its_target_and_hidden_units_follow() -> None:
    model = made()
    found = shown(model, taught=True)
    period = model.program.schedule.period
    for population in model.program.populations:
        up, down = (
            found.values[f"{population.name}.{trace}"].reshape(12, period, -1)[:, -1]
            for trace in ("y2", "y3")
        )
        assert up.any()
        assert down.any()
        assert not (up * down).any()


def test_a_line_is_traced_by_its_free_payload_whatever_the_nudge_made_of_it() -> None:
    model = made()
    found = shown(model, taught=True, count=60)
    period, free = model.program.schedule.period, model.program.schedule.inference_end
    woken = 0
    for population in model.program.populations[:-1]:
        sent = found.values[f"{population.name}.s"].reshape(60, period, -1)[:, :, : population.size]
        lively = sent[:, :-1].max(axis=1) > 0
        settled = sent[:, free - 1]
        assert np.array_equal(sent[:, -1], np.maximum(settled, lively))
        woken += int(((settled == 0) & lively).sum())
    assert woken > 0


def test_a_signed_unit_a_missing_hidden_layer_and_a_signed_input_are_refused() -> None:
    for activation, sizes in (("tanh", (6, 5, 3)), ("sigmoid", (6, 5, 3)), ("relu", (6, 3))):
        with pytest.raises(HebbiteError, match="HB0418"):
            made(RULE, activation, sizes)
    with pytest.raises(HebbiteError, match="HB0418"):
        compile(graph("relu", 6, 5, 3), rule=RULE, calibration=np.eye(6) - 0.5)


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("equilibrium-propagation(steps=2)", "steps to settle"),
        ("equilibrium-propagation(coupling=8, steps=30)", "exponent"),
    ],
)
def test_a_phase_that_cannot_settle_or_couple_is_refused_with_the_number(
    rule: str, what: str
) -> None:
    settings = Settings(payload_rms=127, output_rms=10)
    with pytest.raises(HebbiteError, match="HB0418") as caught:
        compile(graph("relu", 6, 5, 4, 3), rule=rule, settings=settings)
    assert what in caught.value.problems[0].what


def test_it_learns_digits_beyond_a_frozen_hidden_layer() -> None:
    """On the validation part, 4 epochs; the margin is several times the spread over seeds."""
    digits = load_dataset("digits", seed=0)
    scores = {}
    for rule in (RULE, "frozen"):
        model = compile(
            MODEL,
            rule=rule,
            settings=Settings(init="random"),
            calibration=digits.x_train[:256].astype(np.float64),
        )
        with Session(model) as session:
            session.fit(digits.x_train, digits.y_train, epochs=4)
            scores[rule] = session.evaluate(digits.x_validation, digits.y_validation)
    assert scores[RULE] > scores["frozen"] + 0.1


def test_an_objective_that_is_no_squared_error_alone_is_refused() -> None:
    with pytest.raises(HebbiteError, match="HB0413"):
        compile(graph("relu", 24, 20, 16, 4), rule=DEEP, objective="reward")
