"""The engine's sources without counts: edits of their text, made as they are imported.

Every text that is cut must stand in its source once, so that an engine that counts in another way
fails here instead of being measured as if it did not.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from benchmarks.speed.systems import ROOT

PACKAGE = "hebbite.runtime.engines.native"
FOLDER = ROOT / "runtime" / "engines" / "native"
CUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "messages": (
        ("    row[ACTIVE] += size if everyone else totals[0]\n", ""),
        ("    row[FIRED] += fired + totals[1]\n", ""),
        ("    if populations[p, P_ASKED]:\n        at.resting(m)[p] = totals[2]\n", ""),
        ("    if groups[g, G_VARIES] == FORGOTTEN and in_rows:\n"
         "        count_lines(m, g, ids, count)\n", ""),
        ("        met = total_of(nonzero, ids, count)\n", "        met = 0\n"),
        ("    if missed == 0:\n", "    if count > 0:\n"),
        ("        return total_of(nonzero, ids, count), SOME\n", "        return 0, SOME\n"),
        ("    if asked:\n        arrived[:] = 0\n", ""),
        ("    count_messages(m, g, ids, count, met, max(late, groups[g, G_FEEDBACK]))\n", ""),
        ("    at.counts(m)[2 * sources[s, S_COMPONENT] + max(late, sources[s, S_TARGET]), HOST]"
         " += count\n", ""),
    ),
    "recounted": (
        ("    if filled(sums, size) == size:\n", "    if size > 0:\n"),
        ("    zeros: Half = 0\n", ""),
        ("        total, empty = 0, 0\n", "        total = 0\n"),
        ("            empty += HELD * (weight == 0)\n", ""),
        ("        zeros += empty & ends[j]\n", ""),
        ("    return (zeros & 65535) // HELD\n", "    return 0\n"),
    ),
    "spread": (
        ("        met += total_of(nonzero, ids[done:], 8)\n"
         "        if missed != 0:\n            missed &= common(misses, ids[done:], 8)\n", ""),
        ("        met += total_of(nonzero, ids[done:], 4)\n"
         "        if missed != 0:\n            missed &= common(misses, ids[done:], 4)\n", ""),
        ("        met += nonzero[ids[done]]\n"
         "        if missed != 0:\n            missed &= misses[ids[done]]\n", ""),
        ("    if every(a, b, c, size):\n", "    if size > 0:\n"),
    ),
    "lists": (
        ("    if not asked:\n", "    if True:\n"),
        ("        held = held_by(nonzero, line, weights, first, last)\n"
         "        few = few_zeros(held, last - first)\n"
         "        add_part(due, arrived, targets, weights, first, last, sent, few, asked)\n"
         "        met += held\n",
         "        add_part(due, arrived, targets, weights, first, last, sent, 0, asked)\n"),
        ("        held = held_by(nonzero, line, weights, first, starts[line + 1])\n"
         "        few = few_zeros(held, starts[line + 1] - first)\n", "        few = 0\n"),
        ("sent, few, asked)\n        met += held\n    return met\n\n\n@part",
         "sent, few, asked)\n    return met\n\n\n@part"),
    ),
    "neuron_code": (
        ("        busy = self._busy()\n", "        busy = ir.Constant(I1, 0)\n"),
        ("        if not self._unit.asked:\n", "        if True:\n"),
    ),
    "learning": (
        ("    at.counts(m)[2 * component + 1, TERMS] += terms\n", ""),
        ("    at.counts(m)[2 * component + 1, VISITED] += visited\n", ""),
        ("    at.counts(m)[2 * component + 1, DRAWS] += draws\n", ""),
        ("    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, CHANGED] += changed\n", ""),
    ),
    "traces": (
        ("    at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, TRACE_UPDATES]"
         " += sent * written\n", ""),
        ("        at.counts(m)[2 * at.groups(m)[g, G_COMPONENT] + 1, TRACE_UPDATES]"
         " += events * written\n", ""),
    ),
    "rule_code": (
        ("        lane.tally(CHANGES, _changes(lane, before))\n", ""),
        ("        changes = _changes(lane, self._stored)\n"
         "        if self._view.tallies:\n"
         "            lane.tally(CHANGES, changes)\n"
         "            changes = lane.constant(0)\n",
         "        changes = lane.constant(0)\n"),
    ),
    "row_sums": (
        ("        if k % TALLIED == TALLIED - 1:\n"
         "            changed += take_tallies(tallies, size)\n"
         "    return changed + take_tallies(tallies, size)\n",
         "    return 1\n"),
    ),
    "steps": (
        ("            stuck += new == weight\n", ""),
        ("    if changed > 0:\n        forget_lines(m, g, at.lines(m), sent)\n", ""),
        ("    if changed > 0:\n        forget_all(m, g, lines)\n", ""),
    ),
    "synapses": (
        ("    if stride == 0:\n"
         "        forget_lines(m, g, at.column_lines(m), count)\n"
         "    else:\n"
         "        forget_all(m, g, count)\n", ""),
        ("    forget_all(m, g, lines)\n", ""),
    ),
    "rows": (
        ("        longest = max(longest, size)\n"
         "        if k % TALLIED == TALLIED - 1:\n"
         "            changed += take_tallies(tallies, longest)\n", ""),
        ("    forget_lines(m, g, lines, count)\n", ""),
        ("    return changed + take_tallies(tallies, longest)\n", "    return 0\n"),
    ),
    "run": (
        ("        count_written(m, q)\n", ""),
        ("    complete_costs(m)\n", ""),
    ),
}  # fmt: skip
"""Of each module what is cut, and what stands there instead."""


def without_counts(module: str) -> str:
    """Return the source of a module of the engine without its counts."""
    text = (FOLDER / f"{module}.py").read_text()
    for cut, instead in CUTS[module]:
        assert text.count(cut) == 1, f"{module}.py has {text.count(cut)} of:\n{cut}"
        text = text.replace(cut, instead)
    return text


class Finder(MetaPathFinder):
    """Finds the edited modules in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where an edited module stands, None for every other one."""
        package, _, module = name.rpartition(".")
        if package != PACKAGE or module not in CUTS:
            return None
        return importlib.util.spec_from_file_location(name, self._folder / f"{module}.py")


def install(folder: Path) -> None:
    """Write the edited sources into a folder, and have this process import them from there."""
    assert not any(name.startswith(PACKAGE) for name in sys.modules), "the engine is here already"
    folder.mkdir(parents=True, exist_ok=True)
    for module in CUTS:
        (folder / f"{module}.py").write_text(without_counts(module))
    sys.meta_path.insert(0, Finder(folder))
