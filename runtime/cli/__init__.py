"""The command line: one verb a file. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbite import __version__
from hebbite.runtime.cli.group import Verbs

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
