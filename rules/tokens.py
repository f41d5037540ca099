"""Words of a learning rule's text, and errors that point at one of them.

In: one line of text. Out: tokens, each with its column. A name takes every letter, digit and
underscore that follows, so ``u10`` is one (unknown) name and never ``u1`` times 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from hebbite.rules.errors import Problem, UsageError

Kind = Literal["name", "number", "symbol", "end"]

LONGEST_TEXT = 10_000
LONGEST_NUMBER = 9
LONGEST_FRACTION = 8
"""Binary places of a decimal that a hint writes as a power of two."""
_POWER_OF_TEN = re.compile(r"[eE][+-]?[0-9]+")
_AT_COLUMN = 8  # where `Problem` starts the text after its label


@dataclass(frozen=True)
class Token:
    """One word: its kind, its text, and the column that it starts in."""

    kind: Kind
    text: str
    start: int


def tokenize(text: str, *, decimals: bool = False) -> tuple[Token, ...]:
    """Return the tokens of ``text``, the last one of kind ``end``.

    With ``decimals`` a power of ten belongs to its number: ``1.5e-3`` is one token.

    Raises:
        UsageError: HB0440 for a character that no rule holds, or a text longer than 10,000.
    """
    if len(text) > LONGEST_TEXT:
        what = f"a rule of {len(text)} characters; at most {LONGEST_TEXT} are read"
        raise UsageError(Problem("HB0440", what))
    tokens: list[Token] = []
    start = 0
    while start < len(text):
        end = _end(text, start)
        if decimals and _is_digit_or_point(text[start]) and (ten := _POWER_OF_TEN.match(text, end)):
            end = ten.end()
        if not text[start].isspace():
            tokens.append(Token(_kind(text, start), text[start:end], start))
        start = end
    return (*tokens, Token("end", "", len(text.rstrip())))


def _end(text: str, start: int) -> int:
    """Return the column after the word that starts at ``start``."""
    first = text[start]
    if text.startswith("**", start):
        return start + 2
    if not _is_word(first):
        return start + 1
    inside = _is_digit_or_point if _is_digit_or_point(first) else _is_word
    end = start + 1
    while end < len(text) and inside(text[end]):
        end += 1
    return end


def _kind(text: str, start: int) -> Kind:
    first = text[start]
    if _is_digit_or_point(first):
        return "number"
    if _is_word(first):
        return "name"
    if first in "+-*/^()=":
        return "symbol"
    raise refusal(text, Token("symbol", first, start), "HB0440", f"a rule holds no {first!r}")


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in "_.")


def _is_digit_or_point(character: str) -> bool:
    return character.isascii() and (character.isdigit() or character == ".")


def refusal(text: str, token: Token, code: str, what: str, hint: str = "") -> UsageError:
    """Return an error whose ``at`` shows the text, and below it carets under the token."""
    line = "".join(c if c.isprintable() else " " for c in text).rstrip()
    carets = " " * (_AT_COLUMN + token.start) + "^" * max(1, len(token.text))
    return UsageError(Problem(code, what, at=f"{line}\n{carets}", hint=hint))


def integer(text: str, token: Token) -> int:
    """Return the integer that a token says, without a sign.

    Raises:
        UsageError: HB0440 if it is no number, HB0443 for decimals or more than 9 digits.
    """
    if token.kind != "number":
        raise refusal(text, token, "HB0440", "an integer is missing here")
    if "." in token.text:
        raise refusal(text, token, "HB0443", "a rule holds no decimals", _dyadic(token.text))
    if len(token.text) > LONGEST_NUMBER:
        raise refusal(text, token, "HB0443", f"a number has at most {LONGEST_NUMBER} digits")
    return int(token.text)


def is_decimal(token: Token) -> bool:
    """Whether a token is a number with a decimal point or a power of ten."""
    return token.kind == "number" and not token.text.isdigit()


def decimal(text: str, token: Token) -> float:
    """Return the real number that a token says (HB0443 if none, or one beyond all bounds)."""
    try:
        value = float(token.text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise refusal(text, token, "HB0443", f"'{token.text}' is no number", "0.0123, or 1.23e-2")
    return value


def _dyadic(text: str) -> str:
    """Return a decimal as mantissa*2^exponent if that is exact."""
    try:
        mantissa, exponent = float(text), 0
    except ValueError:
        return "mantissa*2^exponent, in integers"
    while not mantissa.is_integer() and exponent > -LONGEST_FRACTION:
        mantissa, exponent = mantissa * 2, exponent - 1
    if not mantissa.is_integer():
        return "mantissa*2^exponent, in integers"
    return f"2^{exponent}" if mantissa == 1 else f"{mantissa:.0f}*2^{exponent}"
