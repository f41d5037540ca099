"""``name(option=value, ...)`` as typed on a command line, to a call of the named factory.

Nothing is evaluated: a value is an integer, ``true``, ``false`` or a word, and must be of the type
of the option's default.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from hebbite.rules.errors import Problem, UsageError, near

T = TypeVar("T")
_ARTICLES = {bool: "true or false", int: "an integer", str: "a word"}
_CALL = re.compile(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*$")


def call_by_text(text: str, known: Mapping[str, Callable[..., T]], *, kind: str, code: str) -> T:
    """Return what the factory that ``text`` names makes of its options.

    Raises:
        UsageError: ``code``, if the text, the name, an option or a value is not known.
    """
    call = _CALL.match(text)
    if call is None:
        what = f"cannot read the {kind} '{text}'"
        raise UsageError(Problem(code, what, hint="name, or name(option=value, ...)"))
    name = call[1]
    if name not in known:
        raise UsageError(Problem(code, f"unknown {kind} '{name}'", hint=near(name, known)))
    factory = known[name]
    options: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in (call[2] or "").split(","))):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key in options:
            raise UsageError(Problem(code, f"{kind} '{name}': {key} is given twice", hint=part))
        options[key] = _value(factory, name, key, value, kind=kind, code=code)
    return factory(**options)


def options_of(factory: Callable[..., object]) -> dict[str, object]:
    """Return the options of a factory with their defaults."""
    return {name: p.default for name, p in inspect.signature(factory).parameters.items()}


def _value(
    factory: Callable[..., object], name: str, key: str, value: str, *, kind: str, code: str
) -> object:
    defaults = options_of(factory)
    if key not in defaults:
        what = f"{kind} '{name}' has no option '{key}'"
        hint = near(key, defaults) if defaults else "it has none"
        raise UsageError(Problem(code, what, hint=hint))
    wanted = type(defaults[key])
    if wanted is bool and value in ("true", "false"):
        return value == "true"
    if wanted is int and re.fullmatch(r"[+-]?\d{1,18}", value):
        return int(value)
    if wanted is str and value:
        return value
    what = f"{kind} '{name}': {key}={value} is not {_ARTICLES[wanted]}"
    raise UsageError(Problem(code, what, hint=f"{key}={str(defaults[key]).lower()}"))
