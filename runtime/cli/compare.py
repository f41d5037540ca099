"""``hebbite compare``: one model, several rules, the same data and seeds; gains and costs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from hebbite.runtime.cli import options, requests
from hebbite.runtime.cli.output import STOPPED, print_json, print_table, say, write_file
from hebbite.runtime.cli.waiting import Bar

if TYPE_CHECKING:
    from hebbite.runtime.compare import Comparison
    from hebbite.runtime.jobs import JobStore

Rules = Annotated[str, typer.Option(help="rules, a,b(option=value),c")]
Goals = Annotated[str, typer.Option("--objectives", "--objective", help="objectives, a,b")]
Targets = Annotated[str, typer.Option("--targets", "--target", help="chips, a,b")]
Seeds = Annotated[str, typer.Option(help="seeds, 0..4 or 0,1,2")]
Report = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option(help="write a page, .html", show_default=False),
]
Store = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        help="finished jobs, which are not done again [default: hebbite-jobs.sqlite in the cache]",
        show_default=False,
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="do all jobs, finished or not")]
ToAccuracy = Annotated[
    float, typer.Option(help="validation accuracy in (0, 1] whose joules are shown")
]
Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate",
        help="first choose rate and gain of rules given without options, for every seed on its own "
        "validation samples",
    ),
]
Sensitivity = Annotated[
    bool, typer.Option("--sensitivity", help="also train at half and at twice every rule's rate")
]


def compare(
    model: options.Model,
    rules: Rules = "dfa,fa,backprop,frozen",
    objectives: Goals = "classification",
    targets: Targets = "loihi2",
    neuron: options.Neuron = "graded",
    encode: options.Encode = "none",
    init: options.Init = "keep",
    seeds: Seeds = "0..4",
    data: options.Data = "digits",
    epochs: options.Epochs = 10,
    train_samples: options.TrainSamples = 0,
    engine: options.Engine = "native",
    rounding: options.Rounding = "independent",
    recurrent: options.Recurrent = False,
    further: options.Set = [],  # noqa: B006 - typer copies it
    chips: options.Chips = 1,
    profile: options.Profile = "",
    watts: options.Watts = None,
    jobs: options.Jobs = 1,
    report: Report = None,
    store: Store = None,
    fresh: Fresh = False,
    to_accuracy: ToAccuracy = 0.9,
    calibrate: Calibrate = False,
    sensitivity: Sensitivity = False,
    bias: options.Bias = "",
    biases: options.Biases = "",
    scheduler: options.Scheduler = "",
    hardware: options.Hardware = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare rules on a model: accuracy, updates, energy, credit, locality, footprint."""
    from hebbite.runtime.compare import Plan
    from hebbite.runtime.compare import compare as compare_rules
    from hebbite.runtime.session import rounding_of

    chosen = requests.listed(targets)
    if report is not None:
        requests.refuse_to_overwrite(report, model, *([store] if store else []))
    plan = Plan(
        rules=tuple(requests.rule_typed(text) for text in requests.listed(rules)),
        objectives=requests.listed(objectives),
        targets=chosen,
        seeds=requests.seeds_of(seeds),
        data=data,
        epochs=epochs,
        train_samples=train_samples,
        engine=engine,
        rounding=rounding_of(rounding),
        settings=requests.settings_of(
            target=chosen[0] if chosen else "",
            neuron=neuron,
            encode=encode,
            init=init,
            seed=0,
            recurrent=recurrent,
            further=further,
        ),
        chips=chips,
        profiles=requests.listed(profile),
        board_watts=watts,
        to_accuracy=to_accuracy,
        calibrate=calibrate,
        sensitivity=sensitivity,
    )
    with _store(store, model) as finished, Bar(1, "jobs", quiet=quiet) as bar:
        try:
            found = compare_rules(
                model,
                plan,
                jobs=jobs,
                store=finished,
                fresh=fresh,
                progress=bar.say,
                note=say,
                count=lambda noun, done, total: bar.reach(done, noun, total),
            )
        except KeyboardInterrupt as error:
            _say_stopped(finished)
            raise typer.Exit(STOPPED) from error
    if report is not None:
        from hebbite.runtime.report import render

        write_file(report, render(found).encode())
    if as_json:
        print_json(found.to_json())
    else:
        print_comparison(found)


def _store(path: Path | None, model: Path) -> AbstractContextManager[JobStore | None]:
    """Return the store that was named, or else that of the user's cache folder, if it can be."""
    from hebbite.runtime.jobs import JobStore, default_store

    if path is None:
        return default_store(note=say) or nullcontext()
    requests.refuse_to_overwrite(path, model)
    return JobStore(path, note=say)


def _say_stopped(store: JobStore | None) -> None:
    if store is None:
        say("stopped; nothing was kept")
    else:
        say(f"stopped; finished jobs are kept in {store.path}: the same command goes on")


def print_comparison(found: Comparison) -> None:
    """Print the tables (costs, gains, credit, other rates), and what the numbers are."""
    from hebbite.runtime import report

    print_table("", report.COLUMNS, report.table_rows(found))
    print_table("", report.gain_columns(found), report.gain_rows(found))
    if credit := report.credit_rows(found):
        print_table("", report.CREDIT_COLUMNS, credit)
    if near := report.sensitivity_rows(found):
        print_table("", report.SENSITIVITY_COLUMNS, near)
    for line in report.footnotes(found):
        typer.echo(line)
