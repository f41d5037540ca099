"""Compile a network for a chip, let it learn the 8x8 digits there, and score it.

In: the untrained digits network of the package. Out: accuracy on the test digits before and after
three epochs of direct feedback alignment, one sample at a time, in 8-bit weights.

    python examples/01_train_digits.py
"""

from __future__ import annotations

from hebbite import Session, compile
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL


def main() -> None:
    """Train and print three lines."""
    data = load_dataset("digits", seed=0)
    model = compile(MODEL, rule="dfa", calibration=data.x_train[:256])
    with Session(model) as session:
        before = session.evaluate(data.x_test, data.y_test)
        fit = session.fit(data.x_train, data.y_train, epochs=3)
        after = session.evaluate(data.x_test, data.y_test)
    print(f"{model.model} for {model.program.target}, rule {model.rule.name}")
    print(f"learnt from {fit.samples} samples")
    print(f"accuracy: {before:.1%} before, {after:.1%} after")


if __name__ == "__main__":
    main()
