"""Run the same training on every engine and compare it bit for bit.

In: the untrained digits network. Out: whether spikes, states, weights, traces and counters are the
same integers over 500 steps on the reference engine, the native one and, if installed, Lava.

    python examples/02_compare_engines.py
"""

from __future__ import annotations

import numpy as np

from hebbite import compile, verify
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.demo import MODEL
from hebbite.runtime.engines.lava.shim import lava_installed
from hebbite.runtime.slices import slice_of

STEPS = 500


def main() -> None:
    """Compare and print what was compared."""
    data = load_dataset("digits", seed=0)
    model = compile(MODEL, rule="dfa", calibration=data.x_train[:256])
    inputs = slice_of(model, data.x_train.astype(np.float64), data.y_train, steps=STEPS)
    engines = ["reference", "native", *(["lava"] if lava_installed() else [])]
    found = verify(model.program, inputs, engines=engines, steps=STEPS)
    print(f"engines: {', '.join(found.engines)}, {found.steps} steps")
    print("compared: " + ", ".join(f"{count} {kind}" for kind, count in found.compared.items()))
    print(f"weights changed: {found.activity.weights_changed_fraction:.1%}")
    print(f"equal, bit for bit: {found.equal}; conclusive: {found.conclusive}")


if __name__ == "__main__":
    main()
