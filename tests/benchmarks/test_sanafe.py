"""Counts x prices are what SANA-FE says, on networks of every connectivity.

SANA-FE is not a dependency: HEBBITE_SANAFE_PYTHON names an interpreter that has it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VARIABLE = "HEBBITE_SANAFE_PYTHON"
PATIENCE = 900
PARTS = ("synapse", "soma", "network", "total")


def compare(folder: Path, *options: str, python: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.sanafe", "--json", str(folder / "found.json")]
    return subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={**os.environ, VARIABLE: python},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.fixture
def python() -> str:
    """Give the interpreter that has SANA-FE."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} is not set: no interpreter that has SANA-FE")
    return os.environ[VARIABLE]


@pytest.mark.parametrize(
    "options",
    [("--networks", "recurrent", "convolutions", "mixed"), ("--networks", "host", "--bundled")],
)
def test_energy_and_time_are_those_of_sanafe(
    tmp_path: Path, python: str, options: tuple[str, ...]
) -> None:
    done = compare(tmp_path, *options, python=python)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads((tmp_path / "found.json").read_text())
    assert rows
    for row in rows:
        assert max(row["differences"][part] for part in PARTS) <= 1e-9, row["name"]
        assert max(row["differences"]["seconds"], row["step"]) <= 1e-6, row["name"]
        assert min(row["theirs"].values()) > 0
        assert min(row["counts"].values()) > 100


def test_without_an_interpreter_the_benchmark_says_what_to_set(tmp_path: Path) -> None:
    done = compare(tmp_path, python="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"set {VARIABLE} to the interpreter that has SANA-FE\n"


def test_an_interpreter_without_sanafe_is_a_failure_not_a_row(tmp_path: Path) -> None:
    done = compare(tmp_path, "--networks", "alone", python=sys.executable)
    assert done.returncode == 1
    assert "alone: SANA-FE ended with 1" in done.stderr
    assert not (tmp_path / "found.json").exists()
