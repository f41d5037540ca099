"""The state of a session, as it comes from a file: is it one of this program at all?

In: named integer arrays, and the state of a new session of the program. Out: nothing, or an error
that says what differs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hebbite.compiler.arithmetic.learning import TAG_LOW
from hebbite.compiler.program.types import TAG, Program
from hebbite.rules.errors import InputFileError, Problem

State = Mapping[str, NDArray[np.int64]]
_FREE = ("clock", "session.samples")
"""Numbers that grow with a run; all others are registers, weights and tags."""


def check_state(program: Program, state: State, new: State) -> None:
    """Refuse a state whose names, shapes or values no run of the program can have (HB0717)."""
    for name in sorted(state.keys() ^ new.keys()):
        raise _refusal(f"'{name}' is {'missing' if name in new else 'not known'}")
    for name, values in new.items():
        found = state[name]
        if found.shape != values.shape or found.dtype.kind not in "iu":
            raise _refusal(f"'{name}' is {found.dtype} {found.shape}, not {values.shape}")
        if name not in _FREE and found.size and not -(2**31) <= found.min() <= found.max() < 2**31:
            raise _refusal(f"'{name}' leaves int32")
    low, high = program.widths.weight_low, program.widths.weight_high
    for weight in {group.weight for group in program.synapses}:
        found = state[f"weight.{weight}"]
        if found.size and not low <= found.min() <= found.max() <= high:
            raise _refusal(f"@{weight} leaves {low}..{high}")
    for group in (p.synapses for p in program.plasticity if p.dt is not None):
        found = state[f"tag.{group}"]
        if found.size and not TAG_LOW <= found.min() <= found.max() <= TAG.weight_high:
            raise _refusal(f"the tags of %{group} leave {TAG_LOW}..{TAG.weight_high}")
    (samples,), (step, epoch) = state["session.samples"], state["clock"]
    period, every = program.schedule.period, program.epoch or program.schedule.period
    if (
        not 0 <= samples < 2**53 // period
        or step != samples * period
        or not 0 <= epoch * every <= step
    ):
        raise _refusal(f"{samples} samples of {period} steps, yet step {step} and epoch {epoch}")


def _refusal(why: str) -> InputFileError:
    return InputFileError(Problem("HB0717", f"the state is of another program: {why}"))
