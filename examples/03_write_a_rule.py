"""Write a learning rule as text, see what the chip makes of it, and hold it against a known rule.

In: the digits network, direct feedback alignment with a rate in real numbers, and the same with
weights that decay. Out: what a synapse computes, how far each coefficient is off on the chip, and
the test accuracy of each rule beside `dfa`.

    python examples/03_write_a_rule.py
"""

from __future__ import annotations

from hebbite import Rule, compare, compile
from hebbite.runtime.compare import Plan
from hebbite.runtime.demo import MODEL

MINE = Rule("dw = 0.0041*x0*x1*y2 - 0.0041*x0*x1*y3", feedback="dfa", name="my-dfa")
DECAYS = Rule(
    """
    rule my-decay
      dw = 0.0041*x0*x1*y2 - 0.0041*x0*x1*y3 - 2^-6*u9*w  # w loses 1/64 at every 512th epoch
      feedback output-error random direct gain=1
      cite A. Nokland, Direct feedback alignment, 2016; with a decay
    """
)


def main() -> None:
    """Print what became of the coefficients, then compare."""
    for rule in (MINE, DECAYS):
        print(f"{rule.name}: {rule.dw}")
        report = compile(MODEL, rule=rule).report
        for name in [name for name in report if name.startswith("rule_error")]:
            print(f"  {name}: {report[name]:+.1%}")
    found = compare(MODEL, Plan((MINE.text, DECAYS.text, "dfa"), seeds=(0, 1), epochs=2))
    for row in found.rows:
        accuracy, low, high = row.accuracy
        print(f"{row.name}: accuracy {accuracy:.1%} ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()
