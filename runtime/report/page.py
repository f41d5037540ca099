"""The page: a comparison as one self-contained HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hebbite.runtime.compare import Comparison, Row
from hebbite.runtime.report.assignment import CREDIT_COLUMNS, credit_rows
from hebbite.runtime.report.cells import label, percent, several
from hebbite.runtime.report.gains import (
    SENSITIVITY_COLUMNS,
    gain_columns,
    gain_rows,
    sensitivity_rows,
)
from hebbite.runtime.report.table import COLUMNS, footnotes, table_rows
from hebbite.runtime.verify import Verification

BAR_LEFT, BAR_WIDTH, BAR_STEP = 150, 560, 46


@dataclass(frozen=True)
class Bar:
    """A bar of the chart: places in px of the SVG, and texts."""

    label: str
    y: int
    before: float
    mean: float
    low: float
    high: float
    text: str
    spread: bool


def render(
    found: Comparison, *, verification: Verification | None = None, missing: str = ""
) -> str:
    """Return the page. Everything is escaped; nothing is loaded from elsewhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = found.rows[0]
    chances = [outcome.chance for outcome in first.outcomes]
    chance = sum(chances) / len(chances)
    return environment.get_template("page.html.j2").render(
        title=f"{first.model.model}: learning rules compared",
        columns=(*COLUMNS, *gain_columns(found)[1:]),
        rows=[
            [*cells, *gains[1:]]
            for cells, gains in zip(table_rows(found), gain_rows(found), strict=True)
        ],
        credit_columns=CREDIT_COLUMNS,
        credit_rows=credit_rows(found),
        near_columns=SENSITIVITY_COLUMNS,
        near_rows=sensitivity_rows(found),
        bars=[_bar(index, row, several(found)) for index, row in enumerate(found.rows)],
        bar_left=BAR_LEFT,
        bar_width=BAR_WIDTH,
        chart_height=BAR_STEP * len(found.rows) + 44,
        ticks=[(BAR_LEFT + BAR_WIDTH * share / 100, share) for share in range(0, 101, 20)],
        chance_x=BAR_LEFT + BAR_WIDTH * chance,
        chance=percent(chance),
        footnotes=footnotes(found),
        localities=[(label(row, long=several(found)), _locality(row)) for row in found.rows],
        verification=verification,
        missing=missing,
        provenance=found.provenance,
    )


def _bar(index: int, row: Row, long: bool) -> Bar:
    mean, low, high = row.accuracy
    before = sum(outcome.before for outcome in row.outcomes) / len(row.outcomes)
    return Bar(
        label=label(row, long=long),
        y=BAR_STEP * index + 12,
        before=BAR_WIDTH * before,
        mean=BAR_WIDTH * mean,
        low=BAR_LEFT + BAR_WIDTH * low,
        high=BAR_LEFT + BAR_WIDTH * high,
        text=percent(mean),
        spread=len(row.outcomes) > 1,
    )


def _locality(row: Row) -> list[tuple[str, str]]:
    words = {
        "remote": "remote variables",
        "weight_transport": "weight transport",
        "phases": "phases a sample",
        "global_signals": "global signals",
        "feedback": "feedback path",
        "feedback_latency_steps": "feedback latency (steps)",
    }
    found = row.model.rule.locality.to_json()
    return [(text, _plain(found[key])) for key, text in words.items()]


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
