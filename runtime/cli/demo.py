"""``hebbite demo``: the main job in one command, on data in the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.compare import print_comparison
from hebbite.runtime.cli.output import print_json, progress, write_file
from hebbite.runtime.cli.verify import text_of

Page = Annotated[Path, typer.Option("--report", help="the page to write")]
Seeds = Annotated[str, typer.Option(help="seeds, 0..4 or 0,1,2")]
Engines = Annotated[str, typer.Option(help="engines that replay a slice, a,b,c")]


def demo(
    report: Page = Path("hebbite-demo.html"),
    epochs: options.Epochs = 10,
    seeds: Seeds = "0..4",
    train_samples: options.TrainSamples = 0,
    engine: options.Engine = "native",
    engines: Engines = "reference,native,lava",
    jobs: options.Jobs = 1,
    hardware: options.Hardware = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train the digits network by four rules, show that Lava gives the same bits, write a page."""
    from hebbite.runtime.demo import SHOWN, run_demo
    from hebbite.runtime.report import render

    requests.refuse_to_overwrite(report)
    found = run_demo(
        epochs=epochs,
        seeds=requests.seeds_of(seeds),
        engine=engine,
        train_samples=train_samples,
        engines=requests.listed(engines),
        jobs=jobs,
        progress=progress,
    )
    page = render(found.comparison, verification=found.verification, missing=found.missing)
    write_file(report, page.encode())
    if as_json:
        print_json({**found.to_json(), "report": str(report)})
    else:
        print_comparison(found.comparison)
        typer.echo(
            f"\nthe {SHOWN} program of seed {found.verification.seed} on the first samples of its "
            "training, replayed with the rounding that stock Lava has:"
        )
        typer.echo(text_of(found.verification))
        if found.missing:
            typer.echo(found.missing)
        typer.echo(f"wrote {report}")
    raise typer.Exit(0 if found.verification.equal and found.verification.conclusive else 1)
