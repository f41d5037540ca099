"""``hebbite cite``: BibTeX of what a piece of work used."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbite.runtime.cli import options
from hebbite.runtime.cli.output import print_json

Names = Annotated[
    list[str], typer.Argument(help="rules, targets, profiles by name", show_default=False)
]


def cite(names: Names, as_json: options.Json = False, debug: options.Debug = False) -> None:
    """Print BibTeX of rules, chips and energy tables, and the sources of their numbers."""
    from hebbite.runtime.citations import bibliography, cited

    found = [cited(name) for name in dict.fromkeys(names)]
    if as_json:
        rows = [
            {"name": one.name, "sources": list(one.sources), "entries": list(one.entries)}
            for one in found
        ]
        print_json({"cited": rows, "bibtex": bibliography(found)})
        return
    typer.echo(bibliography(found), nl=False)
