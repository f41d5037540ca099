"""A small scanner for one line of program text."""

from __future__ import annotations

import json
import re

from hebbite.rules.errors import InputFileError, Problem

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|-?\d+|[%@]?[A-Za-z_][\w.\-]*|[^\s\w])')


class Scanner:
    """Tokens of a line, read from left to right; every refusal points at the line."""

    def __init__(self, line: str) -> None:
        self.line = line
        self._tokens = _TOKEN.findall(line)
        self._next = 0

    def peek(self) -> str:
        """Return the next token without taking it; '' at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self) -> str:
        """Take the next token."""
        token = self.peek()
        if not token:
            raise self.error("more text")
        self._next += 1
        return token

    def accept(self, token: str) -> bool:
        """Take the next token if it is ``token``."""
        found = self.peek() == token
        self._next += found
        return found

    def expect(self, *tokens: str) -> None:
        """Take exactly these tokens."""
        for token in tokens:
            if not self.accept(token):
                raise self.error(f"'{token}'")

    def end(self) -> None:
        """Refuse anything that is left."""
        if self.peek():
            raise self.error("the end of the line")

    def integer(self) -> int:
        """Take an integer."""
        token = self.take()
        if not re.fullmatch(r"-?\d+", token):
            raise self.error("an integer", token)
        return int(token)

    def name(self, prefix: str = "") -> str:
        """Take a name and return it without its prefix (% value, @ tensor)."""
        token = self.take()
        if not re.fullmatch(re.escape(prefix) + r"[A-Za-z_][\w.\-]*", token):
            raise self.error(f"a name like {prefix}x", token)
        return token[len(prefix) :]

    def string(self) -> str:
        """Take a quoted string."""
        token = self.take()
        if not token.startswith('"'):
            raise self.error("a quoted string", token)
        return str(json.loads(token))

    def integers(self) -> tuple[int, ...]:
        """Take ``[1, 2, 3]``."""
        self.expect("[")
        out: list[int] = []
        while not self.accept("]"):
            out.append(self.integer())
            self.accept(",")
        return tuple(out)

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Take ``[offset:payload, ...]``."""
        self.expect("[")
        out: list[tuple[int, int]] = []
        while not self.accept("]"):
            first = self.integer()
            self.expect(":")
            out.append((first, self.integer()))
            self.accept(",")
        return tuple(out)

    def settings(self) -> dict[str, int | str]:
        """Take ``{key=value, ...}``; a value is an integer, a name, or a tensor ``@name``."""
        self.expect("{")
        out: dict[str, int | str] = {}
        while not self.accept("}"):
            key = self.name()
            self.expect("=")
            token = self.take()
            out[key] = int(token) if re.fullmatch(r"-?\d+", token) else token
            self.accept(",")
        return out

    def error(self, wanted: str, got: str = "") -> InputFileError:
        """Return the error that says what was expected here."""
        found = got or self.peek() or "the end"
        what = f"expected {wanted}, found {found}"
        return InputFileError(Problem("HB0710", what, at=self.line.strip()))
