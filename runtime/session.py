"""A running program: the one thing that changes.

A session feeds samples to a machine, trains, evaluates, reads and writes weights, and keeps count.
The same model, engine, rounding and seed give the same bits, however a run is cut into calls.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.philox import words
from hebbite.compiler.arithmetic.randomness import ROUNDINGS, Rounding
from hebbite.compiler.change import with_rule
from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Saved, Training, save_compiled
from hebbite.compiler.program.types import IntArray
from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.registry import parse_rule
from hebbite.rules.rule import LearningRule
from hebbite.runtime.answering import Tick, answers_of
from hebbite.runtime.counters import Counters, counted_nothing, rewritten
from hebbite.runtime.engines.base import Inputs, check_events
from hebbite.runtime.engines.registry import ON_LAVA, load_engine
from hebbite.runtime.episode import Episode
from hebbite.runtime.pieces import Pace, run_apart, threads_of
from hebbite.runtime.recording import Recording, joined
from hebbite.runtime.state import check_state
from hebbite.runtime.teaching import correct, judged, loss_of, targets_of

Labels = NDArray[np.generic]
ORDER_STREAM = 0x0DDE2


@dataclass(frozen=True, eq=False)
class Fit:
    """What `Session.fit` did: samples, counts, seconds, and the validation accuracy by epoch."""

    samples: int
    counters: Counters
    wall_s: float
    validation: tuple[float, ...]


def sample_order(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of ``count`` samples in an epoch: a permutation that a seed fixes."""
    keys = words(count, seed=seed, stream=ORDER_STREAM, time=epoch)
    return np.argsort(keys, kind="stable").astype(np.int64)


