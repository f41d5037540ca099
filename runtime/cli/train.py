"""``hebbite train``: a compiled model learns from data, and is saved with what it learnt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from hebbite.rules.errors import InputFileError, Problem, UsageError
from hebbite.runtime.cli import options, recording, requests
from hebbite.runtime.cli.output import print_json, progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hebbite.compiler.hbt import Saved, Training
    from hebbite.runtime.training import Keep, Trained

Checkpoints = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option("--checkpoint-dir", help="keep the state after every epoch here"),
]
Resume = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="go on from a checkpoint, or from the last one of a folder"),
]


def train(
    file: options.File,
    output: options.Output = None,
    data: options.Data = "digits",
    epochs: options.Epochs = 10,
    train_samples: options.TrainSamples = 0,
    engine: options.Engine = "native",
    rounding: options.Rounding = "independent",
    seed: options.AnySeed = None,
    checkpoint_dir: Checkpoints = None,
    resume: Resume = None,
    record: recording.Record = None,
    record_steps: recording.RecordSteps = 0,
    record_every: recording.RecordEvery = 0,
    scheduler: options.Scheduler = "",
    hardware: options.Hardware = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train a compiled model; FILE itself is left as it is."""
    from hebbite.runtime.session import rounding_of
    from hebbite.runtime.training import plan_of
    from hebbite.runtime.training import train as run_training

    if output is None:
        raise UsageError(Problem("HB0157", "nothing to write to", hint="-o TRAINED.hbt"))
    saved = requests.open_saved(file)
    start = requests.open_saved(_checkpoint(resume)) if resume is not None else None
    requests.refuse_to_overwrite(output, file)
    chosen = saved.compiled.program.seed if seed is None else seed
    dataset = requests.dataset_of(data, seed=chosen)
    requests.check_fit(saved.compiled, dataset)
    plan = plan_of(
        saved.compiled,
        dataset,
        epochs=epochs,
        engine=engine,
        rounding=rounding_of(rounding),
        seed=chosen,
        split_seed=chosen,
        train_samples=train_samples,
    )
    recorded = recording.wanted(record, record_steps, record_every)
    if recorded is not None:
        recording.check(recorded, start or saved, plan, file=file, output=output)
    trained = run_training(
        saved.compiled,
        dataset,
        plan,
        resume=start,
        keep=None if checkpoint_dir is None else _keep_in(checkpoint_dir, saved),
        progress=lambda epoch, score: progress(f"epoch {epoch}: validation {score:.4f}"),
    )
    if recorded is not None:
        recording.write(recorded, start or saved, dataset, plan)
    _save(output, saved, trained)
    _report(output, trained, recorded, saved.compiled.program.schedule.period, as_json)


def _checkpoint(path: Path) -> Path:
    """Return a checkpoint file: the path itself, or the last one of a folder (HB0713)."""
    if not os.path.isdir(path):
        return path
    found = sorted(path.glob("epoch-*.hbt"))
    if not found:
        raise InputFileError(Problem("HB0713", "the folder holds no checkpoint", at=str(path)))
    return found[-1]


def _keep_in(folder: Path, saved: Saved) -> Keep:
    """Return what writes a checkpoint of the training of ``saved`` after every epoch."""
    from hebbite.compiler.hbt import save_compiled

    def keep(done: Training, state: Mapping[str, NDArray[np.int64]]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot make the folder: {error.strerror or error}"
            raise InputFileError(Problem("HB0701", what, at=str(folder))) from error
        save_compiled(
            folder / f"epoch-{done.epochs:05}.hbt",
            saved.compiled,
            slice_inputs=saved.slice_inputs,
            golden=saved.golden,
            training=done,
            state=state,
        )

    return keep


def _save(output: Path, saved: Saved, trained: Trained) -> None:
    from hebbite.compiler.hbt import save_compiled
    from hebbite.runtime.slices import golden_of

    inputs = saved.slice_inputs
    golden = golden_of(trained.model, inputs) if inputs else None
    save_compiled(output, trained.model, slice_inputs=inputs, golden=golden, training=trained.plan)


def _report(
    output: Path, trained: Trained, recorded: recording.Wanted | None, period: int, as_json: bool
) -> None:
    plan = trained.plan
    if as_json:
        print_json(
            {
                "engine": plan.engine,
                "rounding": plan.rounding,
                "seed": plan.seed,
                "accuracy": trained.after,
                "accuracy_before": trained.before,
                "validation": list(plan.validation),
                "data": plan.data,
                "split_seed": plan.split_seed,
                "epochs": plan.epochs,
                "program_sha256": plan.trained_sha256,
                "saved_program_sha256": trained.model.sha256,
                "file": str(output),
                "recording": None if recorded is None else recorded.to_json(),
                "counters": trained.counters.to_json(),
                "wall_s": trained.wall_s,
                "steps": trained.samples * period,
                "samples": trained.samples,
            }
        )
        return
    typer.echo(f"accuracy before   {trained.before:.4f}  ({plan.data}, test part)")
    for epoch, score in enumerate(plan.validation, start=1):
        typer.echo(f"epoch {epoch:<4} validation {score:.4f}")
    typer.echo(f"accuracy after    {trained.after:.4f}  ({plan.data}, test part)")
    typer.echo(
        f"engine {plan.engine}, rounding {plan.rounding}, seed {plan.seed}, "
        f"{trained.samples} samples in {trained.wall_s:.2f} s"
    )
    if recorded is not None:
        typer.echo(f"recorded {recorded.steps} steps of {recorded.every} samples: {recorded.path}")
    typer.echo(f"program_sha256 {plan.trained_sha256}  (what was trained: FILE)")
    typer.echo(f"program_sha256 {trained.model.sha256}  (what was learnt: {output})")
