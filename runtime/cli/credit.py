"""``hebbite credit``: how every rule's update relates to the exact gradient, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hebbite.rules.errors import Problem, UsageError
from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import print_json, print_table, progress, write_file

Rules = Annotated[str, typer.Option(help="rules, a,b(option=value),c")]
Seeds = Annotated[str, typer.Option(help="seeds, 0..4 or 0,1,2")]
At = Annotated[
    str,
    typer.Option(help="measure after these epochs, 0,1,8 [default: 0, 1, 2, 4 ... and the last]"),
]
Samples = Annotated[int, typer.Option(help="training samples that gradients are taken over", min=2)]
Draws = Annotated[int, typer.Option(help="runs of a sample, for neurons that draw noise", min=2)]
Plots = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option(help="a folder for the plots, .svg", show_default=False),
]


def credit(
    model: options.Model,
    rules: Rules = "backprop,dfa,fa,frozen",
    objective: options.Goal = "classification",
    data: options.Data = "digits",
    epochs: options.Epochs = 8,
    at: At = "",
    samples: Samples = 256,
    draws: Draws = 8,
    seeds: Seeds = "0",
    train_samples: options.TrainSamples = 0,
    target: options.Target = "loihi2",
    neuron: options.Neuron = "graded",
    encode: options.Encode = "none",
    init: options.Init = "keep",
    engine: options.Engine = "native",
    rounding: options.Rounding = "independent",
    recurrent: options.Recurrent = False,
    further: options.Set = [],  # noqa: B006 - typer copies it
    plots: Plots = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure angle, bias, variance and credit shares of rules against the exact gradient."""
    from hebbite.runtime.credit.credit import CreditPlan
    from hebbite.runtime.credit.credit import credit as credit_report
    from hebbite.runtime.session import rounding_of

    if plots is not None:
        _check_plots(plots)
    plan = CreditPlan(
        rules=tuple(requests.rule_typed(text) for text in requests.listed(rules)),
        objective=objective,
        data=data,
        epochs=epochs,
        at=requests.seeds_of(at) if at else (),
        samples=samples,
        draws=draws,
        seeds=requests.seeds_of(seeds),
        train_samples=train_samples,
        engine=engine,
        rounding=rounding_of(rounding),
        settings=requests.settings_of(
            target=target,
            neuron=neuron,
            encode=encode,
            init=init,
            seed=0,
            recurrent=recurrent,
            further=further,
        ),
    )
    found = credit_report(model, plan, progress=progress)
    written = []
    if plots is not None:
        from hebbite.runtime.report.credit_plots import plots_of

        for name, svg in plots_of(found).items():
            write_file(plots / name, svg)
            written.append(str(plots / name))
    if as_json:
        print_json({**found.to_json(), **({"plots": written} if written else {})})
        return
    from hebbite.runtime.report import credit_table

    print_table("", credit_table.LAYER_COLUMNS, credit_table.layer_rows(found))
    print_table("", credit_table.STEP_COLUMNS, credit_table.step_rows(found))
    for line in (*credit_table.notes(found), *(f"wrote {path}" for path in written)):
        typer.echo(line)


def _check_plots(folder: Path) -> None:
    """Refuse before anything is trained what could not be drawn or written (HB0162, HB0163)."""
    from hebbite.runtime.report.credit_plots import need_matplotlib

    need_matplotlib()
    if not folder.is_dir():
        what = "the folder of the plots does not exist"
        raise UsageError(Problem("HB0163", what, at=str(folder), hint=f"mkdir -p {folder}"))
