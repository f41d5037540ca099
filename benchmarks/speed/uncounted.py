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
        ("        everyone = reach(arrived, at.bytes(m), base, ids, count, at.neurons(m))\n",
         "        everyone = 1\n"),
        ("        met = add_spikes(due, weights, base, nonzero, ids, count, up)\n"
         "        return met, reach(arrived, weights, base, ids, count, at.neurons(m))\n",
         "        return add_spikes(due, weights, base, nonzero, ids, count, up), 1\n"),
        ("payload, of_bytes, up)\n"
         "        return met, reach(arrived, weights, base, ids, count, at.neurons(m))\n",
         "payload, of_bytes, up)\n        return met, 1\n"),
        ("    met = total_of(nonzero, ids, count)\n", "    met = 0\n"),
        ("    count_messages(m, g, ids, count, met, max(late, groups[g, G_FEEDBACK]))\n", ""),
        ("    at.counts(m)[2 * sources[s, S_COMPONENT] + max(late, sources[s, S_TARGET]), HOST]"
         " += count\n", ""),
    ),
    "spread": (
        ("        met += total_of(nonzero, ids[done:], 8)\n", ""),
        ("        met += total_of(nonzero, ids[done:], 4)\n", ""),
        ("        met += nonzero[ids[done]]\n", ""),
    ),
    "lists": (
        ("            if weight != 0:\n"
         "                j = targets[s]\n"
         "                due[j] += weight * sent\n"
         "                arrived[j] = 1\n",
         "            due[targets[s]] += weight * sent\n"),
        ("            arrived[j] |= weight != 0\n", ""),
    ),
    "neuron_code": (
        ("        busy = self._busy()\n", "        busy = lane.constant(0)\n"),
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
        ('        changed = lane.flag(lane.compare("!=", weight, self._weight))\n'
         "        gained = lane.builder.sub(self._is(self._weight, 0), self._is(weight, 0))\n",
         "        changed = gained = lane.constant(0)\n"),
        ("            lane.store(NONZERO, lane.builder.add(lane.load(NONZERO, at), gained), at)\n",
         ""),
    ),
    "synapses": (
        ("        changed += new != weight\n"
         "        nonzero[i] += (weight == 0) - (new == 0)\n", ""),
    ),
    "run": (("        count_written(m, q)\n", ""),),
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
