"""Who says what is right: targets that come from the samples, and errors that the host makes.

Some objectives need no labels (the input itself, the input that comes). Others can be judged only
when the outputs are known: of a reward, of a cross-entropy, of a pair of samples. Then the host
shows a sample twice. The first time it reads the outputs o and makes the errors e; the second time
it sends the targets o + e, so that the output units find just e, rounded to whole payload units,
and learn. Both passes are counted, and so is every word that the host reads and sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.program.types import IntArray
from hebbite.rules.objectives import Objective
from hebbite.rules.objectives.contrastive import pair_error, pair_value
from hebbite.runtime.outputs import outputs_of
from hebbite.runtime.recording import Recording

Long = NDArray[np.int64]
Real = NDArray[np.float64]
Labels = NDArray[np.generic]
Inputs = Mapping[str, IntArray]
ACTION_STREAM = 0xAC710
TOP_TARGET = 254


class Learner(Protocol):
    """A session, as far as teaching knows it."""

    model: Compiled
    seed: int

    def run_events(self, inputs: Inputs, *, samples: int, learn: bool) -> Recording:
        """Run samples that are integers already."""


def targets_of(model: Compiled, x: Samples) -> Real | None:
    """Return the targets that an objective makes of the samples themselves; None if it does not.

    (samples, outputs), fewer than the samples where the last ones have nothing to predict.
    """
    goal = model.objective
    if goal.teaches not in ("input", "next-input"):
        return None
    later = goal.horizon if goal.teaches == "next-input" else 0
    return model.coding.inputs_as_targets(x[later:])


def chosen_action(objective: Objective, answers: Long, *, seed: int, number: int) -> int:
    """Return the greedy action of ``answers`` (outputs,), or with chance epsilon one at random.

    ``number`` counts the decisions of a session; with the seed it fixes what is drawn.
    """
    chance, which = (int(k) for k in words(2, seed=seed, stream=ACTION_STREAM, time=number))
    if chance * 100 < objective.epsilon << 32:
        return (which * len(answers)) >> 32
    return int(np.argmax(answers))


def correct(session: Learner, shown: Inputs, output: Long, error: Real) -> Recording:
    """Show one sample again and let the output units find ``error``.

    ``shown`` is what a machine takes for the sample, `Coding.inputs`, without a teacher; ``output``
    (outputs,) is what they gave; NaN in ``error`` (outputs,) is an output that nobody
    teaches.
    """
    wanted = np.clip(output + np.nan_to_num(error), -TOP_TARGET, TOP_TARGET)
    code = np.rint(wanted).astype(np.int64) + 1
    code = np.where(np.isnan(error), 0, np.where(code == 0, 1, code))
    given = {**shown, session.model.coding.teacher: code[None, None, :]}
    return session.run_events(given, samples=1, learn=True)


def action_error(objective: Objective, output: Long, action: int, gain: float) -> Real:
    """Return R G - o_a at the action, NaN elsewhere; ``gain`` is the return G, cut to [-1, 1]."""
    error = np.full(len(output), np.nan)
    error[action] = objective.target_rate * min(max(gain, -1.0), 1.0) - output[action]
    return error


def judged(session: Learner, x: Samples, y: Labels, number: int) -> Iterator[Recording]:
    """Run samples, each judged by the host, and yield what every pass recorded.

    ``number``: of the first sample within the training, for actions at random.
    """
    goal = session.model.objective
    inputs = session.model.coding.inputs(x)
    if goal.teaches == "pairs":
        yield from _pairs(session, inputs, y)
        return
    make = _of_reward if goal.teaches == "reward" else _of_softmax
    for index in range(len(x)):
        shown = _part(inputs, index, 1)
        seen = session.run_events(shown, samples=1, learn=False)
        yield seen
        output = outputs_of(session.model, seen.answers)[0]
        error = make(session, seen.answers[0], output, int(y[index]), number + index)
        yield correct(session, shown, output, error)


def _part(inputs: Inputs, first: int, count: int) -> Inputs:
    """Return the inputs of ``count`` samples."""
    return {name: given[first : first + count] for name, given in inputs.items()}


def _of_reward(session: Learner, answers: Long, output: Long, label: int, number: int) -> Real:
    """The right class brings 1, any other 0."""
    goal = session.model.objective
    action = chosen_action(goal, answers, seed=session.seed, number=number)
    return action_error(goal, output, action, float(action == label))


def _of_softmax(session: Learner, answers: Long, output: Long, label: int, number: int) -> Real:
    goal = session.model.objective
    target = np.zeros((1, len(output)))
    target[0, label] = goal.target_rate
    return np.asarray(goal.error(output[None].astype(np.float64), target)[0], np.float64)


def _pairs(session: Learner, inputs: Inputs, y: Labels) -> Iterator[Recording]:
    distance = float(session.model.objective.target_rate)
    for first in range(0, len(y) - 1, 2):
        seen = session.run_events(_part(inputs, first, 2), samples=2, learn=False)
        yield seen
        one, other = outputs_of(session.model, seen.answers).astype(np.float64)
        same = bool(y[first] == y[first + 1])
        for index, here, there in ((first, one, other), (first + 1, other, one)):
            error = pair_error(here, there, same=same, distance=distance)
            yield correct(session, _part(inputs, index, 1), here.astype(np.int64), error)


def loss_of(model: Compiled, answers: Long, y: Labels) -> float:
    """Return F, the mean of the objective over samples (or pairs); see `Session.loss`."""
    output = outputs_of(model, answers).astype(np.float64)
    if model.objective.teaches == "pairs":
        distance = float(model.objective.target_rate)
        values = [
            pair_value(output[n], output[n + 1], same=bool(y[n] == y[n + 1]), distance=distance)
            for n in range(0, len(output) - 1, 2)
        ]
        return float(np.mean(values))
    target = (model.coding.codes(y) - 1).astype(np.float64)
    return model.objective.value(output, target) / len(answers)
