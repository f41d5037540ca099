"""``hebbite verify``: the slice of training that a file holds, on several engines, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hebbite.compiler.hbt import Saved
    from hebbite.runtime.verify import Verification

Engines = Annotated[str, typer.Option(help="engines to compare with the first, a,b,c")]
Steps = Annotated[int, typer.Option(help="steps to compare, rounded up to samples", min=1)]


def verify(
    file: options.File,
    engines: Engines = "reference,native,lava",
    steps: Steps = 500,
    rounding: options.Rounding = "lava-exact",
    data: options.Data = "",
    hardware: options.Hardware = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare engines on a slice of training. Exit 1 if they differ or too little happened."""
    from hebbite.runtime.session import rounding_of
    from hebbite.runtime.slices import golden_holds
    from hebbite.runtime.verify import verify as compare_engines

    saved = requests.open_saved(file)
    found = compare_engines(
        saved.compiled.program,
        _inputs(saved, data, steps),
        engines=requests.listed(engines),
        steps=steps,
        rounding=rounding_of(rounding),
    )
    golden = golden_holds(saved)
    if as_json:
        print_json({**found.to_json(), "golden": golden})
    else:
        typer.echo(text_of(found))
        if not golden:
            typer.echo("the reference engine does not give the answers stored in the file")
    raise typer.Exit(0 if found.equal and found.conclusive and golden else 1)


def _inputs(saved: Saved, data: str, steps: int) -> Mapping[str, NDArray[np.int64]]:
    from hebbite.runtime.slices import slice_of

    if data:
        dataset = requests.dataset_of(data, seed=saved.compiled.program.seed)
        requests.check_fit(saved.compiled, dataset)
        x = dataset.x_train.astype("float64")
        return slice_of(saved.compiled, x, dataset.y_train, steps=steps)
    if not saved.slice_inputs:
        what = "the file holds no slice of data"
        raise UsageError(Problem("HB0159", what, hint="--data digits"))
    return saved.slice_inputs


def text_of(found: Verification) -> str:
    """Return the outcome for a reader."""
    engines = ", ".join(found.engines)
    compared = ", ".join(f"{count} {name}" for name, count in found.compared.items())
    outcome = "equal, bit for bit" if found.equal else "DIFFERENT"
    lines = [
        f"{outcome}: {engines} over {found.steps} steps, {found.rounding}, seed {found.seed}",
        f"program_sha256 {found.program_sha256}",
        f"compared: {compared}",
        f"weights changed: {100 * found.activity.weights_changed_fraction:.1f} %, "
        f"signs {list(found.activity.signs)}",
    ]
    where = found.first_divergence
    if where is not None:
        lines.append(
            f"first difference: step {where.step}, {where.component}.{where.register} "
            f"{list(where.index)}: {where.engine} {where.value}, {where.against} {where.expected}"
        )
    elif not found.conclusive:
        silent = ", ".join(found.activity.silent_populations)
        why = f"silent: {silent}" if silent else "too few weights changed, or in one direction only"
        lines.append(f"not conclusive: {why}")
    return "\n".join(lines)
