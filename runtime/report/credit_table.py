"""A credit report as tables of text: layers first, then what a step does to the objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from hebbite.runtime.credit.credit import CreditReport
from hebbite.runtime.credit.row import LayerRow, Row

LAYER_COLUMNS = (
    "rule",
    "epoch",
    "layer",
    "angle (deg)",
    "on chip",
    "bias",
    "gain on chip",
    "variance",
    "intrinsic",
    "rounding",
    "share",
    "misassigned",
    "B to W^T",
)
STEP_COLUMNS = (
    "rule",
    "epoch",
    "validation",
    "F",
    "bias",
    "bias on chip",
    "dF predicted",
    "dF realised",
    "small step",
    "dF since last",
)


def layer_rows(found: CreditReport) -> list[list[str]]:
    """Return one list of cells a rule, moment and layer, in the order of `LAYER_COLUMNS`."""
    return [cells for moment in moments(found) for cells in _layers(*moment)]


def step_rows(found: CreditReport) -> list[list[str]]:
    """Return one list of cells a rule and moment, in the order of `STEP_COLUMNS`."""
    return [_step(real, chip) for real, chip in moments(found)]


def moments(found: CreditReport) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield, for every rule and moment, the real rows and the chip's rows of all seeds."""

    def place(row: Row) -> tuple[int, int]:
        return order.index(row.rule_text), row.epoch

    order = list(dict.fromkeys(row.rule_text for row in found.rows))
    for _, group in groupby(sorted(found.rows, key=place), key=place):
        rows = list(group)
        yield (
            [row for row in rows if row.arithmetic == "real"],
            [row for row in rows if row.arithmetic == "chip"],
        )


def mean(values: list[float | None]) -> float | None:
    """Return the mean over seeds; None if a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def notes(found: CreditReport) -> list[str]:
    """Return what a reader must know about the numbers."""
    first, told = found.rows[0], found.provenance
    seeds = ", ".join(str(seed) for seed in dict.fromkeys(row.seed for row in found.rows))
    lines = [
        f"{told['data']}, {first.samples} training samples, seeds {seeds}"
        f"{' (means)' if ',' in seeds else ''}; engine {told['engine']}, {told['rounding']}",
        f"gradient of {first.objective} {told['gradient']}; {first.surrogate}",
        "angle, bias, variance: the rule in real numbers; on chip: the integer update, floors, "
        "clips and dead zone included; rounding: its variance from stochastic rounding alone",
        "variance: of the update of one sample, over |mean|^2; share: part of that step's dF",
        f"F in {told['objective_unit']}; dF of one mean update at the rule's rate, in real "
        "numbers; small step: realised over predicted at a thousandth of it",
        "everything was simulated on this computer; nothing was run on a chip",
    ]
    draws = max(row.draws for row in found.rows)
    if draws > 1:
        lines.insert(-1, f"chance in units or spikes: each sample ran {draws} times, for intrinsic")
    return lines


def _layers(real: list[Row], chip: list[Row]) -> Iterator[list[str]]:
    for index, layer in enumerate(real[0].layers):

        def over(
            rows: list[Row], pick: Callable[[LayerRow], float | None], at: int = index
        ) -> float | None:
            return mean([pick(row.layers[at]) for row in rows])

        yield [
            real[0].rule if not index else "",
            str(real[0].epoch) if not index else "",
            layer.name,
            number(over(real, lambda row: row.measures.angle_deg), "deg"),
            number(over(chip, lambda row: row.measures.angle_deg), "deg"),
            number(over(real, lambda row: row.measures.bias)),
            number(over(chip, lambda row: row.measures.gain)),
            number(over(real, lambda row: row.measures.variance)),
            number(over(real, lambda row: row.measures.variance_intrinsic)),
            number(over(chip, lambda row: row.measures.variance_intrinsic)),
            number(over(real, lambda row: row.credit_share), "%"),
            number(over(real, lambda row: row.misassigned), "%"),
            number(over(real, lambda row: row.feedback_angle_deg), "deg"),
        ]


def _step(real: list[Row], chip: list[Row]) -> list[str]:
    ratios = [_ratio(row.step.small, row.step.predicted) for row in real]
    return [
        real[0].rule,
        str(real[0].epoch),
        number(mean([row.validation for row in real]), "%"),
        number(mean([row.value for row in real])),
        number(mean([row.total.bias for row in real])),
        number(mean([row.total.bias for row in chip])),
        number(mean([row.step.predicted for row in real])),
        number(mean([row.step.realised for row in real])),
        number(mean(ratios)),
        number(mean([row.travelled.delta_f if row.travelled else None for row in chip])),
    ]


def _ratio(small: float | None, predicted: float) -> float | None:
    return small / predicted if small is not None and predicted else None


def number(value: float | None, unit: str = "") -> str:
    """Return a number as text: angles to a tenth of a degree, shares in per cent, '-' for None."""
    if value is None:
        return "-"
    if unit == "deg":
        return f"{value:.1f}"
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
