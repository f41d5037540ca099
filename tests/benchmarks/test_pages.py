"""Pages of accuracy and credit say what the benchmarks printed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.pages import lines_of, main

PARITY = [
    {"rule": "dfa", "mean": 0.97949, "low": 0.964, "high": 0.9951, "chance": 0.504},
    {"rule": "fa", "mean": 0.5, "low": 0.4, "high": 0.6, "chance": 0.504},
]
AGAIN = {"rule": "fa", "mean": 0.98, "low": 0.97, "high": 0.99, "chance": 0.504}
SPIKING = {
    "task": "digits",
    "rule": "eprop(steps=2)",
    "accuracy": [0.9, 0.95],
    "mean": [0.925, 0.9, 0.95],
    "frozen_mean": [0.85, 0.8, 0.9],
    "difference": [0.075, -0.01, 0.16],
    "chance": 0.103,
}


def written(folder: Path, table: str, *files: list[object]) -> str:
    """Return what stands in a page after some lines were written into it."""
    page = folder / "page.md"
    page.write_text(f"before\n<!-- {table} -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    printed = []
    for number, lines in enumerate(files):
        path = folder / f"{number}.txt"
        path.write_text("\n".join(["== noise", *map(json.dumps, lines)]) + "\n", encoding="utf-8")
        printed.append(str(path))
    main([table, *printed, "--page", str(page)])
    return page.read_text(encoding="utf-8")


def test_a_table_holds_the_last_line_about_each_rule(tmp_path: Path) -> None:
    assert written(tmp_path, "parity", [*PARITY], [AGAIN]) == (
        "before\n<!-- parity -->\n"
        "| rule | test accuracy |\n"
        "| --- | --- |\n"
        "| `dfa` | 0.979 (0.964 to 0.995) |\n"
        "| `fa` | 0.980 (0.970 to 0.990) |\n"
        "<!-- end -->\nafter\n"
    )


def test_a_difference_says_its_sign(tmp_path: Path) -> None:
    text = written(tmp_path, "spiking", [SPIKING])
    row = "| digits | `eprop(steps=2)` | 2 | 0.925 (0.900 to 0.950) | 0.850 (0.800 to 0.900) |"
    assert f"{row} +0.075 (-0.010 to +0.160) | 0.103 |\n<!-- end -->" in text


def test_rules_of_two_networks_are_two_lines() -> None:
    one, other = ({**PARITY[0], "network": network} for network in ("64-16-2", "64-32-2"))
    assert lines_of("\n".join(map(json.dumps, (one, other, one)))) == [one, other]


def test_credit_without_an_angle_or_feedback_is_a_dash(tmp_path: Path) -> None:
    bias = {"mean": 0.20691, "low": 0.09767, "high": 0.316}
    real: dict[str, object] = {"hidden_bias": bias, "hidden_angle_deg": None}
    real |= {"hidden_variance": [82.6, 27.0], "hidden_intrinsic": [0.0, 0.0]}
    one = {"mean": 1.0, "low": 1.0, "high": 1.0}
    line = {"rule": "fa", "real": real, "chip": {"hidden_bias": one}}
    text = written(tmp_path, "credit", [{**line, "feedback_angle_deg": [12.4, None]}])
    assert "| fa | 0.207 (0.0977 to 0.316) | 1 | - | 27 to 83 | 0 | - |\n<!-- end -->" in text
