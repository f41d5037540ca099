"""The page on objectives: what it shows can be read, and nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hebbite.rules.objectives import OBJECTIVES, parse_objective

PAGE = (Path(__file__).parents[1] / "docs" / "objectives.md").read_text("utf-8")
SHOWN = re.findall(r"^\| `([^`]+)` \|", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("text", SHOWN)
def test_an_objective_of_the_table_is_one(text: str) -> None:
    whole = text.replace("... +", "classification +").replace("2^w", "2^-2")
    assert parse_objective(str(parse_objective(whole))) == parse_objective(whole)


def test_every_objective_stands_in_the_table() -> None:
    assert [name for name in OBJECTIVES if not any(name in text for text in SHOWN)] == []


def test_the_sum_that_is_typed_is_one() -> None:
    (typed,) = re.findall(r'--objective "([^"]+)"', PAGE)
    assert len(parse_objective(typed).hidden) == 1
