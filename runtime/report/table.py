"""A comparison as cells of text; every number carries its unit, every price its evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hebbite.runtime.compare import Comparison, Row

COLUMNS = (
    "rule",
    "before",
    "accuracy",
    "95 % over seeds",
    "syn. ops",
    "updates",
    "changed",
    "energy/update",
    "weight transport",
)
_PREFIXES = {-4: "p", -3: "n", -2: "u", -1: "m", 0: ""}


def table_rows(found: Comparison) -> list[list[str]]:
    """Return one list of cells a row, in the order of `COLUMNS`."""
    return [_cells(row, several(found)) for row in found.rows]


def several(found: Comparison) -> bool:
    """Whether rows differ in more than their rule."""
    return len({(row.model.objective.text, row.model.program.target) for row in found.rows}) > 1


def label(row: Row, *, long: bool) -> str:
    """Return the name of a row."""
    model = row.model
    parts = [model.rule.name]
    return ", ".join([*parts, model.objective.name, model.program.target] if long else parts)


def _cells(row: Row, long: bool) -> list[str]:
    mean, low, high = row.accuracy
    before = sum(outcome.before for outcome in row.outcomes) / len(row.outcomes)
    energy = energy_of(row)
    return [
        label(row, long=long),
        percent(before),
        percent(mean),
        f"{percent(low)} to {percent(high)}" if len(row.outcomes) > 1 else "-",
        f"{row.per_sample('syn_ops'):.0f}",
        f"{row.per_sample('updates_visited'):.0f}",
        f"{row.per_sample('updates_changed'):.0f}",
        band_text(energy.get("per_visit_j"), "J") if energy else "-",
        str(row.model.rule.locality.to_json()["weight_transport"]),
    ]


def energy_of(row: Row) -> Mapping[str, object] | None:
    """Return the energy row to show: events priced, the sourced total if there is one."""
    dynamic = [energy for energy in row.energy() if energy["boundary"] == "dynamic"]
    for total in ("sourced", "assumed"):
        for energy in dynamic:
            if energy["total"] == total and energy["per_visit_j"] is not None:
                return energy
    return None


def percent(share: float) -> str:
    """Return a share as per cent."""
    return f"{100 * share:.1f} %"


def band_text(band: object, unit: str) -> str:
    """Return ``median (low to high)`` with one prefix, such as ``120 (80 to 190) pJ``."""
    if not isinstance(band, Mapping):
        return "-"
    median = float(band["median"])
    power = max(-4, min(0, math.floor(math.log10(median) / 3))) if median > 0 else 0
    scaled = [f"{float(band[key]) / 1000.0**power:.3g}" for key in ("median", "low", "high")]
    return f"{scaled[0]} ({scaled[1]} to {scaled[2]}) {_PREFIXES[power]}{unit}"


def footnotes(found: Comparison) -> list[str]:
    """Return what a reader must know about the numbers."""
    row = found.rows[0]
    first = row.outcomes[0]
    chance = sum(outcome.chance for outcome in row.outcomes) / len(row.outcomes)
    lines = [
        f"chance {percent(chance)}: always the commonest class; frozen: the readout alone learns",
        f"{first.dataset}, {first.split}; {row.plan.epochs} epochs, "
        f"seeds {_seeds(row.plan.seeds)}, engine {row.plan.engine}, rounding {row.plan.rounding}",
        "syn. ops, updates, changed: per training sample; update: a synapse whose rule was "
        "evaluated; changed: its stored weight is another integer",
    ]
    lines += [f"{names}: one and the same program here, hence one result" for names in twins(found)]
    for profile in row.profiles:
        cross = profile.target != row.model.program.target
        chip = f", another chip than {row.model.program.target}: cross-chip" if cross else ""
        lines.append(
            f"energy: profile {profile.name} ({profile.target}{chip}), boundary dynamic, "
            f"median and 5 to 95 %; evidence: {_evidence(found)}"
        )
    lines.append("everything was simulated on this computer; nothing was run on a chip")
    return lines


def twins(found: Comparison) -> list[str]:
    """Return the rules whose programs do not differ, such as dfa and fa with one hidden layer."""
    by_program: dict[str, list[str]] = {}
    for row in found.rows:
        by_program.setdefault(row.model.sha256, []).append(row.name)
    return [" and ".join(names) for names in by_program.values() if len(names) > 1]


def _evidence(found: Comparison) -> str:
    """Return the kinds of evidence of the prices shown, each once."""
    shown = [energy for row in found.rows if (energy := energy_of(row)) is not None]
    kinds = {f"{energy['evidence']} ({energy['total']} total)" for energy in shown}
    return "; ".join(sorted(kinds)) or "no price"


def _seeds(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))
