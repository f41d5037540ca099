"""Laws of credit assignment that are known in closed form: what every learning signal must obey.

Twins by hand, in real numbers, with a smooth hidden activation and errors within the smooth range
of the objective unless a test says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.draws import uniform
from hebbite.rules.feedback import Feedback
from hebbite.rules.objectives import classification
from hebbite.rules.registry import parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.runtime.credit.activations import Activation, Clipped, Tanh
from hebbite.runtime.credit.descent import Learner
from hebbite.runtime.credit.measures import Measures, angle_between, inner, measure
from hebbite.runtime.credit.moments import Moments, Update, standing
from hebbite.runtime.credit.shares import first_order, path_integrated
from hebbite.runtime.credit.signals import Batch, credit_of_noise, hadamard, updates_of
from hebbite.runtime.credit.twin import Layer, Twin
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.session import sample_order

Real = NDArray[np.float64]
SMOOTH = Tanh(scale=0.02, top=60.0)
WIDE = Clipped(scale=0.01, low=-1e9, high=1e9)
"""An output unit whose clip is never reached."""
LAWS = {"gauss": 3.0, "uniform": 1.8, "rademacher": 1.0}
"""Kurtosis of a noise law."""
ERROR_RULES = ("delta", "frozen", "dfa", "fa", "backprop")


def twin(
    sizes: Sequence[int],
    *,
    seed: int = 0,
    hidden: Activation = SMOOTH,
    margin: int = 0,
    law: str = "gauss",
) -> Twin:
    """Return a twin with weights by chance; hidden populations h0, h1, ... and out."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        shape = (outputs, inputs + 1)
        weight = rng.normal(0, 1, shape) if law == "gauss" else rng.uniform(-1, 1, shape)
        name, activation = ("out", WIDE) if last else (f"h{index}", hidden)
        layers.append(Layer(name, 40.0 * weight / np.sqrt(inputs), 1.0, activation))
    return Twin(tuple(layers), classification(margin=margin))


