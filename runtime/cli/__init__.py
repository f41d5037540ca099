"""The command line: one verb a file. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbite import __version__
from hebbite.runtime.cli.check import check
from hebbite.runtime.cli.compare import compare
from hebbite.runtime.cli.compile import compile
from hebbite.runtime.cli.credit import credit
from hebbite.runtime.cli.demo import demo
from hebbite.runtime.cli.doctor import doctor
from hebbite.runtime.cli.evaluate import evaluate
from hebbite.runtime.cli.group import Verbs
from hebbite.runtime.cli.infer import infer
from hebbite.runtime.cli.inspect import inspect
from hebbite.runtime.cli.list import list_kind
from hebbite.runtime.cli.run import run
from hebbite.runtime.cli.train import train
from hebbite.runtime.cli.verify import verify

__all__ = ["app"]

app = typer.Typer(
    name="hebbite",
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
]


@app.callback()
def main(version: Version = False) -> None:
    """Compile networks and local learning rules to Loihi-class chip programs, run, price them."""


for _verb in (
    demo, check, compile, run, train, evaluate, compare, credit, infer, verify, inspect,
    doctor,
):  # fmt: skip
    app.command(_verb.__name__)(_verb)
app.command("list")(list_kind)
