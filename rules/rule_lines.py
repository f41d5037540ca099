"""The lines of a rule's text: one field each, with its place, so that an error can point at it.

In: text. Out: fields. A line holds one field; ``;`` ends a field too, so that a rule fits on one
line. ``#`` starts a comment. A citation takes the rest of its line, ``;`` and all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.tokens import Token, refusal

SUMS = ("dw", "dt", "feedback_dw")
WORDS = ("rule", "feedback", "networks", "signal", "learns", "trace", "real", "cite")
REPEATED = ("trace",)
LONGEST = 2**16
_FIELD = re.compile(r"\s*([A-Za-z_]\w*)\s*(=?)")
_CARETS = re.compile(r"( *)(\^+)")
_AT_COLUMN = 8


@dataclass(frozen=True)
class Field:
    """One field: its ``key``, and its ``body``, from column ``start`` of line ``number``."""

    key: str
    body: str
    number: int
    line: str
    start: int

    def words(self) -> list[Token]:
        """Return the words of the body, each with its column in the line."""
        return [
            Token("name", found[0], self.start + found.start())
            for found in re.finditer(r"\S+", self.body)
        ]

    def refuse(self, token: Token | None, code: str, what: str, hint: str = "") -> UsageError:
        """Return an error that shows the line, with carets under a word of it or the whole body."""
        body = Token("name", self.body.strip() or self.key, self._first)
        return _pointing(self.number, self.line, token or body, Problem(code, what, hint=hint))

    @property
    def _first(self) -> int:
        """Column of the first word of the body, or of the key if there is none."""
        empty = not self.body.strip()
        back = self.line.rfind(self.key, 0, self.start) if empty else self.start
        return back if empty else self.start + len(self.body) - len(self.body.lstrip())

    def moved(self, problem: Problem, start: int) -> Problem:
        """Return a problem that points into a text of its own, which begins at column ``start``."""
        carets = _CARETS.fullmatch(problem.at.rpartition("\n")[2])
        if carets is None:
            return Problem(problem.code, problem.what, problem.at, self.origin, problem.hint)
        column = start + len(carets[1]) - _AT_COLUMN
        token = Token("symbol", carets[2], column)
        return _pointing(self.number, self.line, token, problem).problems[0]

    @property
    def origin(self) -> str:
        """Where the field stands, for a problem of what it means."""
        return f"line {self.number}"


def _pointing(number: int, line: str, token: Token, problem: Problem) -> UsageError:
    found = refusal(line, token, problem.code, problem.what, problem.hint).problems[0]
    return UsageError(
        Problem(found.code, found.what, found.at, f"line {number} of the rule", found.hint)
    )


def fields_of(text: str) -> tuple[list[Field], list[Problem]]:
    """Return the fields of a rule's text, and what is wrong with its lines (HB0493)."""
    if len(text) > LONGEST:
        what = f"a rule of {len(text)} characters; at most {LONGEST} are read"
        return [], [Problem("HB0493", what)]
    found: list[Field] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        for start, piece in _pieces(line.partition("#")[0]):
            made = _field(number, line, start, piece)
            if isinstance(made, Problem):
                problems.append(made)
            elif made.key not in REPEATED and made.key in [field.key for field in found]:
                error = made.refuse(None, "HB0493", f"{made.key} is given twice", "remove one")
                problems.extend(error.problems)
            else:
                found.append(made)
    return found, problems


def _pieces(line: str) -> Iterator[tuple[int, str]]:
    """Yield (column, text) of every field of a line without its comment."""
    start = 0
    while start < len(line):
        end = len(line) if re.match(r"\s*cite\b", line[start:]) else line.find(";", start)
        end = len(line) if end < 0 else end
        if line[start:end].strip():
            yield start, line[start:end]
        start = end + 1


def _field(number: int, line: str, start: int, piece: str) -> Field | Problem:
    head = _FIELD.match(piece)
    key, equals = (head[1], head[2]) if head else ("", "")
    key = "trace" if key == "traces" else key
    after = start + (head.end() if head else 0)
    sound = (key in SUMS and equals) or (key in WORDS and not equals)
    if sound:
        return Field(key, piece[after - start :], number, line, after)
    word = piece.split()[0]
    token = Token("name", word, start + piece.index(word))
    what, hint = f"a rule has no field '{word}'", near(word, (*SUMS, *WORDS))
    if key == "dd":
        what, hint = "delays do not learn here", "dw = ..., dt = ..."
    elif key in SUMS:
        what, hint = f"'=' is missing after {key}", f"{key} = ..."
    elif key in WORDS:
        what, hint = f"{key} takes words, not '='", _EXAMPLES[key]
    return _pointing(number, line, token, Problem("HB0493", what, hint=hint)).problems[0]


_EXAMPLES = {
    "rule": "rule my-rule",
    "feedback": "feedback output-error random direct gain=1",
    "networks": "networks graded",
    "signal": "signal error",
    "learns": "learns all",
    "trace": "trace x1 tau=10 impulse=16",
    "real": "real 0.0123 -0.0123",
    "cite": "cite Author 2026",
}
