"""What a verb says: one JSON object or a text on standard output, the rest on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hebbite.rules.errors import HebbiteError, InputFileError, Problem

if TYPE_CHECKING:
    from rich.table import Table

STOPPED = 130
"""Exit code of what Ctrl-C stopped: 128 and the number of the signal."""


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on standard output."""
    typer.echo(json.dumps(document, indent=1, allow_nan=False))


def say(text: str) -> None:
    """Print a remark on standard error."""
    typer.echo(text, err=True)


def progress(text: str) -> None:
    """Print what is going on, on standard error and only to a person."""
    if sys.stderr.isatty():
        from rich.console import Console

        Console(stderr=True).print(text, style="dim", markup=False, highlight=False)


def print_error(error: HebbiteError, *, as_json: bool) -> None:
    """Print the problems on standard error, and with ``--json`` an object on standard output."""
    for problem in error.problems:
        say(f"{type(error).__name__} {problem}")
    if as_json:
        problems = [problem.to_json() for problem in error.problems]
        print_json({"error": {**problems[0], "problems": problems}})


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output; the first column is text, the others stand right."""
    from rich.console import Console
    from rich.table import Table

    table: Table = Table(title=title or None, title_justify="left")
    for index, column in enumerate(columns):
        numeric = all(_is_number(row[index]) for row in rows)
        table.add_column(column, justify="right" if index and numeric and rows else "left")
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
    console.print(table)


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell.removeprefix("-")[:1].isdigit()


def write_file(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all (InputFileError HB0701)."""
    import secrets

    temporary = path.with_name(f".hebbite-{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        what = f"cannot write the file: {error.strerror or error}"
        raise InputFileError(Problem("HB0701", what, at=str(path))) from error
    finally:
        temporary.unlink(missing_ok=True)
