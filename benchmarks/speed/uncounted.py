"""The engine's sources without counts: edits of their text, imported beside the engine.

Every text that is cut must stand in its source once, so that an engine that counts in another way
fails here instead of being measured as if it did not.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
        ("        met += held_by(nonzero, line, weights, first, last)\n", ""),
        ("        met += held_by(nonzero, line, weights, first, starts[line + 1])\n", ""),
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


@contextmanager
def without_counting(folder: Path) -> Iterator[None]:
    """Have the engine imported anew, edited, from a copy in a folder; what was imported before is
    back at the end, and stays as it was for whoever holds it.
    """
    for path in FOLDER.glob("*.py"):
        text = without_counts(path.stem) if path.stem in CUTS else path.read_text()
        (folder / path.name).write_text(text)
    kept = taken_out()
    try:
        spec = importlib.util.spec_from_file_location(
            PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[PACKAGE] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
        yield
    finally:
        taken_out()
        sys.modules.update(kept)


def taken_out() -> dict[str, ModuleType]:
    """Forget the modules of the engine; return them by name."""
    names = [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}
