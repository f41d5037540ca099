"""A comparison as cells of text; every number carries its unit, every price its evidence."""

from __future__ import annotations

from hebbite.runtime.compare import Comparison, Row
from hebbite.runtime.ranking import cheaper_than
from hebbite.runtime.report.assignment import credit_notes
from hebbite.runtime.report.cells import band_text, label, percent, several, spread
from hebbite.runtime.report.gains import gain_notes, rate_notes

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


def table_rows(found: Comparison) -> list[list[str]]:
    """Return one list of cells a row, in the order of `COLUMNS`."""
    return [_cells(row, several(found)) for row in found.rows]


def _cells(row: Row, long: bool) -> list[str]:
    before = sum(outcome.before for outcome in row.outcomes) / len(row.outcomes)
    energy = row.energy_shown
    return [
        label(row, long=long),
        percent(before),
        percent(row.accuracy[0]),
        spread(row),
        f"{row.per_sample('syn_ops'):.0f}",
        f"{row.per_sample('updates_visited'):.0f}",
        f"{row.per_sample('updates_changed'):.0f}",
        band_text(energy.get("per_visit_j"), "J") if energy else "-",
        str(row.model.rule.locality.to_json()["weight_transport"]),
    ]


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
        *rate_notes(found),
    ]
    lines += [f"{names}: one and the same program here, hence one result" for names in twins(found)]
    lines += _energy_notes(found)
    lines += [*gain_notes(found), *credit_notes(found)]
    lines.append("everything was simulated on this computer; nothing was run on a chip")
    return lines


def _energy_notes(found: Comparison) -> list[str]:
    """Return whose prices are shown, and which rules cost less by all of them."""
    row = found.rows[0]
    shown = row.energy_shown
    if shown is None:
        return ["energy: no profile has a price"]
    target = row.model.program.target
    cross = f", another chip than {target}: cross-chip" if shown["cross_chip"] else ""
    line = (
        f"energy: profile {shown['profile']}{cross}, boundary dynamic, median and 5 to 95 %; "
        f"evidence: {_evidence(found)}"
    )
    names = ", ".join(profile.name for profile in row.profiles)
    cheap = cheaper_than(found.rows, found.pairs)
    rest = {number: len(found.rows) - 1 for number in cheap}
    claims = [
        f"{label(found.rows[number], long=several(found))} than "
        + ("all others" if len(others) == rest[number] else _names(found, others))
        for number, others in cheap.items()
        if others
    ]
    told = "; ".join(claims) or "none: no two rules are separable"
    return [line, f"fewer joules a sample by every profile ({names}; assumed totals): {told}"]


def _names(found: Comparison, numbers: tuple[int, ...]) -> str:
    return ", ".join(label(found.rows[number], long=several(found)) for number in numbers)


def twins(found: Comparison) -> list[str]:
    """Return the rules whose programs do not differ, such as dfa and fa with one hidden layer."""
    by_program: dict[tuple[str, ...], list[str]] = {}
    for row in found.rows:
        programs = tuple(outcome.model.sha256 for outcome in row.outcomes)
        by_program.setdefault(programs, []).append(row.name)
    return [" and ".join(names) for names in by_program.values() if len(names) > 1]


def _evidence(found: Comparison) -> str:
    """Return the kinds of evidence of the prices shown, each once."""
    shown = [energy for row in found.rows if (energy := row.energy_shown) is not None]
    kinds = {f"{energy['evidence']} ({energy['total']} total)" for energy in shown}
    return "; ".join(sorted(kinds)) or "no price"


def _seeds(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))
