"""``hebbite train --record``: what is recorded, refused before any work or written after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.cli import requests

if TYPE_CHECKING:
    from hebbite.compiler.hbt import Saved, Training
    from hebbite.runtime.datasets import Dataset

STEPS, EVERY = 64, 4
Record = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option(help="write samples and weights of the first steps, .npz", show_default=False),
]
RecordSteps = Annotated[
    int, typer.Option(help=f"steps to record [default: {STEPS}]", show_default=False)
]
RecordEvery = Annotated[
    int, typer.Option(help=f"samples a step [default: {EVERY}]", show_default=False)
]


@dataclass(frozen=True)
class Wanted:
    """A recording that was asked for: file, steps, samples a step."""

    path: Path
    steps: int
    every: int

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"file": str(self.path), "steps": self.steps, "samples_a_step": self.every}


def wanted(path: Path | None, steps: int, every: int) -> Wanted | None:
    """Return what is to be recorded, or None; 0 takes the default (HB0484 without a file)."""
    if path is not None:
        return Wanted(path, steps or STEPS, every or EVERY)
    if steps or every:
        what = "there is no recording that could have steps"
        raise UsageError(Problem("HB0484", what, hint="--record REC.npz"))
    return None


def check(asked: Wanted, start: Saved, plan: Training, *, file: Path, output: Path) -> None:
    """Refuse a recording that cannot be made or would overwrite something (HB0156, HB0480...)."""
    from hebbite.runtime.infer.record import check_request

    requests.refuse_to_overwrite(asked.path, file)
    if requests.same_file(asked.path, output):
        what = "the recording and the trained model would be one file"
        raise UsageError(Problem("HB0484", what, at=str(output), hint="--record REC.npz"))
    kept = start.training if start.state is not None else None
    done = kept.epochs * plan.samples + kept.shown if kept is not None else 0
    available = plan.samples * plan.epochs - done
    check_request(start.compiled, asked.steps, asked.every, plan.engine, available=available)


def write(asked: Wanted, start: Saved, dataset: Dataset, plan: Training) -> None:
    """Record the first steps of a training, and write them."""
    from hebbite.runtime.infer.file import write_recording
    from hebbite.runtime.infer.record import record_learning

    recording = record_learning(
        start if start.state is not None else start.compiled,
        dataset.x_train[: plan.samples].astype("float64"),
        dataset.y_train[: plan.samples],
        steps=asked.steps,
        every=asked.every,
        engine=plan.engine,
        rounding=plan.rounding,
        seed=plan.seed,
        training=plan,
    )
    write_recording(asked.path, recording)
