"""Lowering of layers that learn by their own goodness: program, samples with labels, the claim."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.compiler.lowering.test_graded import graph, samples

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import load_compiled, save_compiled
from hebbite.compiler.lowering.goodness import SHARP, SQUARE
from hebbite.compiler.program.text import parse_program, print_program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.curve import why_without
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.engines.reference import ReferenceEngine
from hebbite.runtime.session import Session

Long = NDArray[np.int64]
RULE = "forward-forward"
DIGITS = load_dataset("digits", seed=0)


def made(rule: str = RULE) -> Compiled:
    return compile(graph("relu", 6, 8, 5, 3), rule=rule)


def recorded(model: Compiled, inputs: dict[str, Long]) -> dict[str, Long]:
    """Return registers by sample, (samples, steps, size), and the answers."""
    registers = ("h", "e", "s", "third", "label", "y2", "y3", "v")
    names = [p.name for p in model.program.populations[:-1]]
    probes = [f"{name}.{r}" for name in names for r in registers]
    machine = ReferenceEngine().open(model.program, rounding="lava-exact")
    count = len(inputs[model.coding.source])
    found = machine.run(inputs, samples=count, learn=False, probes=probes)
    period = model.program.schedule.period
    shaped = {k: v.reshape(count, period, v.shape[1]) for k, v in found.values.items()}
    return {**shaped, "answers": found.answers}


def test_the_program_reads_as_designed(golden: Callable[[str], str]) -> None:
    program = made().program
    text = print_program(program)
    assert text.split("  neuron ")[0].rstrip() == golden("program/forward-forward")
    assert print_program(parse_program(text, program.tensors)) == text


def test_a_label_right_or_wrong_stands_on_the_first_lines() -> None:
    model = made()
    x, y = samples(400, 6, 3)
    given = model.coding.inputs(x, y)
    lines, told = given["x"][:, 0], given["target"][:, 0, 0]
    shown = lines[:, :3].argmax(axis=1)
    assert np.array_equal(np.sort(lines[:, :3], axis=1), np.tile([0, 0, 254], (400, 1)))
    assert np.array_equal(lines[:, 3:], model.coding.events(x)[:, 0, 3:])
    assert np.array_equal(told == 1, shown == y)
    assert set(told.tolist()) == {-1, 1}
    assert abs(float(told.mean())) < 0.15
    wrong = (shown - y)[told == -1] % 3
    assert abs(float((wrong == 1).mean()) - 0.5) < 0.15
    later = model.coding.inputs(x[100:], y[100:], first=100)
    assert all(np.array_equal(later[name], given[name][100:]) for name in given)


def test_every_layer_learns_towards_its_label_by_how_much_it_doubts() -> None:
    model = made()
    x, y = samples(60, 6, 3)
    inputs = {k: np.asarray(v, np.int64) for k, v in model.coding.inputs(x, y).items()}
    found = recorded(model, inputs)
    told = inputs["target"][:, 0]
    for index, name in enumerate(p.name for p in model.program.populations[:-1]):
        fire = 2 * (index + 1)
        h, third = found[f"{name}.h"][:, fire - 1], found[f"{name}.third"][:, fire]
        goodness = (h * h >> SQUARE).sum(axis=1)
        assert np.array_equal(third, np.repeat(goodness[:, None], h.shape[1], axis=1))
        theta = model.report[f"threshold.{name}"]
        doubt = 1 / (1 + np.exp(told * (goodness[:, None] - theta) * SHARP / theta))
        learnt = found[f"{name}.y2"][:, -1] - found[f"{name}.y3"][:, -1]
        wanted = told * doubt * h * 127 / 256
        assert np.abs(learnt - wanted).max() < 0.06 * np.abs(wanted).max() + 1
        assert learnt.max() > 0 > learnt.min()


def test_a_layer_passes_on_its_pattern_and_not_its_length() -> None:
    model = compile(MODEL, rule=RULE, calibration=DIGITS.x_train[:256].astype(np.float64))
    x, y = DIGITS.x_train[:100].astype(np.float64), DIGITS.y_train[:100]
    inputs = {k: np.asarray(v, np.int64) for k, v in model.coding.inputs(x, y).items()}
    found = recorded(model, inputs)
    name = model.program.populations[0].name
    h, sent = found[f"{name}.h"][:, 1], found[f"{name}.s"][:, 2]
    before, after = (np.linalg.norm(part.astype(np.float64), axis=1) for part in (h, sent))
    whole = sent.max(axis=1) < 254
    assert whole.sum() > 30
    assert np.std(after[whole]) / np.mean(after[whole]) < 0.05
    assert np.std(before) / np.mean(before) > 0.15
    cosine = (h * sent).sum(axis=1) / np.maximum(before * after, 1.0)
    assert cosine[whole].min() > 0.99


def test_nobody_says_and_nothing_is_learnt() -> None:
    model = made()
    x, _ = samples(4, 6, 3)
    inputs = {k: np.asarray(v, np.int64) for k, v in model.coding.inputs(x).items()}
    assert len(inputs["x"]) == 12
    found = recorded(model, inputs)
    assert not any(found[f"{p.name}.y2"].any() for p in model.program.populations[:-1])
    assert not any(found[f"{p.name}.y3"].any() for p in model.program.populations[:-1])


def test_a_sample_is_asked_about_every_label_and_answered_once() -> None:
    model = made()
    x, y = samples(5, 6, 3)
    with Session(model, engine="reference") as session:
        answers = session.answers(x)
        assert answers.shape == (5, 3)
        assert np.array_equal(session.run(x).answers, answers)
        assert np.array_equal(session.step(x[0]), answers[0])
        assert session.run(x, y, learn=True).answers.shape == (5, 1)
        assert session.predict(x).shape == (5,)
    shown = {k: np.asarray(v, np.int64) for k, v in model.coding.inputs(x[:1]).items()}
    found = recorded(model, shown)
    total = sum(found[f"{p.name}.e"].sum(axis=(1, 2)) for p in model.program.populations[:-1])
    assert np.array_equal(found["answers"][:, 0], total)


def test_a_file_gives_the_model_back(tmp_path: Path) -> None:
    model = made()
    save_compiled(tmp_path / "ff.hbt", model)
    assert load_compiled(tmp_path / "ff.hbt").compiled.coding == model.coding


def test_it_has_no_objective_of_the_output() -> None:
    model = made()
    assert "of its own" in why_without(model)
    x, y = samples(4, 6, 3)
    with (
        Session(model, engine="reference") as session,
        pytest.raises(HebbiteError, match="HB0183"),
    ):
        session.loss(x, y)
    with pytest.raises(HebbiteError, match="HB0413"):
        compile(graph("relu", 6, 5, 3), rule=RULE, objective="reward")


@cache
def learnt(seed: int) -> tuple[float, float, float]:
    """Return accuracy and area under the curve, held out, and accuracy of a frozen hidden layer."""
    digits = load_dataset("digits", seed=seed)
    calibration = digits.x_train[:256].astype(np.float64)
    settings = Settings(init="random", seed=seed)
    x, y = digits.x_validation.astype(np.float64), digits.y_validation
    scores = []
    for rule in (RULE, "frozen"):
        model = compile(MODEL, rule=rule, settings=settings, calibration=calibration)
        with Session(model) as session:
            session.fit(digits.x_train, digits.y_train, epochs=12)
            scores.append(session.evaluate(x, y))
            if rule == RULE:
                goodness = session.answers(x)
    right = goodness[np.arange(len(y)), y]
    wrong = goodness[np.arange(10)[None] != y[:, None]]
    above = (right[:, None] > wrong[None]).mean() + (right[:, None] == wrong[None]).mean() / 2
    return scores[0], float(above), scores[1]


@pytest.mark.parametrize("seed", [0, 1])
def test_goodness_tells_right_labels_from_wrong_ones_on_samples_held_out(seed: int) -> None:
    accuracy, area, frozen = learnt(seed)
    assert area > 0.9
    assert accuracy > 0.5
    assert accuracy > frozen


@pytest.mark.parametrize(
    ("activation", "sizes"), [("tanh", (6, 5, 3)), ("relu", (6, 3)), ("relu", (3, 5, 4))]
)
def test_what_has_no_goodness_is_refused(activation: str, sizes: tuple[int, ...]) -> None:
    with pytest.raises(HebbiteError, match="HB0419"):
        compile(graph(activation, *sizes), rule=RULE)


def test_a_signed_input_and_targets_that_are_no_classes_are_refused() -> None:
    with pytest.raises(HebbiteError, match="HB0419"):
        compile(graph("relu", 6, 5, 3), rule=RULE, calibration=np.eye(6) - 0.5)
    with pytest.raises(HebbiteError, match="HB0132"):
        made().coding.inputs(np.zeros((2, 6)), np.zeros((2, 3)))
