"""Objectives at work: what the chip is taught, by labels, by the samples, by rewards, by pairs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph
from hebbite.compiler.graph_builder import GraphBuilder
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError, UsageError
from hebbite.runtime.credit.build import twin_of
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.outputs import outputs_of
from hebbite.runtime.session import Session
from hebbite.runtime.teaching import action_error, correct, judged, targets_of
from hebbite.runtime.training import plan_of

MODEL = Path(__file__).parents[2] / "runtime" / "data" / "digits.onnx"
DIGITS = load_dataset("digits", seed=0)
X, Y = DIGITS.x_train[:400].astype(np.float64), DIGITS.y_train[:400]
HELD = DIGITS.x_validation.astype(np.float64), DIGITS.y_validation
Real = NDArray[np.float64]


def perceptron(*sizes: int, activation: str = "relu") -> Graph:
    """Return an untrained network of these sizes."""
    build = GraphBuilder("net")
    value = build.add("input", name="x", attributes={"shape": (sizes[0],)})
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        weights = {"weight": np.ones((outputs, inputs)), "bias": np.zeros(outputs)}
        value = build.add("linear", (value,), name=f"fc{index}", attributes=weights)
        if index < len(sizes) - 2:
            value = build.add(activation, (value,), name=f"hidden{index}")
    return build.graph((value,))


def made(
    objective: str,
    *,
    rule: str = "dfa",
    sizes: tuple[int, ...] = (64, 32, 10),
    error_shift: int = 3,
) -> Compiled:
    settings = Settings(init="random", error_shift=error_shift)
    return compile(
        perceptron(*sizes), rule=rule, objective=objective, settings=settings, calibration=X[:200]
    )


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_the_output_finds_just_the_error_that_the_host_made(engine: str) -> None:
    model = made("reward", error_shift=0)  # so that y2 - y3 is the error itself
    error = np.full(10, np.nan)
    error[[0, 3, 7]] = 20.0, -35.0, 0.0
    with Session(model, engine=engine) as session:
        output = outputs_of(model, session.run(X[:1]).answers)[0]
        correct(session, model.coding.inputs(X[:1]), output, error)
        population = model.program.readout.population
        state = session.state()
        found = state[f"neuron.{population}.y2"] - state[f"neuron.{population}.y3"]
    assert found.tolist() == np.nan_to_num(error).tolist()


def test_a_reward_teaches_the_action_that_was_taken_alone() -> None:
    model = made("reward(epsilon=0, margin=0)", rule="bandit(rate=-3)", sizes=(64, 10))
    with Session(model) as session:
        before = session.read("to_fc0.weight")
        action = session.act(X[0])
        session.reward(-1.0)
        changed = (session.read("to_fc0.weight") != before).any(axis=1)
    assert changed[action]
    assert changed.sum() == 1


def test_a_bandit_learns_the_digits_from_right_and_wrong_alone() -> None:
    model = made("reward(epsilon=5)", rule="bandit(rate=-4)")
    with Session(model) as session:
        before = session.evaluate(*HELD)
        session.fit(X, Y, epochs=12)
        after = session.evaluate(*HELD)
    assert before < 0.3
    assert after > 0.7


def test_rewards_given_one_by_one_teach_what_fit_teaches() -> None:
    """The same samples, actions and weights, whether the caller or `fit` keeps the loop."""
    model = made("reward(epsilon=0)", rule="bandit", sizes=(64, 10))
    with Session(model) as one, Session(model) as other:
        for x, y in zip(X[:40], Y[:40], strict=True):
            one.reward(float(one.act(x) == y))
        for _ in judged(other, X[:40], Y[:40], 0):
            pass
        assert np.array_equal(one.read("to_fc0.weight"), other.read("to_fc0.weight"))


def test_a_reward_at_the_end_of_an_episode_reaches_the_steps_before_it() -> None:
    """A corridor of five places: right is rewarded at its end only, left never."""
    places = np.eye(5)
    model = compile(
        perceptron(5, 2),
        rule="delta(rate=-3)",
        objective="reward(kind=episodic, epsilon=30, discount=80, margin=0)",
        settings=Settings(init="random", seed=1),
        calibration=places,
    )
    with Session(model) as session:
        for _ in range(150):
            place = 0
            for step in range(12):
                action = session.act(places[place])
                place = max(0, place + (1 if action == 1 else -1))
                arrived = place == 5
                session.reward(float(arrived), done=arrived or step == 11)
                if arrived:
                    break
        value = outputs_of(model, session.answers(places))
    assert (value[:, 1] > value[:, 0]).all()
    assert value[4, 1] > value[0, 1] > 10


def test_actions_are_the_same_for_a_seed_and_random_as_often_as_wanted() -> None:
    model = made("reward(epsilon=40)", rule="bandit", sizes=(64, 10))
    with Session(model) as one, Session(model) as other, Session(model, seed=9) as third:
        acted = [[each.act(x) for x in X[:200]] for each in (one, other, third)]
        greedy = one.predict(X[:200])
    assert acted[0] == acted[1] != acted[2]
    assert np.mean(np.array(acted[0]) != greedy) == pytest.approx(0.36, abs=0.08)


@pytest.mark.parametrize(
    ("value", "action", "what"),
    [(1.5, None, "number in"), (float("nan"), None, "number in"), (0.0, 10, "not in 0..9")],
)
def test_a_reward_that_is_none_is_refused(value: float, action: int | None, what: str) -> None:
    with Session(made("reward")) as session:
        session.act(X[0])
        with pytest.raises(UsageError, match="HB0181") as caught:
            session.reward(value, action=action)
    assert what in caught.value.problems[0].what


def test_a_reward_without_an_action_and_one_nobody_asked_for_are_refused() -> None:
    with Session(made("reward")) as session:
        with pytest.raises(UsageError, match="HB0181"):
            session.reward(1.0)
        session.step(X[0])
        with pytest.raises(UsageError, match="HB0181"):
            session.reward(1.0)
    with Session(made("classification")) as session, pytest.raises(UsageError, match="HB0180"):
        session.act(X[0])


def test_a_cross_entropy_learns_and_falls() -> None:
    model = made("classification(loss=cross-entropy)", rule="dfa(rate=-4)")
    with Session(model) as session:
        first = session.loss(X, Y)
        session.fit(X, Y, epochs=6)
        assert session.loss(X, Y) < 0.5 * first
        assert session.evaluate(*HELD) > 0.8


def test_a_hinge_learns_the_digits_with_its_own_output_program() -> None:
    model = made("classification(loss=hinge)")
    assert model.program.population("fc1").neuron.name == "error_one_sided"
    with Session(model) as session:
        session.fit(X, Y, epochs=4)
        assert session.evaluate(*HELD) > 0.8


def test_the_output_of_a_hinge_has_the_error_of_the_objective() -> None:
    model = made("classification(loss=hinge, margin=5)")
    with Session(model, engine="reference") as session:
        found = session.run(X[:60], Y[:60], learn=False, probes=("fc1.d", "fc1.o")).values
    period = model.program.schedule.period
    last = slice(period - 2, None, period)
    output, error = found["fc1.o"][last], found["fc1.d"][last]
    target = (model.coding.codes(Y[:60]) - 1).astype(np.float64)
    assert np.array_equal(error, model.objective.error(output.astype(np.float64), target))


def test_an_autoencoder_needs_no_labels_and_gives_the_input_back() -> None:
    model = made("reconstruction", rule="backprop(rate=-6)", sizes=(64, 24, 64))
    with Session(model) as session:
        first = session.loss(X)
        session.fit(X, epochs=4)
        after = session.loss(X)
        given = outputs_of(model, session.answers(X[:50])) / 100
    assert after < 0.5 * first
    assert np.corrcoef(given.ravel(), X[:50].ravel())[0, 1] > 0.7


def test_the_next_input_of_a_series_is_predicted() -> None:
    angle = np.arange(600) * 2 * np.pi / 12
    series = 0.5 + 0.5 * np.column_stack([np.sin(angle), np.cos(angle), np.sin(angle + 1)])
    model = compile(
        perceptron(3, 24, 3),
        rule="backprop",
        objective="prediction(horizon=2)",
        settings=Settings(init="random"),
        calibration=series,
    )
    wanted = targets_of(model, series)
    assert wanted is not None
    assert wanted == pytest.approx(series[2:], abs=1e-9)
    with Session(model) as session:
        first = session.loss(series)
        session.fit(series, epochs=4)
        assert session.loss(series) < 0.1 * first


def test_pairs_bring_one_class_together_and_hold_others_apart() -> None:
    two = Y < 2
    x, y = X[two], Y[two]
    model = made("contrastive(distance=100)", rule="backprop", sizes=(64, 16, 2))

    def spread(session: Session) -> float:
        o = outputs_of(model, session.answers(x)).astype(np.float64)
        within = np.mean([o[y == k].std(axis=0).mean() for k in (0, 1)])
        return float(np.linalg.norm(o[y == 0].mean(axis=0) - o[y == 1].mean(axis=0)) / within)

    with Session(model) as session:
        first, loss = spread(session), session.loss(x, y)
        session.fit(x, y, epochs=8)
        assert spread(session) > 2 * first
        assert session.loss(x, y) < loss


def mean_payloads(session: Session) -> Real:
    """Return the mean payload of every hidden unit."""
    found = session.run(X, probes=("hidden0.s",)).values["hidden0.s"]
    period = session.model.program.schedule.period
    return np.asarray(found[1::period, :32].mean(axis=0), np.float64)


def test_homeostasis_brings_hidden_units_to_the_wanted_rate() -> None:
    loose, held = made("classification"), made("classification + 2^-1*homeostasis(rate=40)")
    apart = []
    for model in (loose, held):
        with Session(model) as session:
            session.fit(X, Y, epochs=5)
            means = mean_payloads(session)
            apart.append(float(np.sqrt(np.mean((means[means > 0] - 40) ** 2))))
            assert session.evaluate(*HELD) > 0.75
    assert apart[1] < 0.5 * apart[0]


def test_sparsity_makes_hidden_units_send_less() -> None:
    sent = []
    for text in (
        "classification",
        "classification + 2^1*sparsity",
        "classification + 2^3*sparsity",
    ):
        with Session(made(text)) as session:
            session.fit(X, Y, epochs=5)
            sent.append(float(mean_payloads(session).mean()))
    assert sent[0] > sent[1] > sent[2]


@pytest.mark.parametrize("text", ["2^-3*homeostasis(rate=30)", "2^-2*sparsity", "2^2*sparsity"])
def test_hidden_terms_give_the_same_bits_on_reference_and_native(text: str) -> None:
    model = made(f"classification + {text}", rule="fa(rate=-4)", sizes=(64, 12, 9, 10))
    weights = []
    for engine in ("reference", "native"):
        with Session(model, engine=engine) as session:
            session.run(X[:60], Y[:60], learn=True)
            weights.append([session.read(group.weight) for group in model.program.synapses])
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize(
    ("rule", "objective", "sizes", "code"),
    [
        ("bandit", "classification", (64, 32, 10), "HB0413"),
        ("drtp", "reward", (64, 32, 10), "HB0413"),
        ("node-perturbation", "classification(loss=cross-entropy)", (64, 32, 10), "HB0413"),
        ("node-perturbation", "classification(loss=hinge)", (64, 32, 10), "HB0413"),
        ("frozen", "classification + sparsity", (64, 32, 10), "HB0413"),
        ("dfa", "reconstruction", (64, 32, 10), "HB0414"),
        ("dfa", "prediction", (64, 32, 10), "HB0414"),
    ],
)
def test_a_rule_and_an_objective_that_do_not_go_together_are_refused(
    rule: str, objective: str, sizes: tuple[int, ...], code: str
) -> None:
    with pytest.raises(UnsupportedError, match=code):
        made(objective, rule=rule, sizes=sizes)


def test_a_hidden_term_on_payloads_with_a_sign_is_refused() -> None:
    graph = perceptron(64, 8, 10, activation="tanh")
    with pytest.raises(UnsupportedError, match="HB0414"):
        compile(graph, objective="classification + sparsity")


@pytest.mark.parametrize("objective", ["reward", "classification + sparsity"])
def test_credit_of_what_no_twin_has_is_refused(objective: str) -> None:
    with pytest.raises(UnsupportedError, match="HB0471"):
        twin_of(made(objective))


def test_learning_without_targets_is_refused() -> None:
    with Session(made("regression")) as session, pytest.raises(UsageError, match="HB0108"):
        session.fit(X, epochs=1)


def test_a_training_with_accuracy_refuses_an_objective_without_classes() -> None:
    model = made("contrastive", sizes=(64, 16, 2))
    with pytest.raises(UsageError, match="HB0182"):
        plan_of(
            model, DIGITS, epochs=1, engine="native", rounding="independent", seed=0, split_seed=0
        )


def test_a_return_beyond_one_is_cut() -> None:
    objective = made("reward").objective
    assert action_error(objective, np.array([0, 10]), 1, 1.9)[1] == 90
    assert np.isnan(action_error(objective, np.array([0, 10]), 1, 0.5)[0])
