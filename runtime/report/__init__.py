"""Reports: a comparison as rows of text, and as one self-contained page.

In: a `Comparison`, and the `Verification` of a slice if there is one. Out: table cells, remarks
that say what the numbers are, and HTML without any reference to another place.
"""

from __future__ import annotations

from hebbite.runtime.report.assignment import CREDIT_COLUMNS, credit_rows
from hebbite.runtime.report.gains import (
    SENSITIVITY_COLUMNS,
    gain_columns,
    gain_rows,
    sensitivity_rows,
)
from hebbite.runtime.report.page import render
from hebbite.runtime.report.table import COLUMNS, footnotes, table_rows

__all__ = [
    "COLUMNS",
    "CREDIT_COLUMNS",
    "SENSITIVITY_COLUMNS",
    "credit_rows",
    "footnotes",
    "gain_columns",
    "gain_rows",
    "render",
    "sensitivity_rows",
    "table_rows",
]