class Session:
    """Runs a compiled model on one engine.

    Args:
        model: what `hebbite.compile` or `hebbite.load` returned. A checkpoint goes on where it
            stood, with the rounding and the seed that it was saved with.
        engine: ``native`` (fast, the default), ``reference`` (NumPy), ``lava``,
            ``lava-fused``.
        rounding: ``independent`` (a random number for every synapse, the default) or ``lava-exact``
            (Lava's one shared number, bit for bit).
        seed: replaces the program's seed.
        threads: over how many threads the native engine spreads samples that do not learn, where
            the program is proven to treat them independently; by default $HEBBITE_THREADS, else as
            many as there are processors. Their number changes neither bits nor counts.

    Raises:
        UsageError: HB0101 or HB0102 for an unknown engine or rounding, HB0115 for threads that
            are no number from 1 on, HB0116 for a rounding or a seed other than the checkpoint's.
        InputFileError: HB0717 if the state of a checkpoint is not one of its program.
        EngineError: HB06xx if the engine is missing or refuses the program.
    """

    def __init__(
        self,
        model: Compiled | Saved,
        *,
        engine: str = "native",
        rounding: str | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> None:
        saved = model if isinstance(model, Saved) else Saved(model)
        self.model = saved.compiled
        self.engine = engine
        self.threads = threads_of(threads)
        self.rounding, self.seed = _random_of(saved, rounding, seed)
        self._machine = load_engine(engine).open(
            self.model.program, rounding=self.rounding, seed=self.seed
        )
        self._began = self.model
        self._counters: Counters | None = None
        self._samples = 0
        self._episode = Episode()
        self._pace, self._answering = Pace(engine), Pace(_twin_engine(engine))
        if saved.state is not None:
            self.restore(saved.state)

    def __enter__(self) -> Session:
        """Use the session as a context that closes itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        self.close()

    @property
    def counters(self) -> Counters | None:
        """Counts of all that this session ran and changed, evaluations excepted; None before."""
        return self._counters

    def run(
        self,
        x: Samples,
        y: Labels | None = None,
        *,
        learn: bool = False,
        probes: Sequence[str] = (),
        tick: Tick | None = None,
    ) -> Recording:
        """Run samples x (samples, features...), with targets y if somebody teaches.

        ``tick`` is called about five times a second with how many samples are done.
        """
        coding = self.model.coding
        inputs = coding.inputs(x, y, first=self._samples)
        each = coding.shown(1, taught=y is not None)
        look = None if tick is None else lambda done: tick(done // each)
        found = self.run_events(
            inputs, samples=len(x) * each, learn=learn, probes=probes, tick=look
        )
        answers = np.asarray(coding.answers(found.answers, len(x)), np.int64)
        return replace(found, answers=answers)

    def step(
        self, x: Samples, y: int | Labels | None = None, *, learn: bool = False
    ) -> NDArray[np.int64]:
        """Run one sample x (features...) and return its answer, a number an output.

        ``y`` is its class, or real targets (outputs,) in [-1, 1]. The same bits as `run` gives for
        many samples at once. With an objective of rewards `reward` teaches what was decided here.
        """
        taught = None if y is None else np.asarray(y)[None]
        answers = np.asarray(self.run(np.asarray(x)[None], taught, learn=learn).answers[0])
        if self.model.objective.teaches == "reward":
            self._episode.see(np.asarray(x), answers)
        return np.asarray(answers, np.int64)

    def act(self, x: Samples) -> int:
        """Run one sample x (features...) and return an action: an output, the largest or a random
        one (`hebbite.rules.objectives.reward`). `reward` says what it brought.

        Raises:
            UsageError: HB0180 if the objective is none of rewards.
        """
        self._needs_rewards()
        self.step(x)
        return self._episode.decide(self.model.objective, seed=self.seed)

    def reward(self, value: float, *, action: int | None = None, done: bool = True) -> None:
        """Say what the last action brought, in [-1, 1], and learn at the end of the episode.

        ``action`` replaces the one that `act` chose, or says which one followed a `step`. An
        episodic task gives ``done=False`` until its end; then every sample of the episode is shown
        again and learns from what came after it. A bandit learns at once.

        Raises:
            UsageError: HB0180 if the objective is none of rewards, HB0181 for a reward without an
                action, or one that is no number in [-1, 1].
        """
        self._needs_rewards()
        self._episode.hear(value, action, outputs=self.model.coding.outputs)
        if done or self.model.objective.discount == 0:
            for x, output, error in self._episode.lessons(self.model):
                correct(self, self.model.coding.inputs(x[None]), output, error)

    def _needs_rewards(self) -> None:
        if self.model.objective.teaches != "reward":
            what = f"the objective {self.model.objective.name} knows no rewards"
            raise UsageError(Problem("HB0180", what, hint='objective="reward"'))

    def run_events(
        self,
        inputs: Mapping[str, IntArray],
        *,
        samples: int,
        learn: bool,
        probes: Sequence[str] = (),
        tick: Tick | None = None,
    ) -> Recording:
        """Run samples that are integers already: source -> (samples, events, size)."""
        parts: list[Recording] = []
        if samples:
            check_events(self.model.program, inputs, samples)
        for first, last in self._pace.pieces(samples) if samples else ((0, 0),):
            part = {name: given[first:last] for name, given in inputs.items()}
            parts.append(self._run_part(part, last - first, learn, probes))
            self._pace.took(last - first, parts[-1].wall_s)
            if tick is not None:
                tick(last)
        return joined(parts)

    def _run_part(
        self, inputs: Inputs, samples: int, learn: bool, probes: Sequence[str]
    ) -> Recording:
        """Run one piece, count it and its samples."""
        if learn or probes:
            found = self._machine.run(inputs, samples=samples, learn=learn, probes=probes)
        else:

            def given(first: int, last: int) -> Inputs:
                return {name: each[first:last] for name, each in inputs.items()}

            found = run_apart(self._machine, given, samples=samples, threads=self.threads)
        self._samples += samples
        counted = found.counters
        self._counters = counted if self._counters is None else self._counters + counted
        return found

    def fit(
        self,
        x: Samples,
        y: Labels | None = None,
        *,
        epochs: int,
        validation: tuple[Samples, Labels] | None = None,
        first_epoch: int = 0,
        first_sample: int = 0,
        progress: Callable[[int, float | None], None] | None = None,
        tick: Tick | None = None,
    ) -> Fit:
        """Learn online, one sample at a time, each epoch in a new order that the seed fixes.

        ``y`` holds classes or real targets; objectives that take their targets from the samples
        need none. Where the host judges the outputs (rewards, cross-entropy, pairs) every sample is
        run twice. ``first_epoch`` continues a run, ``first_sample`` in the midst of that epoch;
        ``progress`` is called after every epoch with its number and the validation accuracy.
        ``tick`` is called about five times a second with how many samples of the epoch were
        learnt; what it raises leaves the session as it stands then, to be saved or gone on with.

        Raises:
            UsageError: HB0108 for no epochs, no samples, or no targets where they are needed;
                HB0122 for a ``first_sample`` that the epoch does not have.
        """
        y = self._targets(x, y)
        x = x[: len(y)]
        if epochs < 1 or not len(y):
            raise UsageError(Problem("HB0108", "nothing to learn from: no epochs or no samples"))
        _check_first(first_sample, len(y), pairs=self.model.objective.teaches == "pairs")
        wall, scores = 0.0, []
        total = counted_nothing(self.model.program)
        for epoch in range(first_epoch, first_epoch + epochs):
            order = sample_order(len(x), seed=self.seed, epoch=epoch)
            done = first_sample if epoch == first_epoch else 0
            while done < len(order):
                part = order[done : done + self._pace.chunk(len(order) - done)]
                for recording in self._taught(x[part], y[part], epoch * len(order) + done):
                    total += recording.counters
                    wall += recording.wall_s
                done += len(part)
                if tick is not None:
                    tick(done)
            score = self.evaluate(*validation) if validation is not None else None
            scores += [] if score is None else [score]
            if progress is not None:
                progress(epoch + 1, score)
        return Fit(epochs * len(y) - first_sample, total, wall, tuple(scores))

    def _taught(self, x: Samples, y: Labels, number: int) -> Iterator[Recording]:
        """Learn from samples in order; ``number`` of the first one within the training."""
        if self.model.objective.judged_by_host:
            yield from judged(self, x, y, number)
        else:
            yield self.run(x, y, learn=True)

    def _targets(self, x: Samples, y: Labels | None) -> Labels:
        own = targets_of(self.model, x)
        if own is not None:
            return own
        if y is None:
            what = f"the objective {self.model.objective.name} needs targets y"
            raise UsageError(Problem("HB0108", what))
        return y

    def loss(self, x: Samples, y: Labels | None = None) -> float:
        """Return F, the mean of the objective over samples, in squared payload units.

        Neither weights nor random streams move. ``y`` as in `fit`; hidden terms are left out, and
        of pairs the samples 0 and 1, 2 and 3 ... are compared.

        Raises:
            UsageError: HB0183 if every layer follows an objective of its own.
        """
        if self.model.coding.kind == "labelled":
            what = f"under '{self.model.rule.name}' no output is compared with a target"
            raise UsageError(Problem("HB0183", what, hint="evaluate gives the accuracy"))
        y = self._targets(x, y)
        return loss_of(self.model, self.answers(x[: len(y)]), y)

    def predict(self, x: Samples, *, tick: Tick | None = None) -> NDArray[np.int64]:
        """Return the class of every sample, from a copy of the network that does not learn.

        ``tick`` is called about five times a second with how many samples are done.
        """
        return np.asarray(np.argmax(self.answers(x, tick=tick), axis=1), np.int64)

    def answers(self, x: Samples, *, tick: Tick | None = None) -> NDArray[np.int64]:
        """Return the read-out register after every sample, (samples, outputs), as `predict` does.

        For graded networks that is v of the output neurons before their shift.
        """
        machine = load_engine(_twin_engine(self.engine)).open(
            self.snapshot().program, rounding=self.rounding, seed=self.seed
        )
        pace, coding = self._answering, self.model.coding
        return answers_of(machine, coding, x, threads=self.threads, pace=pace, tick=tick)

    def evaluate(self, x: Samples, y: Labels, *, tick: Tick | None = None) -> float:
        """Return the accuracy on labelled samples. Neither weights nor random streams move."""
        return float(np.mean(self.predict(x, tick=tick) == y))

    def snapshot(self) -> Compiled:
        """Return the model with the weights as they stand."""
        program = self.model.program
        word = np.int16 if program.widths.weight < 16 else np.int32
        tensors: dict[str, IntArray] = {
            group.weight: self.read(group.weight).astype(word) for group in program.synapses
        }
        return self.model.with_tensors(tensors)

    def read(self, tensor: str) -> NDArray[np.int64]:
        """Return a weight tensor, in the program's shape."""
        return self._machine.read(self._known(tensor))

    def write(self, tensor: str, value: IntArray) -> None:
        """Replace a weight tensor by integers of the same shape within the chip's word."""
        name = self._known(tensor)
        widths, shape = self.model.program.widths, self.model.program.tensors[name].shape
        sound = value.dtype.kind in "iu" and value.shape == shape
        low, high = widths.weight_low, widths.weight_high
        if not sound or (value.size and not low <= value.min() <= value.max() <= high):
            what = f"@{name} takes integers {shape} in {low}..{high}"
            raise UsageError(Problem("HB0104", what))
        self._machine.write(name, value)

    def _known(self, tensor: str) -> str:
        names = [group.weight for group in self.model.program.synapses]
        if tensor not in names:
            raise UsageError(
                Problem("HB0105", f"no weight tensor '{tensor}'", hint=near(tensor, names))
            )
        return tensor

    def change_rule(self, rule: str | LearningRule) -> None:
        """Go on learning by a rule with other constants, from the next sample on.

        Mantissas, exponents and added constants may differ; gates, variables and their order,
        traces, feedback and what learns may not. Weights, traces and random streams go on as they
        stand; `snapshot` and `save` carry the changed rule. A rate that halves every third epoch::

            for epoch in range(9):
                session.change_rule(f"dfa(rate={-4 - epoch // 3})")
                session.fit(x, y, epochs=1, first_epoch=epoch)

        On a chip the host writes the words of the microcode that differ: `counters` counts one host
        word for every product that changed, in every group of synapses.

        Raises:
            UsageError: HB04xx if there is no such rule, HB0142 with what differs beyond constants.
            VerifyError: HB04xx if the new constants break the law of programs.
        """
        change = with_rule(self.model, parse_rule(rule) if isinstance(rule, str) else rule)
        self._machine.relearn(change.model.program)
        self.model = change.model
        words = rewritten(self.model.program, change.products)
        self._counters = words if self._counters is None else self._counters + words

    def state(self) -> dict[str, NDArray[np.int64]]:
        """Return everything that the next sample depends on."""
        samples = np.array([self._samples], np.int64)
        return {**self._machine.state(), "session.samples": samples}

    def restore(self, state: Mapping[str, NDArray[np.int64]]) -> None:
        """Continue from a state of the same model, rounding and seed (HB0717)."""
        if self.engine != "lava":
            check_state(self.model.program, state, self.state())
        self._samples = int(state["session.samples"][0])
        self._machine.restore(state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model with the weights as they stand, and the state, to a ``.hbt`` file.

        ``Session(hebbite.load(path))`` goes on from there with the same bits; every command takes
        the file as the model that was learnt.

        Raises:
            InputFileError: HB0701 if the file cannot be written.
            UsageError: HB0714 on Lava, whose random state cannot be read.
        """
        now, began = self.snapshot(), self._began.sha256
        training = Training("", self.seed, 0, 0, self.engine, self.rounding, self.seed, began)
        save_compiled(path, now, training=training, state=self.state())

    def close(self) -> None:
        """Give back what the engine holds."""
        self._machine.close()


def _random_of(saved: Saved, rounding: str | None, seed: int | None) -> tuple[Rounding, int]:
    """Return rounding and seed of a session: as given, else as saved, else the defaults."""
    kept = saved.training if saved.state is not None else None
    if kept is None:
        chosen = saved.compiled.program.seed if seed is None else seed
        return rounding_of(rounding or "independent"), chosen
    for name, given, theirs in (("rounding", rounding, kept.rounding), ("seed", seed, kept.seed)):
        if given is not None and given != theirs:
            what = f"the checkpoint has {name} {theirs}, so it cannot go on with {given}"
            raise UsageError(Problem("HB0116", what, hint=f"leave {name} out"))
    return rounding_of(kept.rounding), kept.seed


def rounding_of(name: str) -> Rounding:
    """Return a rounding mode by name (HB0102)."""
    for rounding in ROUNDINGS:
        if rounding == name:
            return rounding
    raise UsageError(Problem("HB0102", f"unknown rounding '{name}'", hint=near(name, ROUNDINGS)))


def _twin_engine(engine: str) -> str:
    """Evaluation runs beside a Lava session on the native engine: the same bits, no second Lava."""
    return "native" if engine in ON_LAVA else engine


def _check_first(first: int, samples: int, *, pairs: bool) -> None:
    """Refuse to go on from a sample that an epoch does not have, or within a pair (HB0122)."""
    if not 0 <= first <= samples or (pairs and first % 2):
        what = f"an epoch of {samples} samples cannot go on from sample {first}"
        raise UsageError(Problem("HB0122", what, hint="first_sample=0"))
