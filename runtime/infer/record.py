"""Making a recording: the first steps of a training, with the weights looked at in between.

The same model, engine, rounding and seed give the same bits however a run is cut into calls, so a
recording is a second, short run from the same start, and the training that it is a part of does not
know of it. It holds what that training does to its weights, bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.coding import Samples
from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Saved, Training
from hebbite.compiler.program.types import IntArray
from hebbite.rules.errors import EngineError, Problem, UsageError
from hebbite.runtime.infer.file import check_size
from hebbite.runtime.infer.recording import Labels, LearningRecording
from hebbite.runtime.session import Session, sample_order


def record_learning(
    model: Compiled | Saved,
    x: Samples,
    y: Labels,
    *,
    steps: int,
    every: int,
    engine: str = "native",
    rounding: str | None = None,
    seed: int | None = None,
    training: Training | None = None,
) -> LearningRecording:
    """Return what the first ``steps`` steps, of ``every`` samples each, did to the weights.

    x (samples, features...) and y are shown as `Session.fit` shows them, again and again in a new
    order; a checkpoint goes on where it stood. ``training`` says what the recording is a part of.

    Raises:
        UsageError: HB0480 if there is nothing to record.
        EngineError: HB0481 on Lava, which learns in one run.
        InputFileError: HB0236 if the recording would be too large.
    """
    compiled = model.compiled if isinstance(model, Saved) else model
    check_request(compiled, steps, every, engine)
    with Session(model, engine=engine, rounding=rounding, seed=seed) as session:
        order = _order(len(x), steps * every, seed=session.seed, done=_samples_done(model, len(x)))
        seen = [_weights(session)]
        for part in order.reshape(steps, every):
            session.run(x[part], y[part], learn=True)
            seen.append(_weights(session))
        kept = training or Training(
            "", session.seed, 0, 0, engine, session.rounding, session.seed, compiled.sha256
        )
    groups = [group.name for group in compiled.program.synapses]
    flat = np.asarray(x, np.float64).reshape(len(x), -1)[order]
    return LearningRecording(
        model=compiled,
        training=kept,
        x=flat.reshape(steps, every, -1),
        y=y[order].reshape(steps, every, *y.shape[1:]),
        weights={name: np.stack([weights[name] for weights in seen]) for name in groups},
    )


def check_request(
    compiled: Compiled, steps: int, every: int, engine: str, *, available: int | None = None
) -> None:
    """Refuse what cannot be recorded (HB0480, HB0481, HB0236).

    ``available``: samples that the training shows in all; None for no end.
    """
    if engine == "lava":
        what = "a recording looks at the weights between runs, and Lava learns in one run"
        raise EngineError(Problem("HB0481", what, hint="--engine native"))
    if steps < 1 or every < 1:
        what = f"{steps} steps of {every} samples: there is nothing to record"
        hint = "--record-steps 64 --record-every 16"
        raise UsageError(Problem("HB0480", what, hint=hint))
    if available is not None and steps * every > available:
        what = f"{steps} steps of {every} samples are more than the {available} of the training"
        hint = f"--record-steps {max(1, available // every)} --record-every {min(every, available)}"
        raise UsageError(Problem("HB0480", what, hint=hint))
    check_size(_bytes_of(compiled, steps, every))


def _bytes_of(compiled: Compiled, steps: int, every: int) -> int:
    program = compiled.program
    word = 2 if program.widths.weight < 16 else 4
    weights = sum(program.tensors[group.weight].size for group in program.synapses)
    features = program.source(compiled.coding.source).size
    return (steps + 1) * weights * word + steps * every * (features + 1) * 8


def _samples_done(model: Compiled | Saved, count: int) -> int:
    """Return how many samples a checkpoint has seen, in epochs of ``count``."""
    kept = model.training if isinstance(model, Saved) and model.state is not None else None
    return kept.epochs * count + kept.shown if kept is not None else 0


def _order(count: int, wanted: int, *, seed: int, done: int) -> NDArray[np.int64]:
    """Return the next ``wanted`` of the samples that epochs show, ``done`` are done, in order."""
    if not count:
        raise UsageError(Problem("HB0480", "there are no samples to learn from"))
    first, within = divmod(done, count)
    epochs = range(first, first + -(-(within + wanted) // count))
    order = [sample_order(count, seed=seed, epoch=epoch) for epoch in epochs]
    return np.concatenate(order)[within : within + wanted]


def _weights(session: Session) -> dict[str, IntArray]:
    program = session.model.program
    word = np.int16 if program.widths.weight < 16 else np.int32
    return {group.name: session.read(group.weight).astype(word) for group in program.synapses}
