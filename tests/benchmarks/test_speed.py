"""The benchmark of speed runs, on tiny workloads, and says what it measured. No time is judged."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600
TINY = ("--scales", "0.02", "--steps", "100", "--repeats", "2", "--seconds", "0.001", "--busy")
LAVA = importlib.util.find_spec("lava") is not None


def speed(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.speed", "--json", str(folder / "found.json")]
    command += ["--cache", str(folder / "cache"), *options]
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_PYTHON")}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return found


@pytest.mark.parametrize(
    ("kind", "systems", "equal"),
    [
        pytest.param("A", "native,handwritten", ("native", "handwritten", "lava"),
                     marks=pytest.mark.long),
        ("B", "native,native-exact", ("native-exact", "lava")),
        pytest.param("C1", "native-dense,reference,handwritten",
                     ("native-dense", "handwritten", "reference", "lava"), marks=pytest.mark.long),
        ("C2", "native-dense,reference", ("native-dense", "reference")),
        pytest.param("C2", "native-dense,reference,handwritten",
                     ("native-dense", "handwritten", "reference"), marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_a_workload_is_compared_bit_for_bit_and_then_timed(
    tmp_path: Path, kind: str, systems: str, equal: tuple[str, ...]
) -> None:
    tiny = TINY if kind in "AB" else (*TINY, "--scales", "0.1")
    done = speed(tmp_path, "--workloads", kind, "--systems", systems, *tiny)
    assert done.returncode == 0, done.stderr
    compared = [name for name in equal if LAVA or name != "lava"]
    first = done.stdout.splitlines()[0]
    assert first.split(": ", 1)[1].startswith(" = ".join(compared) + " in spikes0 (100, ")
    assert ("weights (56, 110)" in first) == (kind == "B")
    found = results(tmp_path)
    assert [row["system"] for row in found["rows"]] == systems.split(",")
    for row in found["rows"]:
        assert row["workload"] == kind
        assert len(row["us_a_step"]["all"]) == 2
        assert 0 < row["us_a_step"]["low"] <= row["us_a_step"]["median"] < math.inf
        assert all(0.001 < rate < 0.2 for rate in row["rates"])
        assert row["synaptic_operations_a_step"] > 0
    exact = [row["rates"] for row in found["rows"] if row["system"] in equal[:-1]]
    assert kind == "B" or all(rates == exact[0] for rates in exact)
    assert found["machine"]["cores"] >= 1
    assert found["limits"]["int16"] > 1e8


def test_tables_are_written_between_the_marks_of_a_page(tmp_path: Path) -> None:
    done = speed(tmp_path, "--workloads", "A", "--systems", "native", "--scales", "1",
                 "--no-check", "--steps", "50", "--repeats", "1", "--busy")  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- A -->\nold\n<!-- end -->\n<!-- B -->\n<!-- end -->\nafter\n")
    assert speed(tmp_path, "--tables", str(page)).returncode == 0
    text = page.read_text()
    assert text.startswith("before\n<!-- A -->\n| system | µs a step |")
    assert re.search(r"^\| native.* \| [\d.e+]+ \([\d.e+-]+\) \| 1 \(1-1\) \|", text, re.MULTILINE)
    assert text.endswith("<!-- B -->\nNot measured yet.\n<!-- end -->\nafter\n")
    assert "old" not in text


def test_a_busy_machine_is_not_reported() -> None:
    """A run whose clock and processor never agree ends in `Busy`, which ends the command with 3."""
    code = """
from benchmarks.speed.measure import Busy, quiet_run
from benchmarks.speed.systems import SYSTEMS
class Worker:
    system, setup, asked = SYSTEMS["native"], {"single": True}, 0
    def run(self, seconds):
        self.asked += 1
        return {"wall_s": 1.2 if self.asked < 4 else 1.01, "cpu_s": 1.0}
try:
    quiet_run(Worker(), 0.1, tries=3, busy=False)
except Busy as problem:
    print(problem)
print(quiet_run(Worker(), 0.1, tries=4, busy=False)["discarded"])
print(quiet_run(Worker(), 0.1, tries=3, busy=True)["busy"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stderr == ""
    said, discarded, marked = done.stdout.splitlines()
    assert said == "native took 1.20 s by the clock a second of processor time at best, in 3 tries"
    assert (discarded, marked) == ("3", "True")


def test_a_system_that_is_not_known_is_refused(tmp_path: Path) -> None:
    done = speed(tmp_path, "--systems", "natvie")
    assert done.returncode == 2
    assert "unknown: ['natvie']" in done.stderr


@pytest.mark.parametrize(
    ("module", "options", "keys"),
    [
        ("memory", {"kind": "plastic", "synapses": 40_000}, ("bytes_a_synapse", "peak_mb")),
        ("mnist", {"samples": 100}, ("us_a_sample", "wall_cpu")),
        ("batch", {"samples": 100}, ("samples_a_second",)),
        ("startup", {"rule": "frozen"}, ("import_s", "session_to_first_step_s")),
        ("cliffs", {"kind": "compiled", "file": "frozen"}, ("us_a_step", "neurons", "row_ops")),
        ("cliffs", {"kind": "drawn", "file": "3"}, ("us_a_step", "row_ops", "list_ops")),
    ],
)
def test_what_a_fresh_process_measures_is_a_row(
    module: str, options: dict[str, Any], keys: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "benchmarks.speed.child", module, json.dumps(options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    assert all(0 <= row[key] < math.inf for key in keys)


def test_prices_of_events_are_found_again_from_times_that_they_made() -> None:
    code = """
import numpy as np
from benchmarks.speed.cliffs import events, fit
price = np.array([0.002, 0.0003, 0.001, 0.003])
counts = ((2058, 51000, 0, 0), (400, 9400, 0, 14000), (4000, 0, 1800, 0), (300, 20, 9, 5000))
rows = [dict(zip(("neurons", "row_ops", "list_ops", "updates"), n)) for n in counts]
for row in rows:
    row["us_a_step"] = float(events(row) @ price)
print(bool(np.allclose(fit(rows), price)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stderr, done.stdout) == ("", "True\n")
