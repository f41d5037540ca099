"""hebbite: networks and local learning rules, compiled to Loihi-class chip programs.

`compile` a model that learns by a known rule or a `Rule` of your own, run it in a `Session`,
`compare` rules, see their `credit` assignment, `infer` objective and rule from what changed,
`verify` engines against each other, `load` what was saved.
Names are imported when they are first used: ``import hebbite`` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hebbite.compiler.compile import compile
    from hebbite.compiler.settings import Settings
    from hebbite.rules.errors import HebbiteError
    from hebbite.rules.registry import Rule
    from hebbite.runtime.compare import compare
    from hebbite.runtime.credit.credit import credit
    from hebbite.runtime.infer.infer import infer
    from hebbite.runtime.load import load
    from hebbite.runtime.session import Session
    from hebbite.runtime.verify import verify

__version__ = "0.1.0"

__all__ = [
    "HebbiteError",
    "Rule",
    "Session",
    "Settings",
    "__version__",
    "compare",
    "compile",
    "credit",
    "infer",
    "load",
    "verify",
]

_HOMES = {
    "HebbiteError": "rules.errors",
    "Rule": "rules.registry",
    "Session": "runtime.session",
    "Settings": "compiler.settings",
    "compare": "runtime.compare",
    "compile": "compiler.compile",
    "credit": "runtime.credit.credit",
    "infer": "runtime.infer.infer",
    "load": "runtime.load",
    "verify": "runtime.verify",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hebbite' has no attribute '{name}'")
    value: object = getattr(import_module(f"hebbite.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
