"""Every error that a user can meet, one small tree.

HebbiteError                what went wrong, where, and the mend
├── UsageError              a name, option or combination that cannot be (exit 2)
├── InputFileError          a file that is damaged, dangerous or not what it says (exit 3)
├── UnsupportedError        a sound request that no program can express (exit 1)
├── VerifyError             a graph or program that breaks its own law (exit 1)
├── CapacityError           more than the chip or a stated limit holds (exit 4)
└── EngineError             an engine is missing, hung or refuses (exit 1)

Codes are stable: HB01xx usage, HB02xx input files, HB03xx graphs and front ends, HB04xx rules and
lowering, HB05xx targets and capacity, HB06xx engines, HB07xx saved files.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    ``at`` is the node as printed, ``origin`` the node of the user's own file, ``hint`` the mend as
    text that can be pasted.
    """

    code: str
    what: str
    at: str = ""
    origin: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """Return the report: one line each for what, at, from and hint."""
        lines = [f"{self.code}: {self.what}"]
        lines += [
            f"  {label:5} {text}"
            for label, text in (("at", self.at), ("from", self.origin), ("hint:", self.hint))
            if text
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, str]:
        """Return the keys of ``hebbite check --json``."""
        return {
            "code": self.code,
            "what": self.what,
            "at": self.at,
            "from": self.origin,
            "hint": self.hint,
        }


class HebbiteError(Exception):
    """Root of the tree; carries one `Problem` or more."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        assert problems, "an error names at least one problem"
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __reduce__(self) -> tuple[type[HebbiteError], tuple[Problem, ...]]:
        """Travel between processes as kind and problems."""
        return type(self), self.problems

    @property
    def code(self) -> str:
        """Code of the first problem."""
        return self.problems[0].code


class UsageError(HebbiteError, ValueError):
    """A name, option or combination that cannot be."""

    exit_code = 2


class InputFileError(HebbiteError, ValueError):
    """A file that is damaged, dangerous or not what it says."""

    exit_code = 3


class UnsupportedError(HebbiteError):
    """A sound request that no program can express; the reason is named."""


class VerifyError(HebbiteError):
    """A graph or a program that breaks its own law."""


class CapacityError(HebbiteError):
    """More than the chip, or a stated limit, holds."""

    exit_code = 4


class EngineError(HebbiteError, RuntimeError):
    """An engine is missing, hung, or refuses the program."""


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint that offers the nearest known name, else the list of all names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
