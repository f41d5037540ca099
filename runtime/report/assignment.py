"""How well the rules of a comparison assign credit, as cells of text."""

from __future__ import annotations

from hebbite.runtime.compare import Comparison, Row
from hebbite.runtime.report.cells import label, several
from hebbite.runtime.report.credit_table import number

CREDIT_COLUMNS = (
    "rule",
    "bias of credit",
    "on chip",
    "variance",
    "on chip",
    "hidden angle",
    "on chip",
)


def credit_rows(found: Comparison) -> list[list[str]]:
    """Return one list of cells a row, in the order of `CREDIT_COLUMNS`; [] if none was measured."""
    if all(row.credit.unmeasured for row in found.rows):
        return []
    return [_cells(row, several(found)) for row in found.rows]


def _cells(row: Row, long: bool) -> list[str]:
    real, chip = row.credit.total("real"), row.credit.total("chip")
    return [
        label(row, long=long),
        _bias(real.bias),
        _bias(chip.bias),
        number(real.variance),
        number(chip.variance),
        _degrees(row.credit.hidden_deg("real")),
        _degrees(row.credit.hidden_deg("chip")),
    ]


def _bias(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} deg"


def credit_notes(found: Comparison) -> list[str]:
    """Return what the columns of credit are, and why some are empty."""
    lines = []
    known = [row for row in found.rows if not row.credit.unmeasured]
    if known:
        means = known[0].credit
        epochs = " and ".join(map(str, means.epochs))
        lines += [
            f"credit: the rule's update against the exact gradient on the first {means.samples} "
            f"training samples, mean over seeds and over the moments after epoch {epochs}",
            "bias of credit: part of the gradient, all layers end to end, that no positive "
            "multiple of the mean update gives, 0 to 1; variance: of one sample's update, over "
            "the squared length of the mean update",
            "hidden angle: between mean update and gradient, mean of the hidden layers, 90 deg is "
            "chance; on chip: the integer update, floors, clips and rounding included, and that "
            "layers learn at different rates",
        ]
    long = several(found)
    lines += [
        f"{label(row, long=long)}: its units draw noise, so on chip every sample ran "
        f"{row.credit.draws} times"
        for row in known
        if row.credit.draws > 1
    ]
    reasons = [
        f"{label(row, long=long)}: no credit: {row.credit.reason}"
        for row in found.rows
        if row.credit.reason
    ]
    return lines + list(dict.fromkeys(reasons))
