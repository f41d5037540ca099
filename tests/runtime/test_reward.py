"""Rules that keep tags do what their papers say: pairs of spikes, and rewards that come later.

One line meets 64 neurons that a strong synapse makes spike together; a reward reaches all of them
in the last step of a sample. Means over synapses take the chance out of rounding.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.graph import Graph, Node, TensorRef, Value
from hebbite.compiler.neurons import NEURONS
from hebbite.compiler.neurons.rewarded import TRACE_SHIFT, told_of_reward
from hebbite.compiler.program.types import (
    Plasticity,
    Population,
    Program,
    Readout,
    Schedule,
    Source,
    Synapses,
)
from hebbite.compiler.program.verify import verify_program
from hebbite.compiler.settings import Settings
from hebbite.rules.errors import UnsupportedError
from hebbite.rules.registry import parse_rule
from hebbite.rules.traces import Trace
from hebbite.runtime.credit.credit import moment_of
from hebbite.runtime.engines.native import NativeEngine
from hebbite.runtime.session import Session

NEURONS_EACH, PERIOD, LAG = 64, 50, 2
RULE = "r-stdp(rate=0, up=0, down=0, decay=5)"
KEEP = 1 - 2.0**-5
Long = NDArray[np.int64]
Real = NDArray[np.float64]


def program(rule: str) -> Program:
    """Return one plastic line to neurons that forget at once and spike when they are forced."""
    learning = parse_rule(rule)
    offsets = tuple(range(1, PERIOD + 1))
    lif = (("du_keep", 0), ("dv_keep", 0), ("threshold", 64 * 300))
    told = (("keep", 3706), ("impulse", 16 << TRACE_SHIFT))  # tau = 10 steps
    cell = told_of_reward(NEURONS["lif"])
    written = Trace(tau=65535)
    traces = (dict(learning.traces)["x1"], written, written, written)
    made = Program(
        name="tags",
        target="loihi2",
        schedule=Schedule(PERIOD, PERIOD),
        sources=(
            Source("pre", 1, offsets),
            Source("driver", 1, offsets),
            Source("reward", 1, (PERIOD - 1,), role="target"),
        ),
        populations=(Population("post", NEURONS_EACH, cell, lif + told, (("bias", "bias"),)),),
        synapses=(
            Synapses("to_post", "pre", "post", "w", graded=False),
            Synapses("force", "driver", "post", "f", exponent=1, graded=False),
            Synapses("tell", "reward", "post", "one", port="third", role="feedback"),
        ),
        plasticity=(
            Plasticity(
                "to_post",
                learning.dw,
                1,
                tuple(zip(("x1", "y1", "y2", "y3"), traces, strict=True)),
                dt=learning.dt,
            ),
        ),
        readout=Readout("post", "s", PERIOD, count=True),
        tensors={
            "w": np.full((NEURONS_EACH, 1), 100, np.int16),
            "f": np.full((NEURONS_EACH, 1), 254, np.int16),
            "one": np.ones((NEURONS_EACH, 1), np.int16),
            "bias": np.zeros(NEURONS_EACH, np.int32),
        },
    )
    verify_program(made, running="test")
    return made


def change(pre: int, post: int, rewards: list[int], *, rule: str = RULE) -> float:
    """Return the mean change of the weights by one pair, steps from 1, and a reward a sample."""
    machine = NativeEngine().open(program(rule), rounding="independent")
    spikes = np.zeros((2, len(rewards), PERIOD, 1), np.int64)
    spikes[0, 0, pre - 1] = spikes[1, 0, post - 2] = 1
    told = np.array(rewards, np.int64).reshape(-1, 1, 1)
    given = {"pre": spikes[0], "driver": spikes[1], "reward": told}
    found = machine.run(given, samples=len(rewards))
    assert int(found.answers.sum()) == NEURONS_EACH
    return float((machine.read("w") - 100).mean())


def expected(pre: int, post: int, at: int, reward: int) -> float:
    """Return the change in real numbers: the tag of the pair, decayed until the reward is told."""
    paired = np.sign(post - pre) * 16 * np.exp(-abs(post - pre) / 10)
    return float(paired * KEEP ** (at - max(pre, post) - 1) * reward / 32)


@pytest.mark.parametrize("at", [10, 30, 45])
@pytest.mark.parametrize("reward", [100, 40, -100])
def test_a_reward_later_cashes_the_tag_of_a_pair_and_a_punishment_reverses_it(
    at: int, reward: int
) -> None:
    moved = change(at, at + LAG, [reward])
    assert np.sign(moved) == np.sign(reward)
    assert moved == pytest.approx(expected(at, at + LAG, PERIOD, reward), rel=0.15, abs=0.5)


def test_a_pair_that_comes_the_other_way_round_is_weakened_by_reward() -> None:
    moved = change(32, 30, [100])
    assert moved < -5
    assert moved == pytest.approx(expected(32, 30, PERIOD, 100), rel=0.15, abs=0.5)


def test_a_pair_without_reward_and_a_reward_without_a_pair_change_nothing() -> None:
    assert change(30, 32, [0, 0]) == 0.0
    assert change(2, 49, [100], rule="r-stdp(rate=0, tau_pre=2)") == 0.0


def test_the_longer_a_reward_takes_the_less_it_changes() -> None:
    """The distal reward: of one pair, after 5, 25 and 75 steps at a time constant of 32."""
    soon, later = change(43, 45, [100]), change(23, 25, [100])
    last = change(23, 25, [0, 100])
    assert soon > 1.5 * later > 4 * last > 0
    assert last == pytest.approx(expected(23, 25, 2 * PERIOD, 100), abs=0.5)
    slow = change(23, 25, [0, 100], rule="r-stdp(rate=0, up=0, down=0, decay=7)")
    assert slow > 3 * last


LINES, OUTPUTS = 16, 2
WINDOW = 25


def compiled(rule: str) -> Compiled:
    """Return two output units with random weights of positive mean, over 16 lines."""
    rng = np.random.default_rng(101)
    tensors = {
        "w": rng.normal(0.3, 0.5 * LINES**-0.5, (OUTPUTS, LINES)),
        "b": np.zeros(OUTPUTS),
    }
    pair = (("weight", TensorRef("w")), ("bias", TensorRef("b")))
    nodes = (
        Node("input", (), (Value("x", (LINES,)),)),
        Node("linear", ("x",), (Value("out", (OUTPUTS,)),), pair),
    )
    settings = Settings(neuron="lif", encode="rate", window=WINDOW)
    graph = Graph("net", nodes, tensors, ("out",))
    return compile(graph, rule=rule, settings=settings, calibration=halves(64)[0])


def halves(count: int) -> tuple[Real, Long]:
    """Return samples of two classes: one or the other half of the lines is bright."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, count)
    bright = np.repeat(np.eye(2), LINES // 2, axis=1)
    return np.clip(0.7 * bright[y] + 0.3 * rng.random((count, LINES)), 0, 1), y


@pytest.mark.parametrize(("gain", "worth"), [(0, 8.0), (-3, 1.0), (-5, 0.25)])
def test_spikes_of_the_right_class_earn_and_others_cost_less_the_running_mean(
    gain: int, worth: float
) -> None:
    x, y = halves(60)
    with Session(compiled(f"r-stdp(gain={gain})")) as session:
        found = session.run(x, y, learn=True, probes=("out.s", "critic.s", "critic.mean"))
    spikes = found.values["out.s"].reshape(60, WINDOW, OUTPUTS)[:, : WINDOW - 2].sum(axis=1)
    earned = spikes[np.arange(60), y] - spikes[np.arange(60), 1 - y]
    mean = found.values["critic.mean"].reshape(60, WINDOW)[:, -1]
    before = np.concatenate([[0], mean[:-1]])
    told = found.values["critic.s"].reshape(60, WINDOW)
    reward = np.clip(np.floor(earned * worth), -127, 127).astype(np.int64)
    np.testing.assert_array_equal(told[:, WINDOW - 2], ((reward << 8) - before) >> 8)
    np.testing.assert_array_equal(mean - before, ((reward << 8) - before) >> 4)
    assert not told[:, : WINDOW - 2].any()
    assert told[:, WINDOW - 2].any()


def test_without_a_teacher_tags_move_and_weights_stay() -> None:
    x, y = halves(40)
    with Session(compiled("r-stdp(rate=-5)")) as session:
        session.run(x[:4], y[:4], learn=True)
        weight = session.read("to_out.weight")
        found = session.run(x[4:20], learn=True, probes=("to_out.t", "critic.s"))
        assert not found.values["critic.s"].any()
        assert found.values["to_out.t"].any()
        np.testing.assert_array_equal(session.read("to_out.weight"), weight)
        session.run(x[20:], y[20:], learn=True)
        assert (session.read("to_out.weight") != weight).mean() > 0.5


def test_credit_has_no_mean_update_for_tags_and_says_so() -> None:
    x, y = halves(8)
    with pytest.raises(UnsupportedError, match="HB0472"):
        moment_of(compiled("r-stdp"), x, y, draws=2).figures("real")
