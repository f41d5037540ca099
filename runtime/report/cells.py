"""Texts of single cells: every number carries its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hebbite.runtime.compare import Comparison, Row

_PREFIXES = {-4: "p", -3: "n", -2: "u", -1: "m", 0: ""}


def several(found: Comparison) -> bool:
    """Whether rows differ in more than their rule."""
    return len({(row.model.objective.text, row.model.program.target) for row in found.rows}) > 1


def label(row: Row, *, long: bool) -> str:
    """Return the name of a row."""
    model = row.model
    parts = [model.rule.name]
    return ", ".join([*parts, model.objective.name, model.program.target] if long else parts)


def percent(share: float) -> str:
    """Return a share as per cent."""
    return f"{100 * share:.1f} %"


def spread(row: Row) -> str:
    """Return the interval of the accuracy over seeds, ``-`` for a single seed."""
    _, low, high = row.accuracy
    return f"{percent(low)} to {percent(high)}" if len(row.outcomes) > 1 else "-"


def digits(value: float) -> str:
    """Return a number with three digits, or all that stand before the point."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def band_text(band: object, unit: str) -> str:
    """Return ``median (low to high)`` with one prefix, such as ``120 (80 to 190) pJ``."""
    if not isinstance(band, Mapping):
        return "-"
    median = float(band["median"])
    power = max(-4, min(0, math.floor(math.log10(median) / 3))) if median > 0 else 0
    scaled = [digits(float(band[key]) / 1000.0**power) for key in ("median", "low", "high")]
    return f"{scaled[0]} ({scaled[1]} to {scaled[2]}) {_PREFIXES[power]}{unit}"
