"""Energy counters of a processor, as Linux shows them: a folder a domain, a number in microjoules.

In: the folder ``/sys/class/powercap``. Out: the domains that together hold the processors and their
memory, each once, or the reason why there are none.

``intel-rapl:N`` is a package where its ``name`` says so, ``intel-rapl:N:M`` a part of it. Of the
parts only ``dram`` lies outside of its package; ``core`` and ``uncore`` are counted in it already.
``psys`` is the whole platform, packages included, and ``intel-rapl-mmio`` shows the same package a
second time: neither is read. AMD's processors appear under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
ZONE = re.compile(r"intel-rapl:\d+(:\d+)?$")
MICROJOULE = 1e-6


@dataclass(frozen=True)
class Domain:
    """A counter of energy, of a part of the machine that no other domain holds.

    ``read`` gives a count of ``unit`` joules that grows, and starts anew from 0 after ``span``;
    None where it never does. It may raise OSError or ValueError.
    """

    name: str
    read: Callable[[], int]
    unit: float
    span: int | None = None

    def spent(self, before: int, after: int) -> float:
        """Return joules between two readings, of which at most one start anew lies between."""
        count = after - before
        if count < 0 and self.span is not None:
            count += self.span
        return count * self.unit


Found = tuple[tuple[Domain, ...], str]
"""The domains, or none and the reason."""


def domains_of(root: Path) -> Found:
    """Return the packages and their memory below a folder, each once."""
    if not root.is_dir():
        return (), f"there is no {root}: this system shows no energy counters"
    zones = sorted(path for path in root.iterdir() if ZONE.fullmatch(path.name))
    found: list[Domain] = []
    try:
        named = [(zone, (zone / "name").read_text().strip()) for zone in zones]
        packages = {zone.name: name for zone, name in named if name.startswith("package")}
        for zone, name in named:
            if zone.name in packages:
                found.append(_domain(zone, name))
            elif name == "dram" and (above := zone.name.rpartition(":")[0]) in packages:
                found.append(_domain(zone, f"{packages[above]} dram"))
    except (OSError, ValueError) as error:
        return (), _why(error)
    names = [domain.name for domain in found]
    if len(set(names)) < len(names):
        return (), f"a domain is shown twice: {', '.join(names)}"
    if not names:
        return (), f"{root} shows no processor package"
    return tuple(found), ""


def _domain(zone: Path, name: str) -> Domain:
    """Return a domain whose counter was read once, so that who may not read it hears it now."""
    span = int((zone / "max_energy_range_uj").read_text())

    def read() -> int:
        return int((zone / "energy_uj").read_text())

    read()
    return Domain(name, read, MICROJOULE, span)


def _why(error: OSError | ValueError) -> str:
    """Return why a counter could not be read."""
    if isinstance(error, PermissionError):
        return f"{error.filename} may be read by root only"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read: {error.strerror}"
    return f"a counter holds no number: {error}"
