"""Rules of one's own on the command line: a file, inline text, and what check says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hebbite.compiler.hbt import load_compiled
from hebbite.rules.registry import parse_rule
from hebbite.runtime.cli import app
from hebbite.runtime.demo import MODEL

WHOLE = """# mine
rule my-dfa
  dw = 0.0123*x0*x1*y2 - 0.0123*x0*x1*y3
  feedback output-error random direct gain=1
  cite Nokland 2016
"""


def hebbite(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my (new) = 2.rule"
    path.write_text(WHOLE)
    return path


def test_a_file_of_rule_text_compiles_and_the_hbt_carries_it(mine: Path, tmp_path: Path) -> None:
    found = hebbite("compile", MODEL, "-o", tmp_path / "a.hbt", "--rule", mine, "--json")
    assert found.exit_code == 0, found.output
    rule = load_compiled(tmp_path / "a.hbt").compiled.rule
    assert rule == parse_rule(WHOLE)
    document = json.loads(found.stdout)
    assert document["rule"] == rule.text
    assert document["report"]["rule_error.1"] == pytest.approx(3 * 2.0**-8 / 0.0123 - 1)


def test_check_says_what_became_of_every_coefficient(mine: Path) -> None:
    found = hebbite("check", MODEL, "--rule", mine)
    assert found.exit_code == 0
    assert "asked 0.0123, on the chip 0.0117188 (-4.73 %)" in found.stdout
    document = json.loads(hebbite("check", MODEL, "--rule", mine, "--json").stdout)
    assert document["ok"] is True
    assert [error["number"] for error in document["rule_errors"]] == [1, 2]
    assert document["warnings"] == []


def test_check_lists_everything_that_is_wrong_with_a_rule_and_the_rest() -> None:
    text = "dw = 9*2^-9*x0*x1*y2 - 0.0000001*x0*x1*y1 + 2^-3*x0*x1; networks graded; learns some"
    words = ("--rule", text, "--objective", "none", "--target", "loihi9")
    found = hebbite("check", MODEL, *words, "--json")
    assert found.exit_code == 1
    codes = [problem["code"] for problem in json.loads(found.stdout)["problems"]]
    assert codes == ["HB0490", "HB0494", "HB0450", "HB0451", "HB0410", "HB0501"]


def test_check_goes_on_to_the_chip_with_a_rule_that_it_refuses() -> None:
    text = "dw = 9*2^-6*x0*x1*y2 - 2^-6*x0*x1*y1; networks graded"
    found = hebbite("check", MODEL, "--rule", text, "--target", "loihi1", "--json")
    codes = {problem["code"] for problem in json.loads(found.stdout)["problems"]}
    assert codes == {"HB0450", "HB0404", "HB0496"}


def test_a_coefficient_far_off_is_told_on_standard_error(tmp_path: Path) -> None:
    text = "dw = 0.0014*x0*x1*y2 - 0.0014*x0*x1*y3"
    found = hebbite("compile", MODEL, "-o", tmp_path / "a.hbt", "--rule", text, "--json")
    assert found.exit_code == 0
    assert found.stderr.count("warning HB0492") == 2
    json.loads(found.stdout)
    warnings = json.loads(hebbite("check", MODEL, "--rule", text, "--json").stdout)["warnings"]
    assert [warning["code"] for warning in warnings] == ["HB0492", "HB0492"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"dw = x9", "HB0441"),
        (b"\xff\xfe\x00", "HB0152"),
        (b"#" * (2**16 + 1), "HB0152"),
        (b"", "HB0401"),
    ],
)
def test_a_file_that_holds_no_rule_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "a.rule").write_bytes(content)
    found = hebbite("check", MODEL, "--rule", tmp_path / "a.rule", "--json")
    assert found.exit_code == 1
    assert [p["code"] for p in json.loads(found.stdout)["problems"]] == [code]


def test_rules_of_ones_own_are_compared_and_their_credit_is_measured(
    mine: Path, tmp_path: Path
) -> None:
    short = ("--seeds", "0", "--epochs", "1", "--train-samples", "20")
    store = ("--store", tmp_path / "jobs.sqlite")
    inline = "rule plain; dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3"
    rules = ("--rules", f"{mine},{inline}", "--engine", "reference", "--sensitivity")
    found = hebbite("compare", MODEL, *rules, *short, *store, "--json")
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)["rows"]
    assert [row["rule"] for row in rows] == ["my-dfa", "plain"]
    assert rows[0]["rule_text"] == parse_rule(WHOLE).text
    measured = hebbite("credit", MODEL, "--rules", mine, *short, "--samples", "16", "--json")
    assert measured.exit_code == 0, measured.output
    assert {row["rule"] for row in json.loads(measured.stdout)["rows"]} == {"my-dfa"}


def test_credit_is_not_measured_of_an_update_that_is_no_rate_times_a_signal() -> None:
    short = ("--epochs", "1", "--train-samples", "40", "--samples", "16")
    text = "dw = 2^-6*x0*x1*y2 - 2^-5*x0*x1*y3"
    found = hebbite("credit", MODEL, "--rules", text, *short)
    assert found.exit_code == 1
    assert "HB0470" in found.stderr