def batch(
    made: Twin, feedback: Mapping[str, Real] | None = None, *, samples: int = 12, seed: int = 1
) -> Batch:
    """Return samples by chance whose errors stay within +-40."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 60, (samples, made.layers[0].weight.shape[1] - 1))
    activity = made.forward(x)
    target = activity.output + rng.uniform(-40, 40, activity.output.shape)
    return Batch(made, x, target, activity, feedback or {})


def exact_feedback(made: Twin) -> dict[str, Real]:
    pairs = pairwise(made.layers)
    return {layer.name: above.weight[:, :-1].T for layer, above in pairs}


def random_feedback(made: Twin, seed: int, *, direct: bool = False) -> dict[str, Real]:
    rng = np.random.default_rng(seed)
    top = len(made.layers[-1].weight)
    return {
        layer.name: rng.normal(size=(len(layer.weight), top if direct else len(above.weight)))
        for layer, above in pairwise(made.layers)
    }


def feedback_for(rule: str, made: Twin) -> dict[str, Real]:
    if rule == "backprop":
        return exact_feedback(made)
    return random_feedback(made, 0, direct=rule == "dfa")


def moments_of(rule: LearningRule, given: Batch) -> list[Moments]:
    return [
        standing(layer.weight.shape) if update is None else update.moments()
        for update, layer in zip(updates_of(rule, given), given.twin.layers, strict=True)
    ]


def gradient_of(given: Batch) -> tuple[Real, ...]:
    return given.twin.gradient(given.activity, given.target)


def by_layer(rule: LearningRule, given: Batch) -> list[Measures]:
    pairs = zip(moments_of(rule, given), gradient_of(given), strict=True)
    return [measure([m], [g]) for m, g in pairs]


def noise(law: str, shape: tuple[int, ...], *, seed: int) -> Real:
    """Return noise of mean 0 and variance 1."""
    rng = np.random.default_rng(seed)
    if law == "gauss":
        return rng.normal(size=shape)
    if law == "uniform":
        return rng.uniform(-math.sqrt(3), math.sqrt(3), shape)
    return rng.choice([-1.0, 1.0], shape)


def test_the_gradient_is_that_of_finite_differences_on_a_smooth_network() -> None:
    given = batch(twin((5, 7, 6, 3)))
    rng = np.random.default_rng(3)
    direction = [rng.normal(size=layer.weight.shape) for layer in given.twin.layers]
    eps = 1e-4
    ahead = given.twin.moved(direction, eps).value(given.x, given.target)
    behind = given.twin.moved(direction, -eps).value(given.x, given.target)
    exact = -inner(gradient_of(given), direction)
    assert abs((ahead - behind) / (2 * eps) / exact - 1) < 1e-6


def test_the_gradient_holds_for_clipped_units_away_from_their_kinks() -> None:
    given = batch(twin((5, 7, 6, 3), hidden=Clipped(0.05, 0.0, 254.0)))
    gradient = gradient_of(given)
    for layer, row, column in ((0, 2, 3), (1, 4, 5), (2, 1, 6)):
        direction = [np.zeros_like(g) for g in gradient]
        direction[layer][row, column] = 1e-6
        ahead = given.twin.moved(direction, 1.0).value(given.x, given.target)
        behind = given.twin.moved(direction, -1.0).value(given.x, given.target)
        assert (behind - ahead) / 2e-6 == pytest.approx(gradient[layer][row, column], rel=1e-5)


def test_backpropagation_is_the_gradient() -> None:
    made = twin((6, 9, 8, 4))
    given = batch(made, exact_feedback(made))
    rule = parse_rule("backprop")
    for found in (
        *by_layer(rule, given),
        measure(moments_of(rule, given), gradient_of(given)),
    ):
        assert found.angle_deg is not None
        assert found.angle_deg < 1e-6
        assert found.bias == pytest.approx(0, abs=1e-9)
        assert found.bias_raw == pytest.approx(0, abs=1e-9)
        assert found.gain == pytest.approx(1, rel=1e-12)
        assert found.variance_intrinsic == 0
        assert found.variance is not None
        assert found.variance > 0


@pytest.mark.parametrize("rule", ERROR_RULES)
@pytest.mark.parametrize("margin", [0, 12])
def test_every_error_rule_gives_the_output_layer_its_gradient(rule: str, margin: int) -> None:
    made = twin((6, 9, 8, 4), margin=margin)
    found = by_layer(parse_rule(rule), batch(made, feedback_for(rule, made)))[-1]
    assert found.angle_deg is not None
    assert found.angle_deg < 1e-6


def test_delta_without_a_hidden_layer_is_backpropagation() -> None:
    given = batch(twin((6, 4)))
    delta, backprop = (moments_of(parse_rule(rule), given)[0] for rule in ("delta", "backprop"))
    np.testing.assert_array_equal(delta.mean, backprop.mean)
    assert measure([delta], gradient_of(given)).bias == pytest.approx(0, abs=1e-9)


def test_a_frozen_layer_has_no_angle_no_variance_and_bias_one() -> None:
    made = twin((6, 9, 8, 4))
    *hidden, output = by_layer(parse_rule("frozen"), batch(made))
    for found in hidden:
        assert (found.angle_deg, found.variance, found.bias) == (None, None, 1.0)
        assert not found.anti_aligned
        assert found.bias_raw == pytest.approx(1.0)
    assert output.bias == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("law", "wanted"), [("gauss", None), ("uniform", 30.0)])
def test_signs_of_the_weights_are_off_by_the_angle_that_their_law_sets(
    law: str, wanted: float | None
) -> None:
    """acos(E|w| / sqrt(E w^2)): 37.07 degrees for Gaussian weights, 30 for uniform ones."""
    made = twin((20, 4000, 10), law=law, hidden=Clipped(1.0, -1e9, 1e9))
    given = batch(made, {k: np.sign(b) for k, b in exact_feedback(made).items()}, samples=64)
    signal = updates_of(parse_rule("fa"), given)[0]
    assert signal is not None
    exact = made.deltas(given.activity, given.target)[0]
    found = angle_between([signal.post], [exact])
    expected = wanted or math.degrees(math.acos(math.sqrt(2 / math.pi)))
    assert found == pytest.approx(expected, abs=0.5)


def test_random_feedback_is_orthogonal_to_the_gradient_on_average() -> None:
    hidden, draws = 200, 100
    made = twin((20, hidden, 10), hidden=Clipped(1.0, -1e9, 1e9))
    given = batch(made, samples=1)
    exact = made.deltas(given.activity, given.target)[0]
    angles = []
    for seed in range(draws):
        fed = replace(given, feedback=random_feedback(made, seed))
        signal = updates_of(parse_rule("fa"), fed)[0]
        assert signal is not None
        angles.append(math.radians(angle_between([signal.post], [exact]) or math.nan))
    assert abs(float(np.mean(angles)) - math.pi / 2) < 3 / math.sqrt(draws * hidden)


@pytest.mark.parametrize("law", LAWS)
def test_the_variance_of_node_perturbation_is_set_by_the_nodes_and_the_noise(law: str) -> None:
    """tr Cov / |g|^2 = N - 2 + kurtosis over N nodes that are perturbed together, for small noise;
    the mean over draws is the gradient."""
    draws, rounds = 20_000, 25
    made = twin((4, 11, 9, 3))
    one = batch(made, samples=1, seed=2)
    many = replace(
        one,
        x=np.repeat(one.x, draws, axis=0),
        target=np.repeat(one.target, draws, axis=0),
        activity=made.forward(np.repeat(one.x, draws, axis=0)),
    )
    exact = np.concatenate([d[0] for d in made.deltas(one.activity, one.target)[:-1]])
    nodes, size = exact.size, float(exact @ exact)
    square, mean, cosines = 0.0, np.zeros(nodes), []
    for seed in range(rounds):
        xi = [noise(law, (draws, n), seed=seed * 2 + i) for i, n in enumerate((11, 9))]
        found = np.concatenate(credit_of_noise(many, xi, 1e-5), axis=1)
        square += float(np.einsum("kn,kn->", found, found)) / (draws * rounds)
        mean += found.mean(axis=0) / rounds
        moved = found[np.any(found != 0, axis=1)]
        cosine = np.abs(moved @ exact) / np.linalg.norm(moved, axis=1) / math.sqrt(size)
        cosines.append(cosine)
    total = draws * rounds
    assert total >= 400_000
    assert (square - float(mean @ mean)) / size == pytest.approx(nodes - 2 + LAWS[law], rel=0.01)
    bias = float(np.linalg.norm(mean - exact)) / math.sqrt(size)
    assert bias < 3 * math.sqrt((nodes + 1) / total)
    if law == "gauss":  # the one law whose draws have no preferred direction
        axis = math.degrees(math.acos(float(np.mean(np.concatenate(cosines)))))
        wanted = math.degrees(math.acos(math.sqrt(2 / (math.pi * nodes))))
        assert axis == pytest.approx(wanted, abs=0.3)


def test_the_variance_of_weight_perturbation_is_set_by_the_number_of_weights() -> None:
    """P + 1 for Gaussian noise on P weights."""
    draws = 400_000
    made = twin((7, 2))
    one = batch(made, samples=1)
    rng = np.random.default_rng(5)
    xi = rng.normal(size=(draws, *made.layers[0].weight.shape))
    lines = one.activity.inputs[0][0]
    sigma = 1e-5
    still = made.forward(np.repeat(one.x, draws, axis=0))
    shifted = made.disturbed(still, [sigma * xi @ lines])
    change = made.losses(shifted, np.repeat(one.target, draws, axis=0))
    change = change - made.losses(one.activity.output, one.target)
    found = (-(change / sigma)[:, None, None] * xi).reshape(draws, -1)
    (gradient,) = gradient_of(one)
    size = float(np.vdot(gradient, gradient))
    square = float(np.einsum("kp,kp->", found, found)) / draws
    mean = found.mean(axis=0)
    assert (square - float(mean @ mean)) / size == pytest.approx(gradient.size + 1, rel=0.01)


def test_a_rule_that_perturbs_its_units_is_unbiased_and_pays_with_variance() -> None:
    made = twin((6, 9, 8, 4))
    fa = parse_rule("fa")
    rule = replace(fa, feedback=Feedback(source="perturbation", delivery="broadcast"))
    given = batch(made, samples=40)
    for found in by_layer(rule, given)[:-1]:
        assert found.bias == pytest.approx(0, abs=1e-3)
    one = batch(made, samples=1)
    found = measure(moments_of(rule, one)[:-1], gradient_of(one)[:-1])
    lengths = [float(np.vdot(x, x)) for x in one.activity.inputs[:-1]]
    exact = [float(np.vdot(d, d)) for d in made.deltas(one.activity, one.target)[:-1]]
    nodes, size = (9, 8), sum(length * each for length, each in zip(lengths, exact, strict=True))
    square = sum(exact) * sum(n * length for n, length in zip(nodes, lengths, strict=True))
    assert found.variance_raw == pytest.approx(square / size - 1, rel=1e-3)
    assert found.variance_intrinsic == pytest.approx(found.variance)


@pytest.mark.parametrize("columns", [1, 3, 4, 17])
def test_the_noise_of_a_perturbation_is_orthogonal_from_unit_to_unit(columns: int) -> None:
    rows = hadamard(columns)
    np.testing.assert_array_equal(rows.T @ rows, len(rows) * np.eye(columns))
    np.testing.assert_array_equal(rows.sum(axis=0), 0)


def test_moments_of_random_updates_are_those_of_the_updates_one_by_one() -> None:
    rng = np.random.default_rng(0)
    post, pre = rng.normal(size=(5, 7, 3)), rng.normal(size=(7, 4))
    found = Update(post.mean(axis=0), pre, np.sum(post**2, axis=2).mean(axis=0)).moments()
    each = np.einsum("knj,ni->knji", post, pre)
    np.testing.assert_allclose(found.mean, each.mean(axis=(0, 1)))
    assert found.square == pytest.approx(float(np.sum(each**2, axis=(2, 3)).mean()))
    within = each.var(axis=0).sum(axis=(1, 2)).mean()
    assert found.intrinsic == pytest.approx(float(within))
    total = each.reshape(35, 3, 4).var(axis=0).sum()
    assert found.covariance == pytest.approx(float(total))


def test_learned_feedback_aligns_with_the_weights_and_never_turns_back() -> None:
    """Kolen and Pollack: B - W^T shrinks by 1 - lambda a sample, so the angle goes to 0."""
    made, x, target = digits()
    fa = parse_rule("fa")
    rule = replace(fa, feedback=replace(fa.feedback, weights="learned"))
    learner = Learner(rule, made, random_feedback(made, 0, direct=False), rate=0.05, decay=2e-3)
    learner = replace(learner, feedback={k: 10 * b for k, b in learner.feedback.items()})
    angles, before = [feedback_angle(learner)], made.value(x, target)
    for epoch in range(7):
        learner = learner.learn(x, target, sample_order(len(x), seed=0, epoch=epoch))
        angles.append(feedback_angle(learner))
    assert angles[0] > 80
    assert angles == sorted(angles, reverse=True)
    assert angles[-1] < 1
    assert learner.twin.value(x, target) < before / 5


def test_weights_turn_towards_fixed_random_feedback() -> None:
    """Feedback alignment: the hidden update ends nearer to the gradient than it began."""
    made, x, target = digits()
    learner = Learner(parse_rule("fa"), made, random_feedback(made, 1), rate=0.05)
    learner = replace(learner, feedback={k: 10 * b for k, b in learner.feedback.items()})

    def angle(now: Learner) -> float:
        given = Batch(now.twin, x, target, now.twin.forward(x), now.feedback)
        return by_layer(now.rule, given)[0].angle_deg or 0.0

    start = angle(learner)
    for epoch in range(4):
        learner = learner.learn(x, target, sample_order(len(x), seed=0, epoch=epoch))
    assert 10 < angle(learner) < start


def test_path_integrated_shares_add_up_to_the_realised_decrease() -> None:
    given = batch(twin((5, 7, 6, 3)), samples=30)
    step = [2e-3 * g for g in gradient_of(given)]
    shares = path_integrated(given.twin, given.x, given.target, step)
    moved = given.twin.moved(step)
    decrease = given.twin.value(given.x, given.target) - moved.value(given.x, given.target)
    first = sum(float(part.sum()) for part in first_order(gradient_of(given), step))
    assert shares.total == pytest.approx(decrease, rel=1e-6)
    assert abs(first / decrease - 1) > 1e-3  # the step is large enough for the path to matter
    layers = [shares.layer(index) or 0.0 for index in range(3)]
    assert sum(layers) == pytest.approx(1)
    for index in range(3):
        neurons = shares.neurons(index)
        assert neurons is not None
        assert float(neurons.sum()) == pytest.approx(layers[index])


def test_a_gradient_step_assigns_no_credit_wrongly_and_its_opposite_all_of_it() -> None:
    given = batch(twin((5, 7, 3)))
    step = [1e-6 * g for g in gradient_of(given)]
    back = [-part for part in step]
    right = path_integrated(given.twin, given.x, given.target, step)
    wrong = path_integrated(given.twin, given.x, given.target, back)
    assert (right.misassigned(), wrong.misassigned()) == (0.0, 1.0)
    assert right.decrease > 0 > wrong.decrease


def test_a_small_step_does_what_the_gradient_predicts() -> None:
    made = twin((5, 7, 6, 3))
    given = batch(made, random_feedback(made, 4), samples=30)
    update = [m.mean for m in moments_of(parse_rule("fa"), given)]
    eta = 0.05
    predicted = -eta * inner(gradient_of(given), update)
    before = made.value(given.x, given.target)
    for size, within in ((1e-3, 0.005), (1.0, 1.0)):
        step = made.moved(update, size * eta).value(given.x, given.target) - before
        assert abs(step / (size * predicted) - 1) < within


def digits() -> tuple[Twin, Real, Real]:
    """Return a 64-24-10 network of smooth units, 400 digits as payloads, and their targets."""
    data = load_dataset("digits", seed=0)
    x = 100.0 * data.x_train[:400].reshape(400, 64).astype(np.float64)
    target = 100.0 * np.eye(10)[data.y_train[:400]]
    first, second = (uniform(shape, seed=0, name="w") - 0.5 for shape in ((24, 65), (10, 25)))
    layers = (
        Layer("h0", 80 * first, 50.0, Tanh(scale=1e-4, top=100.0)),
        Layer("out", 80 * second, 50.0, Clipped(0.01, -127.0, 127.0)),
    )
    return Twin(layers, classification(margin=0)), x, target


def feedback_angle(learner: Learner) -> float:
    exact = exact_feedback(learner.twin)["h0"]
    return angle_between([learner.feedback["h0"]], [exact]) or 0.0
