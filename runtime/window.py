"""What a trained model does in its next samples, core by core: how long its steps take.

In: a model after training, and the samples that it learnt from. Out: counts of a few of them by
core and step, learning switched on, or the reason why they cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hebbite.compiler.compiled import Compiled
from hebbite.compiler.hbt import Training
from hebbite.compiler.program.types import Program
from hebbite.rules.errors import HebbiteError
from hebbite.runtime.bycore import CoreCounts, count_by_core
from hebbite.runtime.bycore.plain import from_plain, to_plain
from hebbite.runtime.datasets import Dataset
from hebbite.runtime.engines.registry import load_engine
from hebbite.runtime.session import rounding_of

SAMPLES = 4


@dataclass(frozen=True, eq=False)
class Window:
    """Counts of a few samples, or None with the reason."""

    counts: CoreCounts | None
    reason: str = ""


def window_of(model: Compiled, dataset: Dataset, plan: Training) -> Window:
    """Return the counts of the first training samples, learnt once more by a copy.

    The native engine runs it, whichever one trained: all have the same bits.
    """
    x, y = (part[:SAMPLES] for part in (dataset.x_train, dataset.y_train))
    inputs = model.coding.inputs(x.astype("float64"), y)
    program = model.program
    rounding = rounding_of(plan.rounding)
    machine = load_engine("native").open(program, rounding=rounding, seed=plan.seed)
    try:
        return Window(count_by_core(machine, program, inputs, samples=len(x)))
    except HebbiteError as problem:
        return Window(None, problem.problems[0].what)
    finally:
        machine.close()


def window_to_plain(window: Window) -> dict[str, Any]:
    """Return a window as plain data."""
    counts = None if window.counts is None else to_plain(window.counts)
    return {"counts": counts, "reason": window.reason}


def window_from_plain(program: Program, found: Mapping[str, Any]) -> Window:
    """Return the window that `window_to_plain` wrote.

    Raises:
        ValueError, TypeError, LookupError: if it did not, or for another program.
    """
    if found["counts"] is None:
        return Window(None, str(found["reason"]))
    counts = from_plain(found["counts"])
    if not set(program.part_names) <= set(counts.parts):
        raise ValueError("the window is of another program")
    return Window(counts)
