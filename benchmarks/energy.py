"""What rules cost on digits and MNIST by every profile, and which cost less whoever is asked.

    python -m benchmarks.energy digits --tables docs/energy.md
    HEBBITE_DATA=... python -m benchmarks.energy mnist --tables docs/energy.md

digits: 64-32-10, 5 epochs, five seeds. mnist: 784-100-10, one epoch of the 54,000 training samples,
three seeds. Untrained start, default rates, native engine, independent rounding. Joules a training
sample, boundary dynamic, total assumed: median and 5 to 95 % over draws of the prices. Nothing of
this was measured on a chip. Results go to benchmarks/results/energy-NAME.json as
``hebbite compare --json`` has them, tables between the marks of the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.markdown import table, write_marked

from hebbite.compiler.perceptron import perceptron
from hebbite.compiler.settings import Settings
from hebbite.runtime.compare import Comparison, Plan, compare
from hebbite.runtime.ranking import cheaper_than
from hebbite.runtime.report.cells import band_text, percent, spread
from hebbite.runtime.report.table import twins
from hebbite.runtime.row import Row

RESULTS = Path(__file__).parent / "results"
TIMES = "training / inference"
RULES = ("frozen", "dfa", "dfa(gated=true)", "backprop", "kolen-pollack", "sign-symmetric", "drtp",
         "predictive-coding", "node-perturbation")  # fmt: skip
CASES: Mapping[str, tuple[tuple[int, ...], Plan]] = {
    "digits": ((64, 32, 10), Plan(RULES, seeds=(0, 1, 2, 3, 4), epochs=5)),
    "mnist": ((784, 100, 10), Plan(RULES, seeds=(0, 1, 2), epochs=1, data="mnist")),
}


def main() -> None:
    """Train, price, and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("case", choices=CASES)
    options.add_argument("--tables", type=Path, help="write the tables into this page")
    chosen = options.parse_args()
    sizes, plan = CASES[chosen.case]
    plan = replace(plan, settings=Settings(init="random"))
    found = compare(perceptron(chosen.case, sizes), plan, progress=print)
    RESULTS.mkdir(exist_ok=True)
    document = json.dumps(found.to_json(), indent=1, allow_nan=False)
    (RESULTS / f"energy-{chosen.case}.json").write_text(document + "\n")
    text = page_text(found)
    print(text)
    if chosen.tables:
        write_marked(chosen.tables, {chosen.case: text})


def page_text(found: Comparison) -> str:
    """Return a comparison's prices as Markdown: a row a rule, a column a profile; the verdicts."""
    names = [profile.name for profile in found.rows[0].profiles]
    head = (
        "rule",
        "accuracy",
        "95 % over seeds",
        "updates a sample",
        "changed",
        "training / inference",
    )
    lines = [
        [rule, *cells_of(row), *(joules(row, name) for name in names)]
        for rule, row in zip(RULES, found.rows, strict=True)
    ]
    return "\n\n".join([table((*head, *names), lines), *verdicts(found)])


def cells_of(row: Row) -> list[str]:
    """Return the cells of a rule that no profile or the target's own chip decides."""
    times = priced(row, row.profiles[0].name)["training_over_inference"]
    return [
        percent(row.accuracy[0]),
        spread(row),
        f"{row.per_sample('updates_visited'):.0f}",
        f"{row.per_sample('updates_changed'):.0f}",
        f"{times['median']:.2f} ({times['low']:.2f} to {times['high']:.2f})" if times else "-",
    ]


def joules(row: Row, profile: str) -> str:
    """Return the joules of a training sample."""
    return band_text(priced(row, profile)["per_sample_j"], "J")


def priced(row: Row, profile: str) -> Mapping[str, Any]:
    """Return the energy row of a profile: dynamic, every count priced."""
    wanted = (profile, "dynamic", "assumed")
    return next(
        energy
        for energy in row.energy
        if (energy["profile"], energy["boundary"], energy["total"]) == wanted
    )


def verdicts(found: Comparison) -> list[str]:
    """Return who costs less a sample by every profile, and who cannot be told apart."""
    cheap = cheaper_than(found.rows, found.pairs)
    lines = [
        f"- {RULES[one]} < {', '.join(RULES[other] for other in others)}"
        for one, others in cheap.items()
        if others
    ]
    unclear = [
        f"{RULES[pair.one]} and {RULES[pair.other]}"
        for pair in found.pairs
        if pair.verdict == "not separable"
    ]
    return [
        "Fewer joules a sample by every profile:",
        "\n".join(lines) or "none.",
        f"Not separable: {', '.join(unclear) or 'none'}.",
        *(f"{names}: one and the same program." for names in twins(found)),
    ]


if __name__ == "__main__":
    main()
