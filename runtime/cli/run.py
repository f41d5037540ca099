"""``hebbite run``: feed samples to a compiled model, and keep answers and probed values."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from hebbite.rules.errors import InputFileError, Problem, UsageError, near
from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, write_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hebbite.compiler.hbt import Saved
    from hebbite.runtime.recording import Recording

Input = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option("--input", help="an .npz with x of (samples, features...) [default: the slice]"),
]
Steps = Annotated[int, typer.Option(help="steps to run, rounded up to samples; 0 takes all", min=0)]
Probe = Annotated[list[str], typer.Option(help="component.register to record; repeat it")]


def run(
    file: options.File,
    input_file: Input = None,
    steps: Steps = 0,
    probe: Probe = [],  # noqa: B006 - typer copies it
    output: options.Output = None,
    engine: options.Engine = "native",
    rounding: options.Rounding = "independent",
    seed: options.AnySeed = None,
    hardware: options.Hardware = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run a compiled model without learning."""
    from hebbite.runtime.session import Session

    saved = requests.open_saved(file)
    if output is not None:
        requests.refuse_to_overwrite(output, file, *([input_file] if input_file else []))
    _check_probes(saved, probe)
    given, samples = _inputs(saved, input_file, steps)
    with Session(saved.compiled, engine=engine, rounding=rounding, seed=seed) as session:
        recording = session.run_events(given, samples=samples, learn=False, probes=probe)
    if output is not None:
        _write_npz(output, recording)
    if as_json:
        print_json(_document(saved, recording))
        return
    typer.echo(f"{recording.samples} samples, {recording.steps} steps on {engine}")
    typer.echo(f"classes {' '.join(map(str, recording.answers.argmax(axis=1)[:40]))}")


def _document(saved: Saved, recording: Recording) -> dict[str, object]:
    return {
        "engine": recording.engine,
        "rounding": recording.rounding,
        "seed": recording.seed,
        "counters": recording.counters.to_json(),
        "wall_s": recording.wall_s,
        "steps": recording.steps,
        "samples": recording.samples,
        "program_sha256": saved.compiled.sha256,
        "probes": {name: list(values.shape) for name, values in recording.values.items()},
    }


def _check_probes(saved: Saved, probes: list[str]) -> None:
    from hebbite.runtime.recording import all_probes

    known = all_probes(saved.compiled.program)
    for name in probes:
        if name not in known:
            raise UsageError(Problem("HB0158", f"no probe '{name}'", hint=near(name, known)))


def _inputs(
    saved: Saved, input_file: Path | None, steps: int
) -> tuple[Mapping[str, NDArray[np.int64]], int]:
    """Return integer inputs for whole samples, and their number; nobody teaches."""
    from hebbite.runtime.slices import samples_for

    coding = saved.compiled.coding
    if input_file is None:
        if coding.source not in saved.slice_inputs:
            what = "the file holds no slice of data"
            raise UsageError(Problem("HB0159", what, hint="--input x.npz"))
        values = saved.slice_inputs[coding.source]
    else:
        given = coding.inputs(_real_inputs(saved, input_file))
        values = given[coding.source].astype("int64")
    samples = samples_for(saved.compiled, steps) if steps else len(values)
    if not 0 < samples <= len(values):
        what = f"{len(values)} samples are there, {steps} steps take {samples}"
        raise UsageError(Problem("HB0106", what, hint="ask for fewer steps"))
    return {coding.source: values[:samples]}, samples


def _real_inputs(saved: Saved, path: Path) -> NDArray[np.float64]:
    import numpy as np

    from hebbite.runtime.datasets import read_npz

    x = read_npz(path, ("x",))["x"]
    source = saved.compiled.program.source(saved.compiled.coding.source)
    if x.ndim < 2 or not len(x) or x[0].size != source.size:
        what = f"x has the shape {x.shape}, wanted (samples, {source.size})"
        raise InputFileError(Problem("HB0214", what, at=str(path)))
    real = x.astype(np.float64)
    if not np.isfinite(real).all():
        raise InputFileError(Problem("HB0215", "x holds NaN or infinity", at=str(path)))
    return real


def _write_npz(path: Path, recording: Recording) -> None:
    import numpy as np

    classes = recording.answers.argmax(axis=1)
    buffer = io.BytesIO()
    arrays = {"answers": recording.answers, "classes": classes, **recording.values}
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_file(path, buffer.getvalue())
