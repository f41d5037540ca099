"""Write a learning rule as text, compare learning rates, and choose one on validation data.

In: the digits network and the rule ``dfa`` with two rates. Out: what a synapse computes, the test
accuracy of each rate, and the rate that validation data choose (test data never choose).

    python examples/03_write_a_rule.py
"""

from __future__ import annotations

from hebbite import compare
from hebbite.rules.registry import parse_rule
from hebbite.runtime.calibrate import calibrate
from hebbite.runtime.compare import Plan
from hebbite.runtime.demo import MODEL

RATES = (-4, -6)
TEXTS = tuple(f"dfa(rate={rate})" for rate in RATES)


def main() -> None:
    """Compare two rates, then let validation data choose."""
    for text in TEXTS:
        print(f"{text}: {parse_rule(text).dw}")
    comparison = compare(MODEL, Plan(TEXTS, epochs=2))
    for text, row in zip(TEXTS, comparison.rows, strict=True):
        accuracy, _, _ = row.accuracy
        changed = row.per_sample("updates_changed")
        print(f"{text}: accuracy {accuracy:.1%}, {changed:.0f} weights changed by a sample")
    found = calibrate(MODEL, rule="dfa", rates=RATES, gains=(0,), seeds=(100,), epochs=2)
    print(f"chosen on validation data: {found.rule}")


if __name__ == "__main__":
    main()
