"""The demonstration: one network, four rules, and the same bits on every engine.

In: nothing but what is in the package. Out: a `Demo`: the untrained digits network compiled for
loihi2 and trained by backprop, DFA, FA and frozen, and a slice of the DFA training replayed on all
engines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbite.compiler.compiled import Compiled
from hebbite.runtime.compare import Comparison, Plan, compare
from hebbite.runtime.datasets import load_dataset
from hebbite.runtime.engines.lava.shim import PIP_LINE, lava_installed
from hebbite.runtime.engines.registry import ON_LAVA
from hebbite.runtime.session import sample_order
from hebbite.runtime.slices import STEPS, samples_for, slice_of
from hebbite.runtime.verify import Verification, verify

MODEL = Path(__file__).parent / "data" / "digits.onnx"
RULES = ("backprop", "dfa", "fa", "frozen")
SHOWN = "dfa"
"""The rule whose training is replayed."""


@dataclass(frozen=True, eq=False)
class Demo:
    """What was compared, what was verified, and why an engine was left out ('' if none was)."""

    comparison: Comparison
    verification: Verification
    missing: str

    def to_json(self) -> dict[str, object]:
        """Return rows and provenance of the comparison, and the verification."""
        document = self.comparison.to_json()
        verification = {**self.verification.to_json(), "missing": self.missing}
        return {**document, "verification": verification}


def run_demo(
    *,
    epochs: int = 10,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    engine: str = "native",
    train_samples: int = 0,
    engines: Sequence[str] = ("reference", "native", "lava"),
    steps: int = STEPS,
    jobs: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Demo:
    """Compare the rules, then replay ``steps`` steps of the DFA training on ``engines``."""
    plan = Plan(
        RULES, seeds=tuple(seeds), epochs=epochs, engine=engine, train_samples=train_samples
    )
    comparison = compare(MODEL, plan, jobs=jobs, progress=progress)
    row = next(row for row in comparison.rows if row.name == SHOWN)
    verification, missing = replay(row.model, plan, engines=engines, steps=steps)
    return Demo(comparison, verification, missing)


def replay(
    model: Compiled, plan: Plan, *, engines: Sequence[str], steps: int
) -> tuple[Verification, str]:
    """Compare engines on the first samples of the training, in its order.

    An engine whose package is not installed is left out, and named with the line that installs it.
    """
    seed = model.settings.seed
    dataset = load_dataset(plan.data, seed=seed)
    count = min(plan.train_samples or len(dataset.x_train), len(dataset.x_train))
    wanted = samples_for(model, steps)
    epochs = [sample_order(count, seed=seed, epoch=epoch) for epoch in range(-(-wanted // count))]
    order = np.concatenate(epochs)[:wanted]
    x = dataset.x_train[order].astype(np.float64)
    inputs = slice_of(model, x, dataset.y_train[order], steps=steps)
    found = list(engines)
    missing = ""
    if not lava_installed() and set(found) & set(ON_LAVA):
        found = [name for name in found if name not in ON_LAVA]
        missing = f"Lava is not installed, so it was left out: {PIP_LINE}"
    return verify(model.program, inputs, engines=found, steps=steps), missing
