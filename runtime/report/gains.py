"""What a comparison's energy bought, and how much that hangs on the rate, as cells of text."""

from __future__ import annotations

from hebbite.runtime.choice import by_text
from hebbite.runtime.compare import Comparison, Row
from hebbite.runtime.report.cells import band_text, digits, label, percent, several, spread
from hebbite.runtime.sensitivity import has_rate

SENSITIVITY_COLUMNS = (
    "rule",
    "rate",
    "accuracy",
    "95 % over seeds",
    "decrease of F",
    "energy/decrease of F",
)
_FACTORS = {"half": "x 1/2", "own": "x 1", "double": "x 2"}


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
    if len(reached) < len(row.outcomes):
        return f"{len(reached)} of {len(row.outcomes)} seeds"
    low, high = min(reached), max(reached)
    return f"{low}" if low == high else f"{low} to {high}"


def sensitivity_rows(found: Comparison) -> list[list[str]]:
    """Return the cells of every rule at half, at its own and at twice its rate, if asked for."""
    long = several(found)
    return [cells for row in found.rows if _has_near(row) for cells in _near(row, long)]


def _has_near(row: Row) -> bool:
    return any(near.row is not None for near in row.neighbours.values())


def _near(row: Row, long: bool) -> list[list[str]]:
    rows = {key: near.row for key, near in row.neighbours.items()} | {"own": row}
    name = label(row, long=long)
    return [[name, factor, *_trained(rows[key])] for key, factor in _FACTORS.items()]


def _trained(row: Row | None) -> list[str]:
    if row is None:
        return ["-"] * 4
    return [percent(row.accuracy[0]), spread(row), *_decrease(row)]


def number(value: float | None) -> str:
    """Return a number of F, ``-`` if there is none."""
    return "-" if value is None else digits(value)


def rate_notes(found: Comparison) -> list[str]:
    """Return where the rates of the rules come from; calibrated ones have a line each."""
    texts = {"default": "rates: the defaults, not calibrated: ", "given": "rates: as given: "}
    lines = [
        text + "; ".join(rules)
        for source, text in texts.items()
        if (rules := _rules_of(found, source))
    ]
    if tuned := _rules_of(found, "calibrated"):
        lines.append(
            "rates and gains: calibrated for every seed on its own validation samples, no test "
            "sample among them:"
        )
    return lines + tuned


def _rules_of(found: Comparison, source: str) -> list[str]:
    rows = [row for row in found.rows if row.choice.source == source and has_rate(row.name)]
    return list(dict.fromkeys(by_text(row.choice.texts, row.plan.seeds) for row in rows))


def gain_notes(found: Comparison) -> list[str]:
    """Return what F is, which joules are divided by it, and why some numbers are missing."""
    first = found.rows[0]
    goals = [row.model.objective for row in found.rows if row.bought.objective]
    lines = [
        f"F: {goal.loss}, {goal.text}, mean a training sample in squared payload units"
        for goal in dict.fromkeys(goals)
    ]
    accuracy = percent(first.plan.to_accuracy)
    lines += [
        "energy/decrease of F: learning phase of the whole training, by what F fell from before "
        "the first epoch to after the last; sums over seeds divided",
        f"energy to {accuracy}: all phases, until the validation accuracy is first that high; "
        "looked at once an epoch, mean over seeds",
    ]
    if any(map(_has_near, found.rows)):
        lines.append("rate x 1/2 and x 2: trained anew, on the same seeds, data and epochs")
    return lines + list(dict.fromkeys(_reasons(found)))


def _reasons(found: Comparison) -> list[str]:
    lines = []
    for row in found.rows:
        gains, name = row.bought.gains(), label(row, long=several(found))
        missing = [near.reason for near in row.neighbours.values()]
        reasons = (gains.no_decrease, gains.not_reached, *missing)
        lines += [f"{name}: {reason}" for reason in reasons if reason]
    return lines
