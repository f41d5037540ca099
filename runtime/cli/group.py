"""The one place where errors meet the shell: texts, the error object of ``--json``, exit codes."""

from __future__ import annotations

import io
import sys
import traceback
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from hebbite.rules.errors import HebbiteError
from hebbite.runtime.cli.output import print_error, print_json, say
from hebbite.runtime.cli.verbs import VERBS
from hebbite.runtime.cli.waiting import STOPPED

BUG = 5
"""Exit code of an error that is ours."""


class Verbs(TyperGroup):
    """The verbs; an error that escapes one is printed and becomes its exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Know the verbs by name alone; `get_command` makes them."""
        super().__init__(*args, **kwargs)
        names: Any = dict.fromkeys(VERBS)  # what a mistyped name is compared with
        self.commands = names

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the verbs in the order of help."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a verb as a command, its module imported now; None for another name."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"hebbite.runtime.cli.{cmd_name}")
        one = typer.Typer(add_completion=False, rich_markup_mode=None)
        one.command(cmd_name)(getattr(module, VERBS[cmd_name].function or cmd_name))
        return typer.main.get_command(one)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line a verb, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.line) for name, verb in VERBS.items()])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words that were typed: how an error is printed depends on them."""
        ctx.obj = tuple(args)
        if isinstance(sys.stdout, io.TextIOWrapper):  # a name of a file need not be text
            sys.stdout.reconfigure(errors="backslashreplace")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except HebbiteError as error:
            print_error(error, as_json="--json" in ctx.obj)
            raise typer.Exit(error.exit_code) from error
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt as error:
            say("stopped")
            raise typer.Exit(STOPPED) from error
        except Exception as error:
            if _belongs_to_typer(error):
                raise
            _print_bug(error, ctx.obj)
            raise typer.Exit(BUG) from error


def _belongs_to_typer(error: Exception) -> bool:
    """Errors of the command line itself (an unknown option) print themselves."""
    return hasattr(error, "format_message") or isinstance(error, BrokenPipeError)


def _print_bug(error: Exception, typed: tuple[str, ...]) -> None:
    debug = "--debug" in typed
    if debug:
        say("".join(traceback.format_exception(error)).rstrip())
    text = str(error).splitlines()[0] if str(error) else ""
    what = f"this is a fault of hebbite: {type(error).__name__} {text}".rstrip()
    hint = "" if debug else "add --debug for the traceback, and report it"
    say(f"HB0001: {what}" + (f"\n  hint: {hint}" if hint else ""))
    if "--json" in typed:
        problem = {"code": "HB0001", "what": what, "at": "", "from": "", "hint": hint}
        print_json({"error": {**problem, "problems": [problem]}})
