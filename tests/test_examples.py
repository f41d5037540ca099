"""The numbered examples run as they stand, from any folder, and print what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 120
"""Seconds; a few suffice, but the first run on a machine compiles the kernels."""


def run(name: str, folder: Path) -> str:
    """Return what an example prints when it runs in ``folder``, where it leaves nothing behind."""
    command = [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(folder.iterdir())
    return done.stdout


def percentages(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)%", text)]


def test_training_the_digits_gets_them_right(tmp_path: Path) -> None:
    printed = run("01_train_digits.py", tmp_path)
    assert printed.startswith("digits for loihi2, rule dfa\nlearnt from 3879 samples\n")
    before, after = percentages(printed)
    assert before < 20
    assert after > 90


def test_engines_agree_bit_for_bit(tmp_path: Path) -> None:
    printed = run("02_compare_engines.py", tmp_path)
    assert re.match(r"engines: reference, native(, lava)?, 500 steps\n", printed)
    assert printed.endswith("equal, bit for bit: True; conclusive: True\n")


def test_a_rule_of_ones_own_is_text_and_learns_as_a_known_one(tmp_path: Path) -> None:
    printed = run("03_write_a_rule.py", tmp_path)
    assert printed.startswith("my-dfa: dw = 2^-5*x0*x1*y2 - 2^-5*x0*x1*y3\n  rule_error.1: -4.7%\n")
    assert "  rule_error.3: +0.0%\n" in printed
    found = re.findall(r"^(\S+): accuracy ([\d.]+)%", printed, re.MULTILINE)
    assert [name for name, _ in found] == ["my-dfa", "my-decay", "dfa"]
    assert min(float(accuracy) for _, accuracy in found) > 80
    assert found[0][1] == found[2][1]


def test_rules_are_measured_against_the_gradient(tmp_path: Path) -> None:
    printed = run("04_measure_credit.py", tmp_path).splitlines()
    assert [line.split()[0] for line in printed] == ["backprop", "sign-symmetric", "dfa", "frozen"]
    angles = [float(re.findall(r"([\d.]+) deg", line)[0]) for line in printed[:3]]
    assert angles[0] == 0 < angles[1] < 45 < angles[2] < 90
    assert printed[3].endswith("does not learn, share 0%")


def test_the_digits_are_learnt_from_rewards_alone(tmp_path: Path) -> None:
    printed = run("05_learn_from_rewards.py", tmp_path)
    (rewards,) = re.findall(r"rewards of the last 500 actions: (\d+)\n", printed)
    before, after = percentages(printed)
    assert int(rewards) > 400
    assert before < 20
    assert after > 80


def test_every_numbered_example_is_run_here() -> None:
    text = Path(__file__).read_text("utf-8")
    numbered = sorted(path.name for path in EXAMPLES.glob("[0-9]*.py"))
    assert numbered
    assert not [name for name in numbered if f'"{name}"' not in text]
