"""What a comparison's energy bought, and how much that hangs on the rate, as cells of text."""

from __future__ import annotations

from collections.abc import Sequence

from hebbite.runtime.calibrate import SEEDS
from hebbite.runtime.compare import Comparison, Row
from hebbite.runtime.report.cells import band_text, label, percent, several, spread

SENSITIVITY_COLUMNS = (
    "rule",
    "rate",
    "trained as",
    "accuracy",
    "95 % over seeds",
    "decrease of F",
    "energy/decrease of F",
)
_FACTORS = {"half": "x 1/2", "double": "x 2"}


def gain_columns(found: Comparison) -> tuple[str, ...]:
    """Return the heads of `gain_rows`."""
    accuracy = percent(found.rows[0].plan.to_accuracy)
    heads = ("rule", "F before", "F after", "decrease of F", "energy/decrease of F")
    return (*heads, f"energy to {accuracy}", f"epochs to {accuracy}")


def gain_rows(found: Comparison) -> list[list[str]]:
    """Return one list of cells a row, in the order of `gain_columns`."""
    return [_gains(row, several(found)) for row in found.rows]


def _gains(row: Row, long: bool) -> list[str]:
    values = row.bought.objective
    energy = row.energy_shown
    return [
        label(row, long=long),
        number(values[0] if values else None),
        number(values[-1] if values else None),
        *_decrease(row),
        band_text(energy["to_accuracy_j"], "J") if energy else "-",
        _epochs(row),
    ]


def _decrease(row: Row) -> list[str]:
    energy = row.energy_shown
    priced = band_text(energy["per_decrease_j"], "J") if energy else "-"
    return [number(row.bought.decrease), priced]


def _epochs(row: Row) -> str:
    """Return the epochs of the first and the last seed to reach the accuracy, or how many did."""
    reached = [epochs for epochs in row.bought.epochs if epochs is not None]
    if len(reached) < len(row.bought.epochs):
        return f"{len(reached)} of {len(row.bought.epochs)} seeds"
    low, high = min(reached), max(reached)
    return f"{low}" if low == high else f"{low} to {high}"


def sensitivity_rows(found: Comparison) -> list[list[str]]:
    """Return the cells of every rule at half, at its own and at twice its rate, if asked for."""
    long = several(found)
    return [cells for row in found.rows if row.neighbours for cells in _near(row, long)]


def _near(row: Row, long: bool) -> list[list[str]]:
    name, missing = label(row, long=long), ["-"] * 4
    lines = [[name, "x 1", *_trained(row)]]
    for key, near in row.neighbours.items():
        cells = _trained(near.row) if near.row else [near.neighbour.reason, *missing]
        lines.insert(0 if key == "half" else len(lines), [name, _FACTORS[key], *cells])
    return lines


def _trained(row: Row) -> list[str]:
    return [row.model.rule.text, percent(row.accuracy[0]), spread(row), *_decrease(row)]


def number(value: float | None) -> str:
    """Return a number of F with four digits, ``-`` if there is none."""
    return "-" if value is None else f"{value:.4g}"


def rate_notes(found: Comparison) -> list[str]:
    """Return where the rates of the rules come from."""
    seeds = ", ".join(map(str, SEEDS))
    texts = {
        "default": "rates: the defaults, not calibrated: ",
        "given": "rates: as given: ",
        "calibrated": f"rates and gains: calibrated on validation data of seeds {seeds}, whose "
        "splits may hold test samples of other seeds: ",
    }
    return [
        text + "; ".join(rules)
        for source, text in texts.items()
        if (rules := _rules_of(found, source))
    ]


def _rules_of(found: Comparison, source: str) -> list[str]:
    texts = (row.choice.text for row in found.rows if row.choice.source == source)
    return list(dict.fromkeys(texts))


def gain_notes(found: Comparison) -> list[str]:
    """Return what F is, which joules are divided by it, and why some are not."""
    first = found.rows[0]
    objectives = {row.model.objective.text: row.model.objective for row in found.rows}
    lines = [
        f"F: {objective.loss}, {text}, mean a training sample in squared payload units"
        for text, objective in objectives.items()
    ]
    accuracy = percent(first.plan.to_accuracy)
    lines += [
        "energy/decrease of F: learning phase of the whole training, by what F fell from before "
        "the first epoch to after the last; sums over seeds divided",
        f"energy to {accuracy}: all phases, until the validation accuracy is first that high; "
        "looked at once an epoch, mean over seeds",
    ]
    return lines + list(dict.fromkeys(_reasons(found.rows)))


def _reasons(rows: Sequence[Row]) -> list[str]:
    long = len({row.model.rule.name for row in rows}) < len(rows)
    found = []
    for row in rows:
        gains = row.bought.gains()
        reasons = (gains.no_decrease, gains.not_reached)
        found += [f"{label(row, long=long)}: {reason}" for reason in reasons if reason]
    return found
