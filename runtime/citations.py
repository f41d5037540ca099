"""What to cite for a rule, a chip or a table of prices: BibTeX, and every source by its words.

In: names. Out: sources and entries. A rule carries the entry of its paper. A chip's and a profile's
sources are those that stand at their numbers; the works with a DOI among them have entries in
`data/works.bib`. A number that is assumed has no source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hebbite.compiler.targets import list_targets, load_target
from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.registry import RULES
from hebbite.runtime.energy import list_profiles, load_profile

WORKS = Path(__file__).parent / "data" / "works.bib"
_DOI = re.compile(r"10\.\d{4,9}/[^\s;,)}:]+")


@dataclass(frozen=True)
class Cited:
    """What one name rests on: sources as its numbers state them, and BibTeX entries."""

    name: str
    sources: tuple[str, ...]
    entries: tuple[str, ...]


def citable() -> tuple[str, ...]:
    """Return every name that can be cited: rules, chips, profiles."""
    return (*RULES, *list_targets(), *list_profiles())


def cited(name: str) -> Cited:
    """Return what ``name`` rests on.

    Raises:
        UsageError: HB0165, for an unknown name; the hint offers the nearest.
    """
    if name in RULES:
        return Cited(name, (), (RULES[name]().citation,))
    if name in list_targets():
        numbers = load_target(name).numbers.values()
        return _from_sources(name, (n.source for n in numbers if n.kind != "assumed"))
    if name in list_profiles():
        profile = load_profile(name)
        tables = (profile.energy, profile.power, profile.time)
        constants = [constant for table in tables for constant in table.values()]
        return _from_sources(name, (c.source for c in constants if c.kind != "assumed"))
    what = f"there is nothing to cite for '{name}'"
    raise UsageError(Problem("HB0165", what, hint=near(name, citable())))


def bibliography(found: Iterable[Cited]) -> str:
    """Return one BibTeX text: sources as comments under the name that needs them, entries once."""
    parts, written = [], set()
    for one in found:
        nothing = "" if one.sources or one.entries else ": no source"
        lines = [f"% {one.name}{nothing}", *(f"%   {source}" for source in one.sources)]
        new = [entry for entry in one.entries if entry not in written]
        written.update(new)
        parts.append("\n".join([*lines, *new]))
    return "\n\n".join(parts) + "\n"


def _from_sources(name: str, sources: Iterable[str]) -> Cited:
    told = tuple(dict.fromkeys(sources))
    dois = dict.fromkeys(doi for source in told for doi in _DOI.findall(source))
    return Cited(name, told, tuple(_works()[doi] for doi in dois))


@cache
def _works() -> dict[str, str]:
    """Return DOI -> entry of the works."""
    entries = WORKS.read_text(encoding="utf-8").strip().split("\n\n")
    return {_DOI.findall(entry)[-1]: entry for entry in entries}
