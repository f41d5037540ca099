"""``hebbite train``: a compiled model learns from data, and is saved with what it learnt."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from hebbite.rules.errors import InputFileError, Problem, UsageError
from hebbite.runtime.cli import options, recording, requests
from hebbite.runtime.cli.output import print_json, say
from hebbite.runtime.cli.waiting import STOPPED, Bar, stop_on_interrupt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hebbite.compiler.hbt import Saved, Training
    from hebbite.runtime.datasets import Dataset
    from hebbite.runtime.training import Keep, Trained, TrainingStoppedError

Checkpoints = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option("--checkpoint-dir", help="keep the state after every epoch here"),
]
Resume = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="go on from a checkpoint, or from the last one of a folder"),
]


def train(
    ctx: typer.Context,
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
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train a compiled model; FILE itself is left as it is. Ctrl-C keeps what was learnt so far."""
    from hebbite.runtime.session import rounding_of
    from hebbite.runtime.training import TrainingStoppedError, plan_of

    if output is None:
        raise UsageError(Problem("HB0157", "nothing to write to", hint="-o TRAINED.hbt"))
    saved = requests.open_saved(file)
    start = requests.open_saved(_checkpoint(resume)) if resume is not None else None
    stopped = _stopped_file(output)
    requests.refuse_to_overwrite(output, file)
    requests.refuse_to_overwrite(stopped, file)
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
    keep = None if checkpoint_dir is None else _keep_in(checkpoint_dir, saved)
    try:
        trained = _trained(saved, dataset, plan, start, keep, quiet=quiet)
    except TrainingStoppedError as error:
        _keep_stopped(stopped, saved, error, ctx.obj, as_json=as_json)
        raise typer.Exit(STOPPED) from error
    if recorded is not None:
        recording.write(recorded, start or saved, dataset, plan)
    _save(output, saved, trained)
    _report(output, trained, recorded, saved.compiled.program.schedule.period, as_json)


def _trained(
    saved: Saved,
    dataset: Dataset,
    plan: Training,
    start: Saved | None,
    keep: Keep | None,
    *,
    quiet: bool,
) -> Trained:
    """Train, with a bar, until the end or until Ctrl-C."""
    from hebbite.runtime.engines.registry import ON_LAVA
    from hebbite.runtime.training import StopRequestedError
    from hebbite.runtime.training import train as run_training

    with (
        stop_on_interrupt(heard=plan.engine not in ON_LAVA) as asked,
        Bar(plan.epochs * plan.samples, "training", quiet=quiet) as bar,
    ):

        def look(samples: int) -> None:
            if asked():
                raise StopRequestedError
            bar.reach(samples)

        return run_training(
            saved.compiled,
            dataset,
            plan,
            resume=start,
            keep=keep,
            progress=lambda epoch, score: bar.say(f"epoch {epoch}: validation {score:.4f}"),
            tick=look,
        )


def _stopped_file(output: Path) -> Path:
    """Return where a training that Ctrl-C stops is kept: OUTPUT.stopped.hbt beside OUTPUT.hbt."""
    return output.with_name(f"{output.stem}.stopped.hbt")


def _keep_stopped(
    path: Path,
    saved: Saved,
    error: TrainingStoppedError,
    typed: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Write the checkpoint of a stopped training, and say how to go on."""
    from hebbite.compiler.hbt import save_compiled

    done = error.done
    save_compiled(
        path,
        saved.compiled,
        slice_inputs=saved.slice_inputs,
        golden=saved.golden,
        training=done,
        state=error.state,
    )
    say(f"stopped after {done.epochs} epochs and {done.shown} of {done.samples} samples")
    say(f"what was learnt so far is kept in {path}")
    say(f"to go on, with the same bits: {_resuming(typed, path)}")
    if as_json:
        known = {"epochs": done.epochs, "samples": done.shown, "checkpoint": str(path)}
        print_json({"stopped": known})


def _resuming(typed: Sequence[str], path: Path) -> str:
    """Return the command that was typed, going on from a checkpoint."""
    words, kept = iter(typed), []
    for word in words:
        if word == "--resume":
            next(words, "")
        elif not word.startswith("--resume="):
            kept.append(word)
    return shlex.join(["hebbite", *kept, "--resume", str(path)])


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
