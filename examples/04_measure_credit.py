"""How near to the gradient do local rules learn? Four of them on the 8x8 digits, after one epoch.

Angle 0 is the gradient itself, 90 has nothing of it; the share is what the hidden layer brought of
one step's change of the objective. The second number of each pair is what the chip's integers do.
"""

from __future__ import annotations

from pathlib import Path

from hebbite import credit
from hebbite.runtime.credit.credit import CreditPlan

MODEL = Path(__file__).parents[1] / "runtime" / "data" / "digits.onnx"


def main() -> None:
    """Print one line a rule."""
    rules = ("backprop", "sign-symmetric", "dfa", "frozen")
    report = credit(MODEL, CreditPlan(rules=rules, epochs=1, at=(1,)))
    pairs = zip(report.rows[::2], report.rows[1::2], strict=True)
    for real, chip in pairs:
        hidden, written = real.layers[0].measures, chip.layers[0].measures
        share = real.layers[0].credit_share or 0.0
        if hidden.angle_deg is None or written.angle_deg is None:
            print(f"{real.rule:15} the hidden layer does not learn, share {share:.0%}")
            continue
        angles = f"{hidden.angle_deg:5.1f} deg, on chip {written.angle_deg:5.1f} deg"
        print(f"{real.rule:15} hidden layer off by {angles}, share {share:.0%}")


if __name__ == "__main__":
    main()
