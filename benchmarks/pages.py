"""Write a table of docs/accuracy.md or docs/credit.md from what a benchmark printed.

    python benchmarks/digits.py --parity ... | tee parity.txt
    python -m benchmarks.pages parity parity.txt

The benchmarks of accuracy and credit print a JSON line a rule. Of two lines about the same the
later one counts, so that a part can be measured anew; lines that are no JSON are left out. The
table stands between the marks ``<!-- name -->`` and ``<!-- end -->`` of the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.markdown import table, write_marked

ACCURACY, CREDIT = Path("docs/accuracy.md"), Path("docs/credit.md")
Line = dict[str, Any]
PROTOTYPES = {
    "stored": "random samples stored, never moved",
    "nearest neighbour": "nearest neighbour among all {stored:,} samples",
}
"""How the page calls what is no rule."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("table", choices=TABLES)
    options.add_argument("printed", nargs="+", type=Path, help="files of what was printed")
    options.add_argument("--page", type=Path, help="of the docs, unless told")
    chosen = options.parse_args(arguments)
    text = "".join(path.read_text(encoding="utf-8") for path in chosen.printed)
    page, head, cells = TABLES[chosen.table]
    rows = [cells(line) for line in lines_of(text) if line.get("rule") != "chance"]
    write_marked(chosen.page or page, {chosen.table: table(head, rows)})


def lines_of(text: str) -> list[Line]:
    """Return the last line about each task, rule, network and objective, the first ones first."""
    found: dict[tuple[object, ...], Line] = {}
    for one in text.splitlines():
        if one.startswith("{"):
            line = json.loads(one)
            about = tuple(line.get(key) for key in ("task", "rule", "network", "objective"))
            found[about] = line
    return list(found.values())


def interval(line: Line) -> str:
    """Return the mean of a line with its interval."""
    return f"{line['mean']:.3f} ({line['low']:.3f} to {line['high']:.3f})"


def of_mnist(line: Line) -> list[str]:
    """Return network, rule, epochs, what the network is told, accuracy."""
    told = "rewards" if line["objective"].startswith("reward") else "labels"
    return [line["network"], f"`{line['rule']}`", str(line["epochs"]), told, interval(line)]


def of_rule(line: Line) -> list[str]:
    """Return rule, accuracy."""
    return [f"`{line['rule']}`", interval(line)]


def of_prototypes(line: Line) -> list[str]:
    """Return rule, or what was done instead, and accuracy."""
    name = PROTOTYPES.get(line["rule"], f"`{line['rule']}`").format_map(line)
    return [name, interval(line)]


def of_spiking(line: Line) -> list[str]:
    """Return task, rule, seeds, accuracy, that of the readout alone, their difference, chance."""
    mean, frozen = (
        dict(zip(("mean", "low", "high"), line[key], strict=True))
        for key in ("mean", "frozen_mean")
    )
    gain, low, high = line["difference"]
    return [
        line["task"],
        f"`{line['rule']}`",
        str(len(line["accuracy"])),
        interval(mean),
        interval(frozen),
        f"{gain:+.3f} ({low:+.3f} to {high:+.3f})",
        f"{line['chance']:.3f}",
    ]


def of_credit(line: Line) -> list[str]:
    """Return rule, bias, that on the chip, angle, variance, the part of the rule's own noise, angle
    of the feedback weights.
    """
    real, chip = line["real"], line["chip"]
    return [
        line["rule"],
        spread(real["hidden_bias"]),
        spread(chip["hidden_bias"]),
        spread(real["hidden_angle_deg"]),
        span(real["hidden_variance"]),
        span(real["hidden_intrinsic"]),
        span(line["feedback_angle_deg"]),
    ]


def spread(figure: Line | None) -> str:
    """Return a mean with its interval, or alone where all seeds agree; - where there is none."""
    if figure is None:
        return "-"
    mean, low, high = (f"{figure[key]:.3g}" for key in ("mean", "low", "high"))
    return mean if low == high else f"{mean} ({low} to {high})"


def span(values: Sequence[float | None]) -> str:
    """Return the range of some seeds; - where one has none."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    low, high = f"{min(known):.0f}", f"{max(known):.0f}"
    return low if low == high else f"{low} to {high}"


RULE = ("rule", "test accuracy")
MNIST = ("network", "rule", "epochs", "told", "test accuracy")
SPIKING = ("task", "rule", "seeds", "test accuracy", "readout alone", "difference", "chance")
BIAS = (
    "rule", "bias", "bias on chip", "angle (deg)", "variance", "of it the rule's own noise",
    "B to W^T (deg)",
)  # fmt: skip
TABLES: dict[str, tuple[Path, Sequence[str], Callable[[Line], list[str]]]] = {
    "mnist": (ACCURACY, MNIST, of_mnist),
    "parity": (ACCURACY, RULE, of_rule),
    "digits": (ACCURACY, RULE, of_rule),
    "spiking": (ACCURACY, SPIKING, of_spiking),
    "prototypes": (ACCURACY, ("", "test accuracy"), of_prototypes),
    "credit": (CREDIT, BIAS, of_credit),
}

if __name__ == "__main__":
    main()
