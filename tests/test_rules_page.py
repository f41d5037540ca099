"""The page on rules: its table is what the command prints, its examples are rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hebbite.rules.errors import UsageError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", re.DOTALL)


def test_the_table_is_what_the_command_prints(request: pytest.FixtureRequest) -> None:
    printed = CliRunner().invoke(app, ["list", "rules", "--markdown"])
    assert printed.exit_code == 0
    text = PAGE.read_text("utf-8")
    wanted = TABLE.sub(lambda found: f"{found[1]}{printed.stdout}{found[2]}", text)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(wanted, "utf-8")
        return
    assert text == wanted, "run this test with --update-golden, then read the difference"


def test_no_other_kind_has_a_table_in_markdown() -> None:
    printed = CliRunner().invoke(app, ["list", "ops", "--markdown"])
    assert printed.exit_code == 2
    assert isinstance(printed.exception, SystemExit | UsageError)


def test_the_rule_that_is_shown_is_one() -> None:
    (shown,) = re.findall(r"```\n(rule .*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    rule = parse_rule(shown)
    assert (rule.name, rule.feedback.gain, rule.citation) == ("my-dfa", 1, "Nokland 2016")


def test_the_two_ways_to_write_a_coefficient_are_one_product() -> None:
    text = PAGE.read_text("utf-8")
    chip, real = re.findall(r"`(2\^-6\*x0\S*)` and `(0\.\S*)` are one product", text)[0]
    assert parse_rule(f"dw = {chip}").dw == parse_rule(f"dw = {real}").dw
